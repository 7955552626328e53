"""The proof of being on this machine, which no proxy and no forwarder of ports can lend to those behind it.

Three ways to show it, each of which needs something that was handed over on the machine itself:

* a link of one use from the console: `/enter/<code>`. Whoever opens it gets a cookie, and the console the next link;
* the cookie, from then on;
* the local key, out of a file that its owner alone can read: typed once into the page that asks for it, or sent by a
  program as `Authorization: Bearer`.

Where no proof is asked for (`LOCAL_ACCESS`) whoever seems to be here is here. What "seems" means is `desk.web.gate`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Iterator

from crm.errors import SetupError
from crm.vault import key_file_phrases, new_phrase, write_key_file
from desk.settings import Settings
from desk.web.gate import PUBLIC, App, Caller, Receive, Scope, Send, caller_of
from store import clock

CODE_BYTES = 16
"""Of a code in a link: 128 bits, which nobody tries out."""

LIFE_S = 30 * 24 * 3600
"""How long a browser stays known that does not come."""

RENEWED_AFTER_S = 24 * 3600
"""A cookie this old is replaced as its browser comes: an operator who is here every day is never asked again."""

LONGEST_COOKIE = 256
"""Of our own: a time, a name, a signature."""

LOCAL, SHOWN = "desk/is_local", "desk/shown"
"""In a request's scope: what `Doorway.is_local` has found, and when the cookie shown was made."""


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
        self.tell: Callable[[str], None] | None = None
        """Called with each new code's path as the one before it is spent."""

    def __repr__(self) -> str:
        return f"Doorway(is_open={self.is_open})"

    @property
    def path(self) -> str:
        """Where the code that is good now opens the desk, once."""
        with self._lock:
            return f"/enter/{self._code}"

    def spend(self, code: str) -> bool:
        """Whether this is the code that is good now; from then on another is."""
        with self._lock:
            if not _is_same(code, self._code):
                return False
            self._code = secrets.token_urlsafe(CODE_BYTES)
        if self.tell is not None:
            self.tell(self.path)
        return True

    def is_key(self, text: str) -> bool:
        """Whether this is the local key."""
        return _is_same(text, self._phrase)

    def cookie(self) -> str:
        """The value of a cookie that proves from now on."""
        told = f"{int(clock.unix())}.{secrets.token_urlsafe(9)}"
        return f"{told}.{self._sign(told)}"

    def set_cookie(self, *, secure: bool) -> str:
        """The header that gives a browser its cookie."""
        more = "; Secure" if secure else ""
        return f"{self.cookie_name}={self.cookie()}; Path=/; Max-Age={LIFE_S}; HttpOnly; SameSite=Lax{more}"

    def is_local(self, scope: Scope, caller: Caller | None = None) -> bool:
        """Whether whoever sends a request seems to be on this machine and proves it, if proof is asked for."""
        if LOCAL not in scope:
            scope[SHOWN], scope[LOCAL] = None, False
            if (caller or caller_of(scope)).seems_local:
                scope[SHOWN] = None if self.is_open else self._shown(scope)
                scope[LOCAL] = self.is_open or scope[SHOWN] is not None or self.is_key(bearer_of(scope))
        return bool(scope[LOCAL])

    def renewing(self, scope: Scope, send: Send) -> Send:
        """`send`, or one that gives the browser a fresh cookie in place of an ageing one."""
        at = scope.get(SHOWN)
        if at is None or clock.unix() - at < RENEWED_AFTER_S:
            return send
        header = (b"set-cookie", self.set_cookie(secure=scope.get("scheme") == "https").encode())

        async def renew(message: Scope) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), header]
            await send(message)

        return renew

    def _shown(self, scope: Scope) -> int | None:
        """When the cookie of a request was made; None unless it is ours and still good."""
        for value in _cookies(scope, self.cookie_name):
            told, _, signature = value.rpartition(".")
            made = told.partition(".")[0]
            if not made.isascii() or not made.isdecimal() or not _is_same(signature, self._sign(told)):
                continue
            if int(made) > clock.unix() - LIFE_S:
                return int(made)
        return None

    def _sign(self, told: str) -> str:
        digest = hmac.digest(self._key, b"cookie/" + told.encode("utf-8", "replace"), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Public:
    """ASGI: the same application for whoever comes in through the public listener; `desk.web.gate` then knows."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, PUBLIC: True}, receive, send)


def bearer_of(scope: Scope) -> str:
    """The key of the Authorization header; "" where there is none or more than one."""
    given = [value for name, value in scope.get("headers", []) if name.lower() == b"authorization"]
    scheme, _, key = (given[0] if len(given) == 1 else b"").decode("latin-1").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _cookies(scope: Scope, name: str) -> Iterator[str]:
    """Every value a request has under this cookie's name."""
    for header, value in scope.get("headers", []):
        if header == b"cookie" and name.encode() in value:
            for part in value.decode("latin-1").split(";"):
                found, _, text = part.strip().partition("=")
                if found == name and len(text) <= LONGEST_COOKIE:
                    yield text


def _is_same(given: str, right: str) -> bool:
    """Compare in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def _phrase_of(settings: Settings) -> str:
    """The local key: of the settings, of its file, or made now and kept there; one that nobody knows if nobody asks for it.

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
