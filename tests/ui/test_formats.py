"""How things are shown: every function of `ui.frame.formats`, in both languages."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from store import clock
from ui.frame import formats

CLUB = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)  # 15:00 in the club
AT = datetime(2026, 11, 23, 11, 5, 7, tzinfo=UTC)

THIN, FIXED, JOINER = "\u202f", "\u00a0", formats.JOINER


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("moment", (None, "ru", CLUB), "—"), ("moment", (AT, "ru", CLUB), "23 ноября, 14:05"),
        ("moment", (AT, "en", CLUB), "November 23, 14:05"), ("moment", (AT.replace(year=2025), "ru", CLUB), "23 ноября 2025, 14:05"),
        ("moment", (datetime(2026, 11, 23, 22, tzinfo=UTC), "ru", CLUB), "24 ноября, 01:00"),
        ("time_of_day", (NOW, "ru", CLUB), "15:00:00"), ("time_of_day", (AT, "ru", CLUB), "23 ноября, 14:05:07"),
        ("ago", (NOW - timedelta(minutes=5), "ru", NOW), "5 минут назад"), ("ago", (NOW + timedelta(hours=2), "en", NOW), "in 2 hours"),
        ("ago", (NOW - timedelta(minutes=5), "ru"), "5 минут назад"),
        ("lasting", (timedelta(hours=23), "ru"), "23 часа"), ("lasting", (timedelta(days=3), "en"), "3 days"),
        ("countdown", (timedelta(hours=23, minutes=59, seconds=8.9),), "23:59:08"), ("countdown", (timedelta(seconds=-5),), "0:00:00"),
        ("countdown", (timedelta(days=2),), "48:00:00"),
        ("number", (1402, "ru"), f"1{THIN}402"), ("number", (1402, "en"), "1,402"), ("number", (0, "ru"), "0"),
        ("rubles", (199900, "ru"), f"1{FIXED}999 ₽"), ("rubles", (199990, "ru"), f"1{FIXED}999,90 ₽"),
        ("rubles", (5, "ru"), "0,05 ₽"),
        ("seconds", (0.84, "ru"), "0,8"), ("seconds", (12.0, "en"), "12.0"),
        ("masked", ("+79991234567",), "+7 999 ***-**-67"), ("masked", ("8 (999) 123-45-67",), "+7 999 ***-**-67"),
        ("masked", ("+380445370222",), "+380 4* *** **22"), ("masked", ("8 999",), "* *99"), ("masked", ("восемь",), "****мь"),
        ("masked", ("",), ""), ("masked", ("12",), "12"), ("masked", ("x" * 100,), "*" * 22 + "xx"),
        ("plain", ("Вера",), "Вера"), ("plain", ("*a* [b](c)",), r"\*a\* &#91;b&#93;\(c\)"), ("plain", ("a\n  b",), "a b"),
        ("plain", ("www.fit.ru",), rf"www{JOINER}\.fit\.ru"), ("plain", (":smile:",), rf"\:{JOINER}smile\:"),
        ("plain", ("a@b",), rf"a{JOINER}\@b"), ("plain", ("->",), rf"\-{JOINER}\>"),
    ],
)  # fmt: skip
def test_what_is_shown(monkeypatch, name, given, shown):
    """A value and a language in, a text out. A phone keeps country, area and its last two digits, for these tell callers apart."""
    monkeypatch.setattr(clock, "now", lambda zone=UTC: NOW.astimezone(zone))
    assert getattr(formats, name)(*given) == shown


def test_every_function_is_in_the_table():
    """A new function of `formats` needs a line above."""
    (marker,) = test_what_is_shown.pytestmark
    own = {name for name, value in vars(formats).items() if getattr(value, "__module__", "") == formats.__name__}
    assert own == {name for name, *_ in marker.args[1]}
