"""The proof that a browser runs on this machine, which no proxy and no forwarder of ports can lend to browsers behind
it.

Three ways to show it, each of which needs something that was handed over on the machine itself:

* a link of one use from the console: `/enter/<code>`. Whoever opens it gets a cookie, and the console the next link;
* the cookie, from then on;
* the local key, out of a file that its owner alone can read: typed once into the page that asks for it, or sent by a
  program as `Authorization: Bearer`.

Where no proof is asked for (`LOCAL_ACCESS`) whoever seems to be here is here. What "seems" means is `desk.web.caller`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable

from crm.errors import SetupError
from desk.key_file import key_file_phrases, new_phrase, write_key_file
from desk.settings import Settings
from store import clock

CODE_BYTES = 16
"""Bytes of a code in a link: 128 bits, too many to guess."""

LIFE_S = 30 * 24 * 3600
"""How long a browser stays known that does not come."""


class Doorway:
    """The secrets of one desk's door. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self.is_open = not settings.asks_for_proof
        """No proof is asked for."""
        self._phrase = _phrase_of(settings)
        self._key = hashlib.sha256(b"lead-desk/local/" + self._phrase.encode()).digest()
        self.cookie_name = f"desk_local_{hashlib.sha256(b'lead-desk/local-id/' + self._key).hexdigest()[:8]}"
        """Of this desk alone: a browser sends its cookies to every port of a machine."""
        self._lock = threading.Lock()
        self._code = secrets.token_urlsafe(CODE_BYTES)
        self.on_new_code: Callable[[str], None] | None = None
        """Callback for the path of each new code, when the code before is spent."""

    def __repr__(self) -> str:
        return f"Doorway(is_open={self.is_open})"

    @property
    def path(self) -> str:
        """Where the code that is good now opens the desk, once."""
        with self._lock:
            return f"/enter/{self._code}"

    def spend(self, code: str) -> bool:
        """Whether a code is the valid one; a valid code is spent, and the next becomes valid."""
        with self._lock:
            if not _is_same(code, self._code):
                return False
            self._code = secrets.token_urlsafe(CODE_BYTES)
        if self.on_new_code is not None:
            self.on_new_code(self.path)
        return True

    def is_key(self, text: str) -> bool:
        """Whether a key is the local key."""
        return _is_same(text, self._phrase)

    def cookie(self) -> str:
        """The value of a cookie that proves from now on."""
        told = f"{int(clock.unix())}.{secrets.token_urlsafe(9)}"
        return f"{told}.{self._sign(told)}"

    def made_at(self, value: str) -> int | None:
        """Time at which a cookie's value was made (unix seconds); None unless the cookie is ours and still good."""
        told, _, signature = value.rpartition(".")
        made = told.partition(".")[0]
        if not made.isascii() or not made.isdecimal() or not _is_same(signature, self._sign(told)):
            return None
        return int(made) if int(made) > clock.unix() - LIFE_S else None

    def _sign(self, told: str) -> str:
        digest = hmac.digest(self._key, b"cookie/" + told.encode("utf-8", "replace"), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _is_same(given: str, right: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def _phrase_of(settings: Settings) -> str:
    """The local key: from the settings, from its file, or made now and stored; a random key if no browser is asked for
    proof.

    A file that cannot be used is replaced: all it costs is that browsers show a link again. Where nothing can be written
    the key lives as long as this process.
    """
    if settings.local_key is not None:
        return settings.local_key.reveal()
    if not settings.asks_for_proof:
        return new_phrase()
    path = settings.local_key_file
    try:
        try:
            return key_file_phrases(path)[0]
        except SetupError:
            write_key_file(path, [new_phrase()])
            return key_file_phrases(path)[0]
    except (OSError, SetupError):
        return new_phrase()
