"""The console: how log lines look, and how the desk says at the start that its settings are wrong."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

from crm.settings import SettingsError
from crm.words import words

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"

WRONG_SETTINGS = 2
"""Exit status for settings that are wrong, as for a command used wrongly."""


def set_up() -> None:
    """Our lines on the console. Other people's loggers keep what they have."""
    ours = logging.getLogger("crm")
    if not ours.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter(FORMAT))
        ours.addHandler(handler)
        ours.setLevel(logging.INFO)
        ours.propagate = False


def refuse_to_start(error: SettingsError, out: TextIO = sys.stderr) -> None:
    """Every fault with its name and remedy, in both languages where the language itself is unknown."""
    chosen = os.environ.get("UI_LANGUAGE", "").strip().lower()
    for language in (chosen,) if chosen in ("ru", "en") else ("ru", "en"):
        say = words(language)
        print(f"\n{say('settings-wrong')}", file=out)
        for fault in error.faults:
            print(f"  {fault.name}: {say.setting(fault.code, fault.hint)}", file=out)
        print(say("settings-where"), file=out)
