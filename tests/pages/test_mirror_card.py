"""The card of the desk's own copy: as of when it is true, AmoCRM's own count beside ours, and counting by a press."""

from __future__ import annotations

from datetime import UTC, datetime

from crm.errors import BrokenWord
from tests.desk.mirror.conftest import fill, settle
from tests.pages.conftest import shown


def test_both_counts_are_shown(desk, box, open_page):
    """Before the first night nothing has been counted; after it both numbers stand there, and what was mended."""
    fill(desk)
    text = shown(open_page("connection"))
    assert "Сверки с AmoCRM ещё не было" in text or "числа совпали" in text
    desk.mirror.walks.end(
        "count", as_of=datetime.now(UTC), cursor={"theirs": 1402, "ours": 1399, "mended": 3}, next_in_s=1e6
    )
    text = shown(open_page("connection"))
    assert "числа разошлись" in text
    for told in ("Лидов в AmoCRM", "1\u202f402", "1\u202f399", "Исправлено"):
        assert told in text


def test_counting_by_a_press(desk, open_page):
    """One press: the keeper counts, and the card says that the numbers are the same."""
    fill(desk)
    app = open_page("connection")
    app.button(key="connection.mirror_count").click().run()
    assert "сверяет числа" in app.success[0].value
    desk.mirror.look_after()
    text = shown(open_page("connection"))
    assert "числа совпали" in text
    assert "Идёт сверка каждого лида" in text
    settle(desk)
    assert "Каждый лид и контакт сверен с AmoCRM" in shown(open_page("connection"))


def test_nothing_read_yet(desk, open_page):
    """While there is no copy there is nothing to count."""
    text = shown(open_page("connection"))
    assert "Лиды из AmoCRM ещё не прочитаны" in text
    assert "Лидов в AmoCRM" not in text


def test_a_clock_that_was_moved_is_told(desk, open_page):
    """Which clock, by how much, and that what changed meanwhile has been read again, or is still to be."""
    fill(desk)
    desk.mirror.clocks.jumps.note([("machine", -10_800.0)])
    text = shown(open_page("connection"))
    assert "Часы компьютера, на котором работает стол, переведены" in text
    assert "3 часа" in text
    assert "будут прочитаны заново" in text
    assert "насколько данные свежие, неизвестно" in text
    for _ in range(2):
        desk.mirror.look_after()
    text = shown(open_page("connection"))
    assert "прочитаны заново." in text
    assert "неизвестно" not in text


def test_people_who_are_missing_are_counted(desk, box, open_page):
    """Contacts AmoCRM does not bring: how many, and why; small pages are told as well."""
    fill(desk)
    desk.mirror.look_after()
    with desk.store.write() as db:
        desk.mirror.walks.want_contacts(db, range(1, 6))
    desk.mirror.walks.fail("contacts", BrokenWord("server_error", status=504))
    desk.client.sizes.worked("leads.list", 50)
    text = shown(open_page("connection"))
    assert "имён и телефонов 5 контактов" in text
    assert "по 50 записей" in text
