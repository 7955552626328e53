"""The card of the desk's own copy: as of when it is true, AmoCRM's own count beside ours, and counting by a press."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.crm.mirror.conftest import fill
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
    assert "числа совпали" in shown(open_page("connection"))


def test_nothing_read_yet(desk, open_page):
    """While there is no copy there is nothing to count."""
    text = shown(open_page("connection"))
    assert "Лиды из AmoCRM ещё не прочитаны" in text
    assert "Лидов в AmoCRM" not in text
