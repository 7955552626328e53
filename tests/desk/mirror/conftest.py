"""Desks whose mirror is kept by the test, and AmoCRM's truth to compare it with."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence

import pytest
import sqlalchemy as sa

from desk.desk import Desk
from desk.mirror import follow
from sandbox.process import Sandbox, running_sandbox
from store.tables import leads, mirror_walks
from tests.support.desks import KEY, desk_for
from tests.support.programs import until


@pytest.fixture(scope="session")
def big_box() -> Iterator[Sandbox]:
    """More than one page of everything."""
    with running_sandbox(leads=900, rps=1000) as running:
        yield running


LATER = 32_503_680_000.0
"""A time that does not come while a test runs."""


@pytest.fixture(autouse=True)
def _history_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """A year's stage changes in one reading: what is asked of AmoCRM afterwards is only what the test is about."""
    monkeypatch.setattr(follow, "HISTORY_SLICE", follow.HISTORY_REACH)


@pytest.fixture
def box(big_box: Sandbox) -> Sandbox:
    big_box.reset(leads=900)
    big_box.config(refresh_mode="grace")
    return big_box


@pytest.fixture
def desk(box: Sandbox, store_url: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A connected desk, once on SQLite and once on PostgreSQL; nothing is read yet."""
    with desk_for(box, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as opened:
        unpace(opened, monkeypatch)
        yield opened


@pytest.fixture(scope="session")
def small_box() -> Iterator[Sandbox]:
    """A club of one page, for what does not depend on pages."""
    with running_sandbox(leads=60, rps=1000) as running:
        yield running


@pytest.fixture
def few(small_box: Sandbox) -> Sandbox:
    """That club as new."""
    small_box.reset(leads=60)
    small_box.config(refresh_mode="grace", access_token_ttl_s=10**9)
    return small_box


@pytest.fixture
def small(few: Sandbox, store_url: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A connected desk with that club, filled; on both databases."""
    with desk_for(few, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as opened:
        unpace(opened, monkeypatch)
        fill(opened)
        round_of(opened)
        yield opened


def hinted(desk: Desk, *, leads: Sequence[int] = (), contacts: Sequence[int] = ()) -> None:
    """Somebody hints at these, and the keeper looks."""
    desk.mirror.hint(leads=leads, contacts=contacts)
    desk.mirror.look_after()


def settle(desk: Desk, looks: int = 60) -> None:
    """As many looks of the keeper as the nightly round takes to its end."""
    for _ in range(looks):
        desk.mirror.look_after()
        if desk.mirror.status().comparing is None:
            return
    raise AssertionError("the nightly round does not end")


def differences(desk: Desk, box: Sandbox) -> dict[int, object]:
    """Leads that are not as AmoCRM has them."""
    here, there = mirror(desk), truth(box)
    found: dict[int, object] = {}
    for lead_id in here.keys() | there.keys():
        mine, theirs = here.get(lead_id), there.get(lead_id)
        if mine != theirs:
            found[lead_id] = (
                {key: (mine[key], theirs[key]) for key in mine if mine[key] != theirs[key]}
                if mine and theirs
                else ("only here" if mine else "only there")
            )
    return found


def unpace(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pace, which is proved elsewhere: what is read is the same, only sooner."""
    monkeypatch.setattr(desk.limiter, "wait_turn", lambda *, live: time.monotonic())


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """The same, filled."""
    fill(desk)
    return desk


def fill(desk: Desk) -> None:
    """The first reading, to its end. A machine that stands still may cost it a transaction, and the next round goes on."""

    def is_over():
        desk.mirror.look_after()
        status = desk.mirror.status()
        assert status.reason in (None, "database_failed")
        return status.state in ("following", "stale")

    until(is_over, "the first reading")


def round_of(desk: Desk, *names: str) -> None:
    """One round of everything but what is done once a day, or of some readings, whatever the clock says."""
    others = mirror_walks.c.name.not_in(("count", "night"))
    wanted = mirror_walks.c.name.in_(names) if names else others
    with desk.store.write() as db:
        db.execute(mirror_walks.update().where(others).values(due_at=LATER, waits_from=0.0))
        db.execute(mirror_walks.update().where(wanted).values(due_at=0.0))
    desk.mirror.look_after()


def mirror(desk: Desk) -> dict[int, dict]:
    """What the mirror holds, the bin not counted, in a form that can be compared."""
    with desk.store.read() as db:
        rows = db.execute(sa.select(leads).where(leads.c.is_deleted.is_(False))).mappings().all()
    return {
        row["id"]: {
            "name": row["name"], "price": row["price_kop"] / 100, "pipeline": row["pipeline_id"], "status": row["status_id"],
            "responsible": row["responsible_user_id"], "created": row["created_at"], "updated": row["updated_at"],
            "closed": row["closed_at"], "loss": row["loss_reason_id"], "direction": row["direction"], "source": row["source"],
            "contact": row["contact_name"], "contact_id": row["contact_id"], "phones": sorted(row["phones"].split()),
            "custom": {field: texts for field, texts in json.loads(row["custom"]).items() if texts},
        }
        for row in rows
    }  # fmt: skip


def truth(box: Sandbox) -> dict[int, dict]:
    """What AmoCRM holds, computed from the sandbox's own rows and not through the desk's code."""
    from desk.phones import normalise

    contacts = {row["id"]: row for row in box.entities("contacts") if not row["is_deleted"]}
    enums = {choice["id"]: choice["value"] for row in box.entities("custom_fields") for choice in row["enums"] or ()}
    mains: dict[int, tuple[bool, int]] = {}
    for link in reversed(box.entities("links")):
        if link["from_type"] == "leads" and link["to_type"] == "contacts":
            before = mains.get(link["from_id"])
            if before is None or (link["is_main"] and not before[0]):
                mains[link["from_id"]] = (bool(link["is_main"]), link["to_id"])
    found = {}
    for row in box.entities("leads"):
        if row["is_deleted"]:
            continue
        custom = {
            field: [str(value.get("value") or enums[value["enum_id"]]) for value in values]
            for field, values in (row["custom_fields"] or {}).items()
        }
        main = mains.get(row["id"], (False, None))[1]
        contact = contacts.get(main)
        spelled = [
            value["value"] for value in ((contact or {}).get("custom_fields") or {}).get("264911", [])
        ] + custom.get("264911", [])[:1]
        found[row["id"]] = {
            "name": row["name"], "price": row["price"] or 0, "pipeline": row["pipeline_id"], "status": row["status_id"],
            "responsible": row["responsible_user_id"], "created": row["created_at"], "updated": row["updated_at"],
            "closed": row["closed_at"], "loss": row["loss_reason_id"],
            "direction": custom.get("264913", [""])[0], "source": custom.get("264915", [""])[0],
            "contact": contact["name"] if contact else "", "contact_id": main,
            "phones": sorted({(normalise(text) or text.strip()).split()[0] for text in spelled if text.strip()}),
            "custom": custom,
        }  # fmt: skip
    return found
