"""The desk's own files, readable by their owner alone: there are people's names and phones in them, and keys.

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
"""Rights of everybody but the owner."""

SIDES = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps beside a database."""


def keep_new_files_private() -> None:
    """From now on whatever this process and those it starts create is its owner's alone."""
    os.umask(OTHERS)


def mend(settings: Settings) -> tuple[list[str], list[str]]:
    """Take away what others may do with the desk's files; the names of those it was taken from, and of those it could not be."""
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
    """The files, before their folder: a folder is the desk's own only where nobody else has named it."""
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
