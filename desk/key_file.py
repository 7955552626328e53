"""Files that hold keys: made on first use, changed as a whole, readable by their owner alone."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from crm.errors import SetupError
from crm.vault import LEAST_PHRASE

NEW_KEY_BYTES = 32


def key_file_phrases(path: Path) -> list[str]:
    """The keys of the file, newest first. Made on first use, readable by its owner alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _create_whole(path, new_phrase() + "\n")
    try:
        phrases = path.read_text().split()
    except (OSError, UnicodeDecodeError):
        raise SetupError("secret_key_unreadable") from None
    if not phrases:
        raise SetupError("secret_key_empty")
    if min(map(len, phrases)) < LEAST_PHRASE:
        raise SetupError("secret_key_short")
    return phrases


def new_phrase() -> str:
    """A key nobody can guess."""
    return secrets.token_urlsafe(NEW_KEY_BYTES)


def write_key_file(path: Path, phrases: list[str]) -> None:
    """Replace the keys of the file, all at once or not at all."""
    os.replace(_draft(path, "\n".join(phrases) + "\n"), path)


def _create_whole(path: Path, text: str) -> None:
    """Create the file with its text or not at all: of two processes that start together one wins, both read the same."""
    draft = _draft(path, text)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    os.unlink(draft)


def _draft(path: Path, text: str) -> str:
    """A file beside `path` with this text, on the disk, readable by its owner alone."""
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft
