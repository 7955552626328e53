"""Figures of the product, measured honestly: ratios side by side in one run. `make bench`."""
