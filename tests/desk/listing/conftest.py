"""A small club in the mirror, and the same rows as plain dictionaries to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from benchmarks.big_mirror import fill
from desk.listing import Listing
from store import Store
from store.tables import leads
from tests.support import postgres

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Moscow")

ODD = {
    # Several phones, an extension, ё, a name that is markup, percent signs, an empty source; in the bin; nobody's.
    "two phones": {"contact_name": "Алёна Ёжикова", "contact_search": "алена ежикова", "phone": "+79161112233",
                   "phones": " +79161112233 +79035556677;ext=12"},
    "markup": {"name": "<b>100%_скидка</b>", "search": "<b>100%_скидка</b> 2", "contact_name": "", "contact_search": ""},
    "no phone": {"phone": "", "phones": "", "source": "", "direction": "", "responsible_user_id": 0},
    "odd phone": {"phone": "спросить у мамы", "phones": " спросить у мамы"},
    "a digit missing": {"phone": "8 916 700-16-0", "phones": " 8 916 700-16-0\n 8916700160 7916700160"},
    "in the bin": {"is_deleted": True},
    "no stage we know": {"pipeline_id": 1, "status_id": 2},
}  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def club(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Six hundred leads of two years, some of them odd; nobody changes them."""
    if request.param == "sqlite":
        store = Store(f"sqlite:///{tmp_path_factory.mktemp('club')}/desk.db")
    else:
        server: postgres.Server = request.getfixturevalue("postgres_server")
        store = Store(server.new_database())
    store.upgrade()
    fill(store, leads=600, contacts=400, now=NOW.timestamp())
    with store.write() as db:
        ids = list(db.scalars(sa.select(leads.c.id).order_by(leads.c.id.desc()).limit(len(ODD))))
        for lead_id, values in zip(ids, ODD.values(), strict=True):
            db.execute(leads.update().where(leads.c.id == lead_id).values(**values))
    yield store
    store.close()


@pytest.fixture(scope="module")
def rows(club: Store) -> list[dict]:
    """Every lead of the mirror."""
    with club.read() as db:
        return [dict(row) for row in db.execute(sa.select(leads)).mappings()]


@pytest.fixture(scope="module")
def listing(club: Store) -> Listing:
    return Listing(club, ZONE, lambda: NOW)
