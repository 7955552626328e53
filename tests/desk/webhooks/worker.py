"""A desk in a process of its own that fetches what hooks have told and kills itself before it is written down.

python -m tests.desk.webhooks.worker FOLDER
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desk.desk import Desk
from desk.settings import load


def main(folder: str) -> None:
    desk = Desk(load(folder=Path(folder)))
    print("ready", flush=True)

    @contextmanager
    def taken() -> Iterator[dict[str, set[int]]]:
        with desk.webhooks.taken() as told:
            yield {}  # what is told gets lost with this process
            if told:
                os.kill(os.getpid(), signal.SIGKILL)

    desk.mirror.listen(taken, desk.webhooks.are_on)
    while True:
        desk.mirror.look_after()


if __name__ == "__main__":
    main(sys.argv[1])
