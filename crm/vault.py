"""Secrets at rest: sealed with authenticated encryption, opened only with the right key and purpose.

A sealed text reads `v1.<key id>.<nonce and ciphertext>`. The key id says which key of the ring sealed it,
so a new key can take over while old texts still open. What is sealed and where keys come from is not decided here.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm.errors import SetupError

VERSION = "v1"
NONCE_BYTES = 12
"""The nonce of AES-GCM. Random: a desk seals a few times a day, far from the 2^32 at which chance would matter."""


LEAST_PHRASE = 32
"""Characters of a key; a shorter one can be guessed, and no key of ours is."""


class Vault:
    """A ring of keys: the first seals, all open."""

    def __init__(self, phrases: Callable[[], list[str]]) -> None:
        """`phrases`: where the keys come from, newest first, each long and random.

        Asked again before sealing and when a key is missing: another process may have changed the key file.
        """
        self._phrases = phrases
        self._load()

    def __repr__(self) -> str:
        return f"Vault(key {self.key_id}, {len(self._keys)} in all)"

    def _load(self) -> None:
        phrases = self._phrases()
        self._keys = {_key_id(phrase): AESGCM(_derive(phrase)) for phrase in phrases}
        self.key_id = _key_id(phrases[0])

    def seal(self, plain: str, purpose: str) -> str:
        """Encrypt. `purpose` is bound in: a text sealed for one place does not open in another."""
        self._load()
        nonce = os.urandom(NONCE_BYTES)
        body = self._keys[self.key_id].encrypt(nonce, plain.encode(), _bound(self.key_id, purpose))
        return f"{VERSION}.{self.key_id}.{base64.urlsafe_b64encode(nonce + body).decode()}"

    def open(self, sealed: str, purpose: str) -> str:
        """Decrypt. Raises `SetupError("secret_key_wrong")` if no key of the ring fits or the text was changed."""
        try:
            version, key_id, body = sealed.split(".")
            raw = base64.urlsafe_b64decode(body)
            if version != VERSION:
                raise ValueError(version)
            if key_id not in self._keys:
                self._load()
            return self._keys[key_id].decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(key_id, purpose)).decode()
        except (KeyError, ValueError, InvalidTag):
            raise SetupError("secret_key_wrong") from None


def fingerprint(token: str) -> str:
    """Name a token by twelve hex digits, without giving the token away: for logs, journals and comparing."""
    return hashlib.sha256(token.encode()).hexdigest()[:12]


def secret_hash(text: str) -> str:
    """Return a secret's SHA-256 in hex, for recognising a secret without keeping the secret.

    A stranger may have typed anything, lone halves of an emoji too.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _derive(phrase: str) -> bytes:
    return hashlib.sha256(b"lead-desk/key/" + phrase.encode()).digest()


def _key_id(phrase: str) -> str:
    return hashlib.sha256(b"lead-desk/key-id/" + phrase.encode()).hexdigest()[:8]


def _bound(key_id: str, purpose: str) -> bytes:
    return f"{VERSION}/{key_id}/{purpose}".encode()
