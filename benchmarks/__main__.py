"""`make bench`: every benchmark, one after another; ends with 1 where a limit is missed."""

import sys

from benchmarks import cold_start

if __name__ == "__main__":
    sys.exit(0 if all([cold_start.main()]) else 1)
