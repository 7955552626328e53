"""A desk in a process of its own that delivers what is due and may kill itself at a step.

python -m tests.desk.delivery.worker FOLDER die STEP        delivers, and kills itself when that step comes
python -m tests.desk.delivery.worker FOLDER deliver         delivers what is due, prints "done"
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from desk.delivery import Outbox, Tools
from desk.desk import Desk
from desk.settings import load


def main(folder: str, what: str, step: str = "") -> None:
    desk = Desk(load(folder=Path(folder)))
    print("ready", flush=True)

    def die(now: str) -> None:
        if now == step:
            os.kill(os.getpid(), signal.SIGKILL)

    tools = Tools(
        desk.store, desk.client, desk.connection, desk.fields, desk.phonebook, desk.journal, desk.settings, on_step=die
    )
    Outbox(tools).deliver_due()
    print("done", flush=True)
    desk.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
