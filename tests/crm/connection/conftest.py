"""Desks on either database with the sandbox for their AmoCRM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desk.connection import Connection
from desk.desk import Desk, vault_of
from sandbox.process import Sandbox
from tests.support.desks import KEY, desk_for


@pytest.fixture
def desk(box: Sandbox, store_url: str, tmp_path: Path) -> Iterator[Desk]:
    """A connected desk, once on SQLite and once on PostgreSQL."""
    with desk_for(box, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY, AMOCRM_MAX_RPS="7") as opened:
        yield opened


@pytest.fixture
def at() -> Callable[..., Connection]:
    """The connection of a desk at another time, or watched."""

    def make(
        desk: Desk, moment: datetime | None = None, watch: Callable[[str], object] = lambda step: None
    ) -> Connection:
        return Connection(
            desk.store,
            vault_of(desk.settings),
            desk.door,
            desk.journal,
            desk.settings.amocrm,
            clock=lambda: moment or datetime.now(UTC),
            on_step=watch,
        )

    return make


def token_calls(box: Sandbox, since: int) -> list[dict]:
    """The token endpoint's requests."""
    return [entry for entry in box.ledger("request", since=since) if entry["path"] == "/oauth2/access_token"]


def spent_twice(box: Sandbox) -> list[str]:
    """Fingerprints of refresh tokens that arrived again after they had been spent."""
    return [event["refresh"] for event in box.ledger("token") if event["event"] == "reused"]
