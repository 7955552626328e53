"""A whole desk in a process of its own, without its screens: delivers, follows AmoCRM, keeps its key, until its input ends.

python -m tests.desk.delivery.desk_process FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from desk.desk import Desk
from desk.settings import load


def main(folder: str) -> None:
    desk = Desk(load(folder=Path(folder)))
    desk.start()
    print("ready", flush=True)
    sys.stdin.read()
    desk.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
