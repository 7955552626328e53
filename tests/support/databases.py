"""Databases that have their tables already: the steps of migration run once a process, and each test gets a copy.

The copy is what the steps have made, so a test that looks at tables sees the real ones. A test of the steps themselves
begins with an empty database (`empty_url`).
"""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

from store import Store


@cache
def _upgraded() -> bytes:
    """The bytes of an SQLite database with its tables and no rows but those of the steps."""
    with tempfile.TemporaryDirectory(prefix="desk-template-") as folder:
        path = Path(folder) / "desk.db"
        store = Store(f"sqlite:///{path}")
        store.upgrade()
        store.close()
        return path.read_bytes()


def put_ready(path: Path) -> None:
    """Put a database with its tables where there is no file yet."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(_upgraded())
