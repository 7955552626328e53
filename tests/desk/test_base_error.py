"""The base error is the base: whatever the database does, a door of the desk raises `DeskError` or `StoreError` and nothing else."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta

import pytest

from crm.errors import DeskError
from desk.delivery import report
from desk.desk import Desk
from desk.exports.sheet import Wanted
from desk.intake import Form
from desk.intake.form_draft import FormDraft
from desk.lead import NewLead
from desk.listing import Filter, Sort
from desk.mirror import MirrorStatus
from desk.reports import Ask, periods
from desk.settings import load
from store import StoreError, engine
from store.tables import metadata
from tests.desk.calls.conftest import call
from tests.desk.web.conftest import NOWHERE

NOW = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
LEAD = NewLead("Иван Иванов", "+79991234567")
DRAFT_ID, LEAD_ID = "d" * 32, "1" * 32
FORM = Form("f" * 32, "Главная", "Сайт", (), "", 600, 0.0, True, NOW)
ASK = Ask(periods.between(date(2026, 3, 1), date(2026, 3, 8)), "day")
WANTED = Wanted(Filter(), Sort(), ("name", "phone"), "ru")
STATUS = MirrorStatus("following", NOW)

DOORS = {
    "listing.page": lambda desk: desk.listing.page(Filter(search="Иван"), Sort()),
    "listing.count": lambda desk: desk.listing.count(Filter()),
    "listing.arrived": lambda desk: desk.listing.arrived(Filter(), 1),
    "listing.rows": lambda desk: list(desk.listing.rows(Filter(), Sort())),
    "listing.card": lambda desk: desk.listing.card(1),
    "listing.choices": lambda desk: desk.listing.choices(),
    "listing.reference": lambda desk: desk.listing.reference(),
    "views.of": lambda desk: desk.views.of("Анна"),
    "views.get": lambda desk: desk.views.get("v"),
    "views.save": lambda desk: desk.views.save("Мои", {}, "Анна"),
    "views.rename": lambda desk: desk.views.rename("v", "Наши"),
    "views.share": lambda desk: desk.views.share("v", "Анна", shared=True),
    "views.delete": lambda desk: desk.views.delete("v"),
    "views.columns_of": lambda desk: desk.views.columns_of("Анна"),
    "views.keep_columns": lambda desk: desk.views.keep_columns("Анна", ["name"]),
    "reports.overview": lambda desk: desk.reports.overview(ASK, STATUS),
    "reports.waiting": lambda desk: desk.reports.waiting(ASK, STATUS, rule=None),
    "reports.pipelines": lambda desk: desk.reports.pipelines(),
    "reports.hours": lambda desk: desk.reports.hours(),
    "reports.set_hours": lambda desk: desk.reports.set_hours([(480, 1320)] * 7),
    "mirror.status": lambda desk: desk.mirror.status(),
    "mirror.version": lambda desk: desk.mirror.version(),
    "mirror.refresh": lambda desk: desk.mirror.refresh(),
    "mirror.recount": lambda desk: desk.mirror.recount(),
    "mirror.remap": lambda desk: desk.mirror.remap(),
    "mirror.keep": lambda desk: desk.mirror.keep([{"id": 1}], [{"id": 2}]),
    "outbox.accept": lambda desk: desk.outbox.accept(LEAD, "desk"),
    "outbox.progress": lambda desk: desk.outbox.progress(LEAD_ID),
    "outbox.exists": lambda desk: desk.outbox.exists(LEAD_ID, 1, "Анна"),
    "outbox.send_again": lambda desk: desk.outbox.send_again(LEAD_ID, "Анна"),
    "outbox.look_again": lambda desk: desk.outbox.look_again(LEAD_ID, "Анна"),
    "outbox.drop": lambda desk: desk.outbox.drop(LEAD_ID, "Анна"),
    "outbox.repair": lambda desk: desk.outbox.repair(LEAD_ID, LEAD, "Анна"),
    "outbox.replay": lambda desk: desk.outbox.replay("Анна"),
    "outbox.deliver_due": lambda desk: desk.outbox.deliver_due(),
    "report.story": lambda desk: report.story(desk.store, LEAD_ID),
    "report.entries": lambda desk: report.entries(desk.store, ["queued"], limit=5),
    "report.counts": lambda desk: report.counts(desk.store),
    "report.pause": lambda desk: report.pause(desk.store),
    "report.times": lambda desk: report.times(desk.store),
    "fields.mapping": lambda desk: desk.fields.mapping(),
    "fields.known": lambda desk: desk.fields.known(),
    "fields.seen_at": lambda desk: desk.fields.seen_at(),
    "fields.added": lambda desk: desk.fields.added(),
    "fields.choose": lambda desk: desk.fields.choose("direction", 5),
    "fields.choose a purpose that is none": lambda desk: desk.fields.choose("colour", 5),
    "fields.add": lambda desk: desk.fields.add("leads", 5, "Цель"),
    "fields.remove": lambda desk: desk.fields.remove("lead_5"),
    "fields.layout": lambda desk: desk.fields.layout(),
    "fields.marker_state": lambda desk: desk.fields.marker_state(),
    "phonebook.contact_of": lambda desk: desk.phonebook.contact_of("+79991234567"),
    "phonebook.learn": lambda desk: desk.phonebook.learn([{"id": 1}], 5),
    "calls.look": lambda desk: desk.calls.look("8 999 123-45-67"),
    "calls.save": lambda desk: desk.calls.save(DRAFT_ID, call(NOW), "Анна"),
    "calls.saved_as": lambda desk: desk.calls.saved_as(DRAFT_ID),
    "calls.undo": lambda desk: desk.calls.undo(LEAD_ID),
    "calls.last_source": lambda desk: desk.calls.last_source("Анна"),
    "calls.waiting": lambda desk: desk.calls.waiting("Анна"),
    "calls.late": lambda desk: desk.calls.late("Анна"),
    "calls.done": lambda desk: desk.calls.done(LEAD_ID, "Анна"),
    "calls.today": lambda desk: desk.calls.today("Анна"),
    "calls.figures": lambda desk: desk.calls.figures(timedelta(days=7)),
    "calls.texts.newest": lambda desk: desk.calls.texts.newest("script"),
    "calls.texts.write": lambda desk: desk.calls.texts.write("script", "Здравствуйте", "Анна"),
    "drafts.keep": lambda desk: desk.calls.drafts.keep(DRAFT_ID, "Анна", {"name": "Иван"}),
    "drafts.get": lambda desk: desk.calls.drafts.get(DRAFT_ID),
    "drafts.open_of": lambda desk: desk.calls.drafts.open_of("Анна"),
    "drafts.begin_called": lambda desk: desk.calls.drafts.begin_called("Анна", {"phone": "1"}),
    "drafts.drop": lambda desk: desk.calls.drafts.drop(DRAFT_ID),
    "intake.take": lambda desk: desk.intake.take(FORM, {"name": "Иван", "phone": "89991234567"}),
    "intake.refuse": lambda desk: desk.intake.refuse(FORM, {"name": "Иван"}, "form_paused"),
    "intake.try_out": lambda desk: desk.intake.try_out(FORM.id, name="Проба", message="Проба"),
    "intake.progress": lambda desk: desk.intake.progress(LEAD_ID),
    "intake.room_used": lambda desk: desk.intake.room_used(FORM.id),
    "intake.log.page": lambda desk: desk.intake.log.page(),
    "intake.log.one": lambda desk: desk.intake.log.one(LEAD_ID),
    "intake.log.tallies": lambda desk: desk.intake.log.tallies(),
    "intake.seen.of": lambda desk: desk.intake.seen.of(FORM.id),
    "forms.all": lambda desk: desk.intake.forms.all(),
    "forms.of": lambda desk: desk.intake.forms.of(FORM.id),
    "forms.add": lambda desk: desk.intake.forms.add(FormDraft("Главная")),
    "forms.change": lambda desk: desk.intake.forms.change(FORM.id, FormDraft("Другая")),
    "forms.keyholder": lambda desk: desk.intake.forms.keyholder("key"),
    "forms.new_key": lambda desk: desk.intake.forms.new_key(FORM.id),
    "forms.revoke": lambda desk: desk.intake.forms.revoke(1),
    "exports.ask": lambda desk: desk.exports.ask("csv", WANTED, "Анна"),
    "exports.ask a kind that is none": lambda desk: desk.exports.ask("pdf", WANTED, "Анна"),
    "exports.get": lambda desk: desk.exports.get("e"),
    "exports.by_ids": lambda desk: desk.exports.by_ids(["e"]),
    "exports.cancel": lambda desk: desk.exports.cancel("e"),
    "exports.prune": lambda desk: desk.exports.prune(),
    "connection.status": lambda desk: desk.connection.status(),
    "connection.begin": lambda desk: desk.connection.begin(),
    "connection.finish": lambda desk: desk.connection.finish(code="c", state="s", referer="fit.amocrm.ru"),
    "connection.timeline": lambda desk: desk.connection.timeline(),
    "connection.disconnect": lambda desk: desk.connection.disconnect(),
    "webhooks.is_open": lambda desk: desk.webhooks.is_open("secret"),
    "webhooks.receive": lambda desk: desk.webhooks.receive(b"leads[add][0][id]=1"),
    "webhooks.taken": lambda desk: desk.webhooks.taken().__enter__(),
    "webhooks.report": lambda desk: desk.webhooks.report(),
    "webhooks.rotate": lambda desk: desk.webhooks.rotate(),
    "journal.recent": lambda desk: desk.journal.recent(),
    "rounds.all": lambda desk: desk.rounds.all(),
    "store.recall": lambda desk: desk.store.recall("account"),
}
"""Every door that a page or a route opens and that reads or writes the database."""


def drop_tables(desk: Desk) -> None:
    """As of a database that somebody has emptied: every statement fails, at once."""
    with desk.store.write() as db:
        metadata.drop_all(db)


def spoil_file(desk: Desk, path) -> None:
    """As of a disk that has written something else into the file: no connection can be opened."""
    desk.store.close()
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.write_text("Dear sir or madam, " * 300)


@pytest.fixture(params=["no tables", "no database"])
def broken(request, store_url, tmp_path):
    """A desk whose database broke while it ran."""
    if request.param == "no database" and not store_url.startswith("sqlite"):
        pytest.skip("PostgreSQL keeps its files to itself")
    desk = Desk(load(NOWHERE | {"DATABASE_URL": store_url}, tmp_path))
    if request.param == "no tables":
        drop_tables(desk)
    else:
        spoil_file(desk, tmp_path / "desk.db")
    yield desk
    desk.close()


def test_nothing_but_our_own_errors_leaves_the_desk(broken):
    """Each door of a desk whose database broke raises `DeskError` or `StoreError`; not SQLAlchemy's error, not `ValueError`."""
    strange = {}
    for name, door in DOORS.items():
        try:
            door(broken)
        except (DeskError, StoreError):
            continue
        except Exception as error:
            strange[name] = f"{type(error).__name__}: {error}"
    assert strange == {}


def test_every_door_opens_on_a_sound_database(tmp_path):
    """The test of the test: on a sound database each door returns or raises `DeskError`; so each is called as it has to be."""
    desk = Desk(load(NOWHERE, tmp_path))
    try:
        for door in DOORS.values():
            try:
                door(desk)
            except DeskError:
                continue
    finally:
        desk.close()


def test_a_call_that_another_tab_saves_in_the_same_moment(store_url, tmp_path, monkeypatch):
    """A draft saved by somebody else between the look and the write is one call; the database's refusal reaches nobody."""
    desk = Desk(load(NOWHERE | {"DATABASE_URL": store_url}, tmp_path))
    try:
        desk.calls.drafts.keep(DRAFT_ID, "Анна", {"name": "Вера"})
        first = desk.calls.save(DRAFT_ID, call(NOW), "Анна")
        looks = iter([None])
        saved_as = desk.calls.saved_as
        monkeypatch.setattr(desk.calls, "saved_as", lambda draft_id: next(looks, saved_as(draft_id)))
        second = desk.calls.save(DRAFT_ID, call(NOW), "Анна")
        assert (second.lead_id, second.is_first) == (first.lead_id, False)
    finally:
        desk.close()


def test_a_damaged_file_is_told_by_a_write_that_begins(sqlite_store, monkeypatch):
    """SQLite's own error while a write takes its lock leaves as `StoreError`, whichever kind of error SQLite chose."""

    def damaged(*_args):
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(engine, "_patiently", damaged)
    with pytest.raises(StoreError) as raised, sqlite_store.write():
        pass
    assert raised.value.code == "database_unreachable"
