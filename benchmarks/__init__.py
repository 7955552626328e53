"""Figures of the product, measured honestly: ratios side by side in the same run. `make bench`."""
