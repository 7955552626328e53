"""A first reading of AmoCRM's leads, by a desk in a process of its own.

python -m benchmarks.filler FOLDER     prints "ready"; on a line it fills and prints one line of JSON; may be killed
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from desk.desk import Desk
from desk.settings import load


def main(folder: str) -> None:
    desk = Desk(load(folder=Path(folder)))
    desk.mirror._follow.reference()
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.monotonic()
    desk.mirror._fill.run(lambda: True)
    print(json.dumps({"took_s": time.monotonic() - started, "peak_mb": peak_mb()}), flush=True)
    desk.close()


def peak_mb() -> float:
    """The peak memory of the process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main(*sys.argv[1:])
