"""A PostgreSQL server for a test run: started in an empty folder, gone afterwards.

Its programs refuse to run as root, so there they run as the user `postgres`, which Debian's package makes.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from store import Store

DEBIAN_FOLDER = Path("/usr/lib/postgresql")


@dataclass
class Server:
    """A running server. `new_database` makes an empty database and tells its address."""

    port: int
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _ready: str = ""

    def new_database(self, template: str = "template1") -> str:
        name = f"desk_{next(self._numbers)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._address(name).replace("postgresql://", "postgresql+psycopg://")

    def ready_database(self) -> str:
        """Make a database that has its tables: a copy of the server's first one."""
        if not self._ready:
            url = self.new_database()
            store = Store(url)
            store.upgrade()
            store.close()
            self._ready = url.rpartition("/")[2]
        return self.new_database(self._ready)

    def _address(self, database: str) -> str:
        return f"postgresql://desk@127.0.0.1:{self.port}/{database}"


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, the newest version first; None if PostgreSQL is not installed."""
    on_path = shutil.which("initdb")
    folders = sorted(DEBIAN_FOLDER.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    candidates = [*folders, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


@contextmanager
def running(bin_folder: Path) -> Iterator[Server]:
    """Start a server and stop it afterwards. Without fsync: its data are worthless after the tests."""
    folder = Path(tempfile.mkdtemp(prefix="desk-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        port = _free_port()
        data = folder / "data"
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300"
        _run(bin_folder / "initdb", "-D", data, "-U", "desk", "-A", "trust", "-E", "UTF8", "--locale=C")
        _run(bin_folder / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield Server(port)
        finally:
            _run(bin_folder / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str | Path) -> None:
    user = "postgres" if os.geteuid() == 0 else None
    # Its output goes nowhere: a server that keeps our pipe open would let us wait for ever.
    subprocess.run(
        [str(part) for part in command],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=user,
        cwd="/",
        timeout=60,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
