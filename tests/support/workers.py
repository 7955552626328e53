"""Desks in processes of their own: started on a database, spoken to over their pipes, killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desk.settings import PROJECT
from sandbox.process import Sandbox
from tests.support.desks import KEY, settings_for

REFRESHER = "tests.crm.connection.worker"
"""The program of a refresh of the key, with a death on the way if asked for."""


class Worker:
    """A started program of the tests. `module`: the module with its `main`; `what`: its arguments after the folder."""

    def __init__(self, module: str, box: Sandbox, store_url: str, folder: Path, *what: str, rps: str = "7") -> None:
        clean = {name: text for name, text in os.environ.items() if not name.startswith("AMOCRM_")}
        settings = settings_for(box, DATABASE_URL=store_url, SECRET_KEY=KEY, AMOCRM_MAX_RPS=rps)
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder), *what],
            cwd=PROJECT,
            env=clean | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.line() == "ready"

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict:
        return json.loads(self.line())

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        return self.process.wait()


@contextmanager
def workers(count: int, module: str, box: Sandbox, store_url: str, folder: Path, *what: str) -> Iterator[list[Worker]]:
    started = [Worker(module, box, store_url, folder, *what) for _ in range(count)]
    try:
        yield started
    finally:
        for worker in started:
            worker.end()
