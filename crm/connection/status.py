"""The whole story of the connection, from the database alone: for the page, for programs, for the sidebar.

Holds no secret: tokens appear as fingerprints.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crm import oauth
from crm.config import Config
from crm.connection import decisions
from crm.connection.grant import LONG_LIVED, Grant
from crm.vault import fingerprint

NOT_CONNECTED = "not_connected"
BROKEN = "broken"
WORKING = ("connected", "failing", "exhausted")
"""States in which AmoCRM can be used now."""


@dataclass(frozen=True, slots=True)
class Status:
    """The connection as people and programs may see it."""

    state: str  # "not_connected", "connected", "failing", "exhausted", "switched_off", "broken"
    mode: str = "oauth"  # or "long_lived"
    usable: bool = False  # the access token works now
    trouble: str | None = None
    account_id: int | None = None
    account_url: str | None = None
    account_name: str | None = None
    subdomain: str | None = None
    connected_by: str | None = None
    connected_at: datetime | None = None
    expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    attempted_at: datetime | None = None
    attempt_result: str | None = None
    next_attempt_at: datetime | None = None
    failures: int = 0
    unsure_since: datetime | None = None
    clock_skew_s: float | None = None
    moved: bool = False  # the account lives at another address than the settings say

    @property
    def connected(self) -> bool:
        return self.usable and self.state in WORKING


def read(grant: Grant, config: Config, now: datetime) -> Status:
    """The status now. No request."""
    token = config.access_token
    if token is not None:
        return _long_lived(grant.row(LONG_LIVED), config, token.reveal(), now)
    row = grant.row()
    if row is None:
        return Status(NOT_CONNECTED)
    usable = decisions.is_usable(row["issued_at"], row["expires_at"], now)
    trouble = grant.trouble_of(row)
    return Status(
        state=decisions.state_of(trouble=trouble, usable=usable, failures=row["failures"]),
        usable=usable or (trouble is None and row["failures"] == 0),  # one that ran out is renewed when it is needed
        trouble=trouble,
        next_attempt_at=_next(row, trouble),
        moved=row["account_url"] != row["configured_url"],
        **{name: row[name] for name in _FROM_ROW},
    )


_FROM_ROW = (
    "account_id", "account_url", "account_name", "subdomain", "connected_by", "connected_at", "expires_at", "refreshed_at",
    "attempted_at", "attempt_result", "failures", "unsure_since", "clock_skew_s",
)  # fmt: skip


def _next(row: sa.RowMapping, trouble: str | None) -> datetime | None:
    """Return the time of the next automatic step; None if a person has to act first."""
    if trouble is not None:
        return None
    return row["next_attempt_at"] or decisions.due_at(row["issued_at"], row["expires_at"], row["access_print"])


def _long_lived(row: sa.RowMapping | None, config: Config, token: str, now: datetime) -> Status:
    known: dict[str, Any] = dict(row) if row is not None and row["access_print"] == fingerprint(token) else {}
    expires_at = oauth.expiry_of(token)
    trouble = known.get("trouble")
    if expires_at is not None and expires_at <= now:
        trouble = "long_lived_expired"
    return Status(
        state=BROKEN if trouble else "connected",
        mode="long_lived",
        usable=trouble is None,
        trouble=trouble,
        account_id=known.get("account_id"),
        account_url=config.api_url,
        account_name=known.get("account_name"),
        subdomain=known.get("subdomain") or config.subdomain,
        connected_by=known.get("connected_by"),
        connected_at=known.get("connected_at"),
        next_attempt_at=known.get("next_attempt_at") if trouble == known.get("trouble") else None,
        expires_at=expires_at,
        clock_skew_s=known.get("clock_skew_s"),
    )
