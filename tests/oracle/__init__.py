"""The oracle: leads by form and over HTTP, while AmoCRM misbehaves and the desk is killed; then every lead is counted.

python -m tests.oracle --leads 1000 --kills 20 --seed 1
"""
