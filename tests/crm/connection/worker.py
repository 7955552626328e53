"""A desk in a process of its own, for tests that need several processes or one to kill. Speaks over its pipes.

python -m tests.crm.connection.worker FOLDER threads N      each line "go": N threads ask for a token; prints how it went
python -m tests.crm.connection.worker FOLDER die STEP       refreshes by hand and kills itself at that step
python -m tests.crm.connection.worker FOLDER refresh        refreshes by hand; prints what came of it
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from crm import account
from crm.errors import DeskError
from desk.connection import Connection
from desk.desk import Desk, vault_of
from desk.settings import load


def main(folder: str, what: str, *rest: str) -> None:
    desk = Desk(load(folder=Path(folder)))
    print("ready", flush=True)
    match what:
        case "threads":
            rounds(desk, int(rest[0]))
        case "die":
            die_at(desk, rest[0])
        case "refresh":
            print(outcome(desk.connection.refresh_now), flush=True)
    desk.close()


def rounds(desk: Desk, count: int) -> None:
    for line in sys.stdin:
        if line.strip() != "go":
            return
        failures: list[str] = []
        waits: list[float] = []
        start = threading.Barrier(count)

        def ask(failures=failures, waits=waits, start=start) -> None:
            start.wait()
            began = time.monotonic()
            try:
                desk.connection.current()
            except Exception as error:
                failures.append(repr(error))
            waits.append(time.monotonic() - began)

        threads = [threading.Thread(target=ask) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        works = outcome(lambda: account.current(desk.client))
        print(json.dumps({"failures": failures, "waits": waits, "works": works}), flush=True)


def die_at(desk: Desk, step: str) -> None:
    def watch(now: str) -> None:
        if now == step:
            os.kill(os.getpid(), signal.SIGKILL)

    connection = Connection(
        desk.store, vault_of(desk.settings), desk.door, desk.journal, desk.settings.amocrm, on_step=watch
    )
    print(outcome(connection.refresh_now), flush=True)


def outcome(action) -> str:
    try:
        action()
    except DeskError as error:
        return error.code
    return "ok"


if __name__ == "__main__":
    main(*sys.argv[1:])
