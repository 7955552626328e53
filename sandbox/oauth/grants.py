"""The grants: codes, token pairs and the rules of their rotation (sheet 3.2, 3.4).

Only digests are kept. The HTTP side is `endpoint.py`, the form of the tokens `tokens.py`. Every function here runs
inside a transaction; what happened to which pair goes to the ledger by fingerprint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.changes import Work
from sandbox.club.account import ACCOUNT_ID
from sandbox.oauth.tokens import access_token, digest, fingerprint, opaque
from sandbox.store.database import Row

DAY_S = 24 * 3600
LONGEST_LIFE_S = 5 * 365 * DAY_S
"""Of a long-lived token (sheet 3.6, D)."""


CODE_EXPIRED = "Authorization code has expired"
"""AmoCRM's word for a code older than its twenty minutes (sheet 3.5, R)."""


class Invalid(Exception):
    """A code or refresh token without effect; `hint` is AmoCRM's own reason (sheet 3.5)."""

    def __init__(self, hint: str, status: int) -> None:
        super().__init__(hint)
        self.hint = hint
        self.status = status


@dataclass(frozen=True)
class Pair:
    """The tokens a client receives, once. A long-lived token has no `refresh_token`."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int

    def answer(self) -> dict[str, Any]:
        """The token endpoint's body (sheet 3.3)."""
        body: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "access_token": self.access_token,
        }
        return body | ({"refresh_token": self.refresh_token} if self.refresh_token else {})


@dataclass(frozen=True)
class Holder:
    """The user of a token and the token's scopes."""

    user_id: int
    scopes: list[str]


def issue_code(work: Work, user_id: int, *, account_id: int = ACCOUNT_ID) -> str:
    """Issue a code for the redirect or the "keys" window. A code of another account is refused as `Invalid account`."""
    code = opaque()
    row = {"digest": digest(code), "user_id": user_id, "issued_at": work.now}
    work.store.insert("codes", row | {"expires_at": work.now + work.config.code_ttl_s, "account_id": account_id})
    _tell(work, "code issued", code=fingerprint(code), user_id=user_id)
    return code


def spend_code(work: Work, code: str, client_id: str, api_domain: str) -> Pair:
    """The pair a code is exchanged for. Each works once, for twenty minutes (sheet 3.2)."""
    row = work.store.row("SELECT * FROM codes WHERE digest = ?", [digest(code)])
    if row is None:
        raise Invalid("Cannot decrypt the authorization code", 400)
    if row["used"]:
        raise Invalid("Authorization code has been revoked", 400)
    if row["expires_at"] <= work.now:
        raise Invalid(CODE_EXPIRED, 400)
    if row["account_id"] != ACCOUNT_ID:
        raise Invalid("Invalid account", 400)
    work.store.update("codes", {"used": 1}, digest=row["digest"])
    return issue(work, row["user_id"], client_id, api_domain)


def issue(
    work: Work,
    user_id: int,
    client_id: str,
    api_domain: str,
    *,
    parent: Row | None = None,
    long_lived_s: int | None = None,
) -> Pair:
    """Issue a new pair; `parent` is the replaced pair. With `long_lived_s` (seconds) an access token alone."""
    life_s = work.config.access_token_ttl_s if long_lived_s is None else long_lived_s
    access = access_token(
        client_id=client_id,
        user_id=user_id,
        scopes=work.config.scopes,
        issued_at=work.now,
        expires_at=work.now + life_s,
        api_domain=api_domain,
    )
    refresh = opaque() if long_lived_s is None else None
    row = {
        "parent_id": parent["id"] if parent else None,
        "user_id": user_id,
        "scopes": json.dumps(work.config.scopes),
        "access_digest": digest(access),
        "access_expires_at": work.now + life_s,
        "refresh_digest": digest(refresh) if refresh else None,
        "refresh_expires_at": work.now + work.config.refresh_token_ttl_s if refresh else None,
        "issued_at": work.now,
    }
    work.store.insert("pairs", row)
    _tell(
        work,
        "refreshed" if parent else "issued" if refresh else "long-lived issued",
        access=fingerprint(access),
        refresh=fingerprint(refresh) if refresh else None,
        replaces=parent["refresh_digest"][:12] if parent else None,
        user_id=user_id,
    )
    return Pair(access, refresh, life_s)


def refresh(work: Work, token: str, client_id: str, api_domain: str) -> Pair:
    """The pair that replaces the one `token` belongs to.

    Strict: the old pair is dead when this returns. Grace: it lives until the new one is first used (sheet 3.4).
    """
    row = find_refresh(work, token)
    _presented(work, row)
    if work.config.refresh_mode == "strict":
        _kill(work, row, "spent")
    return issue(work, row["user_id"], client_id, api_domain, parent=row)


def find_refresh(work: Work, token: str) -> Row:
    """Find the live pair of a refresh token, without spending the token."""
    row = work.store.row("SELECT * FROM pairs WHERE refresh_digest = ?", [digest(token)])
    if row is None:
        raise Invalid("Cannot decrypt the refresh token", 401)
    if row["refresh_state"] != "live":
        raise Invalid("Token has been revoked", 401)
    if row["refresh_expires_at"] <= work.now:
        raise Invalid("Refresh token has expired", 401)  # U: only the word "Refresh" is known (sheet 3.5)
    return row


def present(work: Work, token: str) -> Holder | None:
    """Return the holder of a live access token. The first use of a pair ends the grace of the replaced pair."""
    row = work.store.row("SELECT * FROM pairs WHERE access_digest = ?", [digest(token)])
    if row is None or row["access_state"] != "live" or row["access_expires_at"] <= work.now:
        return None
    if row["user_id"] not in work.user_ids:
        return None  # the person was removed, and the tokens with them (sheet 3.4, D)
    _presented(work, row)
    return Holder(row["user_id"], json.loads(row["scopes"]))


def is_switched_off(work: Work, token: str) -> bool:
    """Whether a token would be good if its person had not been switched off (sheet 0, I)."""
    row = work.store.row("SELECT * FROM pairs WHERE access_digest = ?", [digest(token)])
    alive = row is not None and row["access_state"] == "live" and row["access_expires_at"] > work.now
    return row is not None and alive and row["user_id"] not in work.user_ids


def _presented(work: Work, row: Row) -> None:
    if row["presented"]:
        return
    work.store.update("pairs", {"presented": 1}, id=row["id"])
    parent = work.store.row("SELECT * FROM pairs WHERE id = ?", [row["parent_id"]]) if row["parent_id"] else None
    if parent and parent["refresh_state"] == "live":
        _kill(work, parent, "spent")


def _kill(work: Work, row: Row, state: str) -> None:
    """End a pair: a second worker that still holds a token of this pair gets 401 (sheet 4.3, L)."""
    access = {"access_state": state} if state == "revoked" or work.config.refresh_kills_access else {}
    work.store.update("pairs", {"refresh_state": state} | access, id=row["id"])
    _tell(work, state, access=row["access_digest"][:12], refresh=(row["refresh_digest"] or "")[:12] or None)


def revoke(work: Work, user_id: int | None = None) -> int:
    """Revoke the tokens of every user, or of one user; return how many pairs died."""
    sql = "SELECT * FROM pairs WHERE (refresh_state = 'live' OR access_state = 'live') AND ? IN (user_id, -1)"
    rows = work.store.rows(sql, [-1 if user_id is None else user_id])
    for row in rows:
        _kill(work, row, "revoked")
    return len(rows)


def expire(work: Work, *, access: bool, refresh_tokens: bool, codes: bool) -> int:
    """Let live codes and tokens run out at once, as if their time had passed; return how many, summed."""
    expired = 0
    for wanted, table, column in (
        (access, "pairs", "access_expires_at"),
        (refresh_tokens, "pairs", "refresh_expires_at"),
        (codes, "codes", "expires_at"),
    ):
        if wanted:
            sql = f"UPDATE {table} SET {column} = ? WHERE {column} > ?"  # noqa: S608 - the three names above
            expired += work.store.db.execute(sql, [work.now, work.now]).rowcount
    _tell(work, "expired", access=access, refresh=refresh_tokens, codes=codes, count=expired)
    return expired


def _tell(work: Work, event: str, **what: Any) -> None:
    work.token_events.append({"event": event, **what})
