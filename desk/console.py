"""The console: how log lines look, and how the desk says at the start that its settings are wrong."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from crm.errors import SetupError
from desk import ROOMS
from desk.settings import Fault, SettingsError
from desk.words import words

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"

WRONG_SETTINGS = 2
"""Exit status for settings that are wrong, as for a command used wrongly."""


def set_up() -> None:
    """Show our log lines on the console. Other people's loggers keep their settings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT))
    for room in ROOMS:
        ours = logging.getLogger(room)
        if not ours.handlers:
            ours.addHandler(handler)
            ours.setLevel(logging.INFO)
            ours.propagate = False


def refuse_settings(error: SettingsError, out: TextIO = sys.stderr) -> None:
    """Every fault with its name and remedy, in both languages where the language itself is unknown."""
    for language in (error.language,) if error.language else _languages():
        say = words(language)
        print(f"\n{say('settings-wrong')}", file=out)
        for fault in error.faults:
            print(f"  {fault.name}: {say.setting(fault.code, fault.hint)}", file=out)
        print(say("settings-where"), file=out)


def tell_notes(notes: Iterable[Fault], language: str, out: TextIO = sys.stderr) -> None:
    """Warn of unknown names in the settings: the desk runs, but a name is probably a slip."""
    say = words(language)
    for note in notes:
        print(f"{note.name}: {say.setting(note.code, note.hint)}", file=out)


def tell_rights(mended: Sequence[str], left: Sequence[str], language: str, out: TextIO = sys.stderr) -> None:
    """Say which of the desk's files other users could read, and whether they still can."""
    say = words(language)
    if mended:
        print(say("rights-mended", files=", ".join(mended)), file=out)
    if left:
        print(say("rights-left", files=", ".join(left)), file=out)


def tell_link(link: str, language: str, out: TextIO = sys.stdout) -> None:
    """Print the address that opens the desk once, on lines of its own. For readers of the console only, so not in
    the log."""
    say = words(language)
    print(f"\n  {say('console-link')}\n  {link}\n", file=out, flush=True)


def refuse_setup(error: SetupError, out: TextIO = sys.stderr) -> None:
    """Say why the desk does not start although its settings are well formed, and the remedy."""
    for language in _languages():
        what, remedy = words(language).error(error.code)
        print(f"\n{what} {remedy}", file=out)


def _languages() -> tuple[str, ...]:
    """The configured language; both languages if the language is not known, as when the settings themselves are
    wrong."""
    chosen = os.environ.get("UI_LANGUAGE", "").strip().lower()
    return (chosen,) if chosen in ("ru", "en") else ("ru", "en")
