"""The form of tokens. Their holders are `grants.py`; the requests for tokens are `endpoint.py`.

Real ones are long, and so are these: a column that is too narrow for the service must be too narrow here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

from sandbox.club.account import ACCOUNT_ID, BASE_DOMAIN

OPAQUE_PREFIX = "def50200"
"""Codes and refresh tokens are ciphertext of PHP's Defuse library and begin with its version (sheet 3.2, L)."""

OPAQUE_BYTES = 320
SIGNATURE_BYTES = 256
"""The length of an RS256 signature by a 2048-bit key. The bytes are random: no client has AmoCRM's key to check with."""


def opaque() -> str:
    """A new authorization code or refresh token: 648 hexadecimal characters."""
    return OPAQUE_PREFIX + secrets.token_hex(OPAQUE_BYTES)


def access_token(
    *, client_id: str, user_id: int, scopes: list[str], issued_at: int, expires_at: int, api_domain: str
) -> str:
    """A JWT with the claims of sheet 3.6. Times are unix seconds; `api_domain` is a host with its port."""
    jti = secrets.token_hex(32)
    header = {"typ": "JWT", "alg": "RS256", "jti": jti}
    claims = {
        "aud": client_id,
        "jti": jti,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": expires_at,
        "sub": str(user_id),
        "grant_type": "",
        "account_id": ACCOUNT_ID,
        "base_domain": BASE_DOMAIN,
        "version": 2,
        "scopes": scopes,
        "hash_uuid": secrets.token_hex(16),
        "api_domain": api_domain,
    }
    return ".".join([_part(header), _part(claims), _base64(secrets.token_bytes(SIGNATURE_BYTES))])


def claims_of(token: str) -> dict[str, Any]:
    """The unchecked claims of a token: enough to know whose rate limit a request falls under."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def digest(token: str) -> str:
    """The digest of a token, which alone is stored."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def fingerprint(token: str) -> str:
    """How a token is called in the ledger: enough to tell two apart, not enough to use either."""
    return digest(token)[:12]


def revocation_signature(client_id: str, account_id: int, client_secret: str) -> str:
    """`signature` of the "access revoked" hook: HMAC-SHA256 over `client_uuid|account_id` (sheet 3.8, D)."""
    return hmac.new(client_secret.encode(), f"{client_id}|{account_id}".encode(), hashlib.sha256).hexdigest()


def _part(data: dict[str, Any]) -> str:
    return _base64(json.dumps(data, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
