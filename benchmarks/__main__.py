"""`make bench`: every benchmark in turn; exit status 1 if a limit is missed."""

import sys

from benchmarks import calldesk, cold_start, doors, entry, export, fill, hooks, intake, listing, overview, refresh_wait

EVERY = (cold_start, doors, refresh_wait, intake, hooks, entry, fill, listing, overview, export, calldesk)

if __name__ == "__main__":
    results = [one.main() for one in EVERY]
    sys.exit(0 if all(results) else 1)
