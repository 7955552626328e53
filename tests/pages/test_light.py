"""The light in the sidebar: the verdict of /readyz in words, on every page, in both languages."""

from __future__ import annotations

import re

import pytest

from desk.readiness import AMOCRM, DATABASE, DISK, HOOKS, MIRROR, PEOPLE, WAITING, WORK, Check, Verdict
from store import clock
from tests.pages.conftest import shown
from ui.frame import health
from ui.frame.frame import SCREENS

SINCE = clock.now()

RED = [
    (Check(AMOCRM, "cut_off", SINCE), "AmoCRM не отвечает", "ни один запрос не прошёл"),
    (Check(AMOCRM, "unpaid", SINCE), "AmoCRM не отвечает", "не оплачен (402)"),
    (Check(WAITING, "lead_waits", SINCE, 3), "Есть неполадки", "3 лида ждут отправки"),
    (Check(PEOPLE, "leads_need_a_person", SINCE, 2), "Есть неполадки", ""),
    (Check(MIRROR, "stale", SINCE), "Есть неполадки", "Списки и показатели — на"),
    (Check(MIRROR, "filling", SINCE), "Читаем AmoCRM", "ещё не полны"),
    (Check(HOOKS, "hooks_silent", SINCE), "Есть неполадки", "Уведомления AmoCRM не приходят"),
    (Check(HOOKS, "rights_missing", SINCE), "Есть неполадки", "Не хватает прав (403)"),
    (Check(DISK, "disk_low", SINCE, 12), "Есть неполадки", "свободно 12 МБ"),
    (Check("pruning", "ValueError", SINCE), "Есть неполадки", "Удаление старых данных: не получается с"),
]


@pytest.fixture
def judged(desk, monkeypatch):
    """Let the desk's watch say that these checks are red, and all else is well."""

    def say(*red: Check) -> None:
        verdict = Verdict((Check(DATABASE), *red), clock.now(), desk.connection.status())
        monkeypatch.setattr(desk.watch, "last", lambda: verdict)

    return say


def light(app):
    return "\n".join(part.value for part in [*app.sidebar.markdown, *app.sidebar.caption])


def test_green_where_all_is_well(judged, open_page):
    """One word, and nothing else to read."""
    judged()
    text = light(open_page("activity"))
    assert ":green-badge[:material/check_circle: Подключено]" in text
    assert "red" not in text


@pytest.mark.parametrize(("check", "word", "sentence"), RED, ids=lambda value: getattr(value, "code", ""))
def test_red_says_what_and_since_when(judged, open_page, check, word, sentence):
    """Each red check turns the light, and says in words what is wrong; the green word is gone."""
    judged(check)
    text = light(open_page("activity"))
    assert word in text
    assert sentence in text
    assert "green-badge" not in text
    if word == "AmoCRM не отвечает":
        assert "Подключено" not in text


@pytest.mark.parametrize("name", [screen.name for screen in SCREENS])
def test_on_every_page(judged, open_page, name):
    """Whatever page one is on."""
    judged(Check(AMOCRM, "cut_off", SINCE))
    assert "AmoCRM не отвечает" in light(open_page(name))


def test_in_english(judged, open_page):
    """The same in the other language, without a word of the first."""
    judged(*(check for check, _, _ in RED if check.name != AMOCRM))
    app = open_page("activity")
    app.segmented_control(key="frame.language").set_value("en").run()
    text = light(app)
    assert "Something is wrong" in text
    assert "3 leads wait to go to AmoCRM" in text
    assert not re.search("[А-Яа-я]", text.replace("Русский", ""))


def test_a_database_that_keeps_us_waiting_is_told(desk, open_page, monkeypatch):
    """No page waits for it to say so."""
    verdict = Verdict((Check(DATABASE, "too_slow", SINCE),), clock.now())
    monkeypatch.setattr(desk.watch, "last", lambda: verdict)
    assert "База данных не отвечает" in light(open_page("activity"))


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_kind_of_work_has_a_name(desk, language, monkeypatch):
    """Also of those that have a check of their own, and of a part of one."""
    monkeypatch.setattr("ui.frame.words.language", lambda: language)
    assert not [name for name in (*WORK, "mirror.leads", "delivery", "hooks") if health.work(name) == name]


def test_the_card_tells_every_round(desk, open_page):
    """On the connection page: each check, and each kind of work with its last success, its last failure and the place of it."""
    desk.look_after()
    desk.rounds.told("hooks", ValueError("+79991234567"))
    app = open_page("connection")
    text = shown(app)
    assert "Лиды в пути" in text
    table = next(frame.value for frame in app.dataframe if "well" in frame.value)
    assert {"Обновление ключа", "Уведомления AmoCRM", "Удаление старых данных"} <= set(table["work"])
    assert "ValueError" in table.to_string()
    assert "9991234567" not in table.to_string()


def test_what_a_button_did_is_seen_at_once(desk, open_page):
    """The light does not lag behind what somebody has just pressed."""
    app = open_page("connection")
    app.button(key="connection.refresh").click().run()
    assert "Подключено" in light(app)
    desk.disconnect()
    assert "Не подключено" in light(app.run())
