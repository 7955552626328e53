"""Words for people, in both languages. The sentences live in `locales/*.ftl` (Fluent); none stands in code.

Here because not only screens speak: the API's field errors and the console do too. Which language a person
has chosen is the screen's business (`ui.frame.words`).
"""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import Any

from fluent.runtime import FluentBundle, FluentResource

LANGUAGES = {"ru": "Русский", "en": "English"}
"""Languages of the desk, by their own names. The first is the default."""

FOLDER = Path(__file__).resolve().parent.parent / "locales"

log = logging.getLogger(__name__)


class Words:
    """One language. `words("leads-title")`, `words("leads-count", count=3)`."""

    def __init__(self, language: str) -> None:
        self.language = language
        # Isolation marks (U+2068) are invisible and spoil copying a phone or an id out of a sentence.
        self._bundle = FluentBundle([language], use_isolating=False)
        self._bundle.add_resource(FluentResource((FOLDER / f"{language}.ftl").read_text(encoding="utf-8")))
        self._plain: dict[str, str] = {}  # sentences without values, as they were told first

    def __call__(self, key: str, **values: Any) -> str:
        """The sentence of `key` with its values filled in. A missing key shows as itself and is logged."""
        if not values and key in self._plain:
            return self._plain[key]
        if not self.has(key):
            log.error("no words for %s in %s", key, self.language)
            return key
        pattern = self._bundle.get_message(key).value
        assert pattern is not None  # noqa: S101 - `has` looked
        text, errors = self._bundle.format_pattern(pattern, values)
        for error in errors:
            log.error("words of %s in %s: %s", key, self.language, type(error).__name__)
        if not values and not errors:
            self._plain[key] = str(text)
        return str(text)

    def has(self, key: str) -> bool:
        return bool(self._bundle.has_message(key) and self._bundle.get_message(key).value)

    def error(self, code: str) -> tuple[str, str]:
        """What happened and what to do, for an error code; the general pair for a code without words."""
        known = code if self.has(f"error-{code}") else "unknown"
        return self(f"error-{known}", code=code), self(f"error-{known}-remedy", code=code)

    def setting(self, code: str, hint: str) -> str:
        """What is wrong with a setting; `hint` is a limit, a list of choices or what was probably meant."""
        return self(
            f"setting-{code}-hint" if hint and self.has(f"setting-{code}-hint") else f"setting-{code}", hint=hint
        )


@cache
def words(language: str) -> Words:
    """The words of a language, read once a process. An unknown language falls back to the default."""
    return Words(language if language in LANGUAGES else next(iter(LANGUAGES)))
