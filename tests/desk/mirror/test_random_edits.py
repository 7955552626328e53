"""Whatever people edit in AmoCRM, and however it tells of that: what the desk shows equals AmoCRM's rows after the next round.

`tests.support.truth` computes what is right from the sandbox's own rows and with nothing of the desk's. Notes are edited too, and are
not compared: no screen shows them from the copy; the card at `/new` asks AmoCRM for the newest one. A short run is in
`make test`; `DESK_SOAK=1` makes it long.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from desk import phones
from desk.desk import Desk
from desk.exports.sheet import Sheet
from desk.listing import Filter, Sort
from desk.listing.filters import COLUMNS
from desk.reports.periods import between, end, start, unit_of
from desk.reports.reports import Ask
from desk.words import words
from sandbox.process import Sandbox, running_sandbox
from store import clock
from tests.desk.mirror.conftest import fill, round_of, settle, unpace
from tests.desk.webhooks.conftest import called
from tests.support.desks import KEY, desk_for
from tests.support.edits import TELLING, Edits
from tests.support.programs import until
from tests.support.truth import Lead, Truth, ten

IS_LONG = bool(os.environ.get("DESK_SOAK"))
SEEDS = range(40) if IS_LONG else (1,)
ROUNDS, EDITS = (6, 60) if IS_LONG else (2, 40)

MOVES_NO_TIME = {
    "dated back", "import", "link", "another main contact", "unlink", "task erased", "leads merged", "contacts merged",
    "contact into the bin", "contact restored", "lead restored",
}  # fmt: skip
"""Edits after which something changes whose `updated_at` does not, or goes back: without a hook the night finds them."""


SILENT = {"link", "another main contact", "unlink", "leads merged", "contacts merged"}
"""Edits of which AmoCRM tells nobody that a contact or a task is another lead's now."""


@pytest.fixture(scope="module")
def process() -> Iterator[Sandbox]:
    with running_sandbox(leads=0, rps=1_000_000) as running:
        yield running


@pytest.fixture
def club(process: Sandbox) -> Sandbox:
    process.clear_faults()
    process.reset(leads=25, seed=5)
    process.config(rps=1_000_000, refresh_mode="grace", access_token_ttl_s=10**9, minor_units="price")
    return process


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(64)
        yield bound


@pytest.fixture
def opened(club: Sandbox, store_url: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with desk_for(club, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY) as desk:
        unpace(desk, monkeypatch)
        fill(desk)
        round_of(desk)
        round_of(desk)
        yield desk


def night(desk: Desk) -> None:
    desk.mirror.recount()
    desk.mirror.look_after()
    settle(desk)


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_round(club: Sandbox, opened: Desk, seed: int) -> None:
    """Without a single hook: what moves a time is here after one round."""
    edits = Edits(club, seed, without=MOVES_NO_TIME)
    for _ in range(ROUNDS):
        edits.run(EDITS)
        round_of(opened)
        assert_equal(opened, Truth(club), edits)


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_night(club: Sandbox, opened: Desk, seed: int) -> None:
    """Without a single hook: whatever was done is here after a nightly round."""
    edits = Edits(club, 1000 + seed)
    for _ in range(ROUNDS):
        edits.run(EDITS)
        round_of(opened)
        night(opened)
        round_of(opened)
        assert_equal(opened, Truth(club), edits)


@pytest.mark.parametrize("how", sorted(TELLING))
def test_with_hooks(club: Sandbox, listener: socket.socket, store_url, tmp_path, monkeypatch, how: str) -> None:
    """However AmoCRM's hooks come, a round makes good what they did not tell, and a night what no round sees."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with desk_for(club, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY, BASE_URL=url) as desk:
        unpace(desk, monkeypatch)
        fill(desk)
        round_of(desk)
        round_of(desk)
        desk.webhooks.keep()
        club.config(hook_time_scale=0.001)
        with called(desk, listener):
            for seed in SEEDS:
                edits = Edits(club, 2000 + seed, without=SILENT if how == "told" else ())
                edits.telling(how)
                edits.run(EDITS)
                until(lambda: not club.count("deliveries"), "the last hook")
                round_of(desk)
                if how != "told":
                    night(desk)
                round_of(desk)
                assert_equal(desk, Truth(club), edits)


def assert_equal(desk: Desk, truth: Truth, edits: Edits) -> None:
    """List, search, look-up, card, overview and file against the truth."""
    listed = truth.listed()
    page = desk.listing.page(Filter(), Sort(), limit=5000)
    assert [row.id for row in page.rows] == [lead.id for lead in listed], edits
    for row, lead in zip(page.rows, listed, strict=True):
        assert shown(row) == expected(lead), (lead, str(edits))
        assert_card(desk, lead, edits)
    assert_found(desk, truth, edits)
    assert_attention(desk, truth, edits)
    assert_stages(desk, truth, edits)
    assert_overview(desk, truth, edits)
    assert_file(desk, listed, edits)


def shown(row) -> dict:
    return {
        "name": row.shown_name, "kopecks": row.price_kop, "stage": (row.pipeline_id, row.status_id),
        "responsible": row.responsible_user_id, "created": row.created_at, "updated": row.updated_at,
        "closed": row.closed_at, "task": row.closest_task_at, "loss": row.loss_reason_id,
        "direction": row.direction.strip(), "source": row.source.strip(),
        "numbers": {ten(phone) for phone in row.phones.split(" ") if phone},
    }  # fmt: skip


def expected(lead: Lead) -> dict:
    return {
        "name": lead.shown_name, "kopecks": lead.kopecks, "stage": (lead.pipeline_id, lead.status_id),
        "responsible": lead.responsible_user_id, "created": lead.created_at, "updated": lead.updated_at,
        "closed": lead.closed_at, "task": lead.tasks[0] if lead.tasks else None, "loss": lead.loss_reason_id,
        "direction": lead.direction.strip(), "source": lead.source.strip(), "numbers": set(lead.numbers),
    }  # fmt: skip


def assert_card(desk: Desk, lead: Lead, edits: Edits) -> None:
    card = desk.listing.card(lead.id)
    assert card is not None
    people = [(one.contact_id, one.name) for one in card.others]
    assert people == [(one.id, one.name) for one in lead.people[1:]], (lead, str(edits))
    assert (card.contact_name, card.price_kop) == (lead.main.name if lead.main else "", lead.kopecks), (
        lead,
        str(edits),
    )
    own = {ten(lead.own_phone)} - {""}
    assert {ten(phone) for phone in card.phones} == own | set(lead.main.numbers if lead.main else ()), (
        lead,
        str(edits),
    )
    for person, one in zip(card.others, lead.people[1:], strict=True):
        assert {ten(phone) for phone in person.phones} == one.numbers, (lead, str(edits))


def assert_found(desk: Desk, truth: Truth, edits: Edits) -> None:
    """By every contact's number and name; the look-up of a call as well."""
    random = Random(len(edits.done))
    everybody = [(lead, one) for lead in truth.listed() for one in lead.people]
    for lead, person in random.sample(everybody, min(12, len(everybody))):
        for phone in person.phones:
            found = desk.listing.page(Filter(search=phone), Sort(), limit=5000).rows
            assert [row.id for row in found] == [one.id for one in truth.with_phone(phone)], (phone, str(edits))
            if (whole := phones.normalise(phone)) is not None:
                told = {one.id for known in desk.calls.look(whole).exact for one in known.leads}
                assert len(told) >= 8 or lead.id in told, (lead, phone, str(edits))
        if person.name:
            found = desk.listing.page(Filter(search=person.name), Sort(), limit=5000).rows
            assert [row.id for row in found] == [one.id for one in truth.with_words(person.name)], (person, str(edits))


def assert_attention(desk: Desk, truth: Truth, edits: Edits) -> None:
    now = clock.now()
    reasons = truth.attention(now.timestamp() // 60 * 60)
    for kind in ("overdue", "no_task", "untouched", "no_phone", "nobody", "no_source"):
        assert desk.listing.count(Filter(attention=(kind,))) == reasons[kind], (kind, str(edits))


def assert_stages(desk: Desk, truth: Truth, edits: Edits) -> None:
    here = Counter((row.pipeline_id, row.status_id) for row in desk.listing.page(Filter(), Sort(), limit=5000).rows)
    assert here == truth.stages(), edits
    for stage, count in truth.stages().items():
        assert desk.listing.count(Filter(stage=(stage,))) == count, (stage, str(edits))


def assert_overview(desk: Desk, truth: Truth, edits: Edits) -> None:
    """The last ninety days to the end of today: created, by source, won and lost."""
    zone = desk.settings.zone
    today = clock.now(zone).date()
    period = between(today - timedelta(days=89), today)
    told = desk.reports.overview(Ask(period, unit_of(period)), desk.mirror.status())
    since, until_s = start(period.since, zone), end(period.until, zone)
    created = truth.created(since, until_s)
    assert told.leads == len(created), edits
    for by in ("source", "direction"):
        here = {one.name: (one.count, one.won) for one in told.splits[by] if one.count}
        assert here == truth.split(by, created), (by, str(edits))
    for status_id, (count, _) in ((142, told.won), (143, told.lost)):
        assert count == len(truth.closed(status_id, since, until_s)), (status_id, str(edits))


def assert_file(desk: Desk, listed: list[Lead], edits: Edits) -> None:
    sheet = Sheet(COLUMNS, desk.listing.reference(), words("ru"), desk.settings.zone, str)
    rows = [sheet.cells(row) for chunk in desk.listing.rows(Filter(), Sort()) for row in chunk]
    at = {name: place for place, name in enumerate(sheet.columns)}
    assert [row[at["id"]] for row in rows] == [lead.id for lead in listed], edits
    for row, lead in zip(rows, listed, strict=True):
        assert Decimal(row[at["price_rub"]]) * 100 == lead.kopecks, (lead, str(edits))
        told = {ten(phone) for phone in str(row[at["phone"]]).split(", ")} - {""}
        assert told == set(lead.numbers), (lead, row[at["phone"]], str(edits))
