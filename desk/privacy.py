"""Privacy of the desk's own files, which hold people's names and phones, and keys: readable by their owner alone.

What the desk makes it makes so. A file that was there before, such as one restored from a copy, keeps its rights, and SQLite
gives its side files those of the database; so they are looked at as the desk starts.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from desk.settings import Settings

OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""Rights of all users but the owner."""

SIDES = ("", "-wal", "-shm", "-journal")
"""Endings of SQLite's files beside a database."""


def keep_new_files_private() -> None:
    """Make all files created from now on, by this process and its children, readable by their owner alone."""
    os.umask(OTHERS)


def mend(settings: Settings) -> tuple[list[str], list[str]]:
    """Withdraw other users' rights on the desk's files. Return the files changed, and the files that could not be
    changed."""
    mended, left = [], []
    for path in _own(settings):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & OTHERS:
                path.chmod(mode & ~OTHERS)
                mended.append(path.name)
        except FileNotFoundError:
            continue
        except OSError:
            left.append(path.name)
    return mended, left


def _own(settings: Settings) -> Iterator[Path]:
    """The desk's files, before their folder: the folder is the desk's own only if nobody has chosen another."""
    folder = settings.data_folder
    _, found, database = settings.database_url.partition("sqlite:///")
    databases = [Path(database)] if found else []
    databases += [folder / "demo-amocrm.db"] if settings.demo else []
    yield from (one.with_name(one.name + side) for one in databases for side in SIDES)
    yield from (settings.key_file, settings.local_key_file, folder / "exports")
    if (folder / "exports").is_dir():
        yield from (folder / "exports").iterdir()
    if folder == settings.folder / "data":
        yield folder
