"""The desk as a running program: started on a free port, stopped or killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import Signals
from typing import Any

import requests

from desk.doorway import Doorway
from desk.settings import PROJECT, Secret, Settings

START_S = 180.0
"""Patience with a start, which takes three seconds here and many times as long on a loaded machine."""

CHECK_EVERY_S = 0.05


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], what: str, patience_s: float = 120.0) -> Any:
    """Wait for a sign and return it; `what`: the words of the failure."""
    pause, end = threading.Event(), time.monotonic() + patience_s
    while time.monotonic() < end:
        if found := condition():
            return found
        pause.wait(CHECK_EVERY_S)
    raise AssertionError(f"waited {patience_s:.0f} s in vain for {what}")


LOCAL_KEY = "l" * 40
"""The local key of every desk started by a test."""

LOCAL = {"Authorization": f"Bearer {LOCAL_KEY}"}
"""Headers by which a program proves to be on the desk's machine."""


def local_cookies() -> dict[str, str]:
    """The cookie of a browser with proof of being on the desk's machine."""
    doorway = Doorway(Settings(local_key=Secret(LOCAL_KEY)))
    return {doorway.cookie_name: doorway.cookie()}


def browser_cookies() -> list[Any]:
    """The same for a browser, under the name the tests open desks by."""
    return [{"name": name, "value": value, "url": "http://localhost"} for name, value in local_cookies().items()]


class RunningDesk:
    """A running desk: own port, own folder for its database, own settings; `files`: the limit of its file handles."""

    def __init__(self, folder: Path, settings: dict[str, str], files: int | None = None) -> None:
        self.folder, self.port, self._files = folder, free_port(), files
        self.url = f"http://localhost:{self.port}"
        database = {"DATABASE_URL": f"sqlite:///{folder}/desk.db", "SECRET_KEY": "k" * 40, "LOCAL_KEY": LOCAL_KEY}
        clean = {name: text for name, text in os.environ.items() if not name.startswith(("AMOCRM_", "STREAMLIT_"))}
        self._environ = clean | database | settings
        self.database_url = self._environ["DATABASE_URL"]
        self._log = folder / "desk.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", str(self.port)]
        if self._files is not None:
            command = ["sh", "-c", f'ulimit -n {self._files}; exec "$@"', "sh", *command]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=PROJECT, env=self._environ, stdout=log, stderr=log)
        if wait:
            until(self.is_up, "the desk to start", START_S)

    def is_up(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the desk ended with {self._process.returncode}:\n{self.log()}")
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    def is_alive(self) -> bool:
        """Whether the desk answers, even during a start."""
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    def stop(self) -> int:
        """End the desk politely; its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End the desk at once, like a power cut."""
        return self._end(signal.SIGKILL)

    def signal(self, how: Signals) -> None:
        """Send a signal to the desk's process, if there is any."""
        if self._process is not None:
            self._process.send_signal(how)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _end(self, how: Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        try:
            return process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the desk did not stop:\n{self.log()}") from None


@contextmanager
def running_desk(files: int | None = None, /, **settings: str) -> Iterator[RunningDesk]:
    """A started desk, stopped at the end in any case."""
    with tempfile.TemporaryDirectory(prefix="desk-") as folder:
        desk = RunningDesk(Path(folder), settings, files)
        try:
            desk.start()
            yield desk
        finally:
            desk.stop()
