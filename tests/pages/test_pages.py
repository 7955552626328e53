"""Every page: full, empty, refused and down, always in the frame, never with a stack trace."""

from __future__ import annotations

import pytest

from crm.errors import DeskError
from store import Store, StoreError
from tests.desk.calls.conftest import PHONE, contact_row, lead_row, put, put_stages
from tests.pages.conftest import shown
from ui.frame.frame import NOTICE, SCREENS

NAMES = [screen.name for screen in SCREENS]
ASKING = ["fields"]
"""Pages that ask AmoCRM when they are opened on a desk that knows nothing yet."""


@pytest.mark.parametrize("name", NAMES)
def test_full(name, desk, open_page):
    """A connected desk shows each page with its heading and without any error."""
    app = open_page(name)
    assert not app.exception
    assert not app.error
    assert app.title[0].value
    assert "Подключено" in shown(app)


@pytest.mark.parametrize("name", NAMES)
def test_unconnected(name, unconnected, open_page):
    """Before anybody has connected, each page stands and says what to do where it needs AmoCRM."""
    app = open_page(name)
    assert not app.exception
    if name in ASKING:
        assert "AmoCRM не подключена" in app.error[0].value
        assert "нажмите «Подключить AmoCRM»" in app.error[0].value


@pytest.mark.parametrize("name", NAMES)
def test_english(name, desk, open_page):
    """Each page in English holds no Russian word of ours."""
    app = open_page(name)
    app.segmented_control(key="frame.language").set_value("en").run()
    assert not app.exception
    ours = "\n".join(str(part.value) for part in [*app.title, *app.caption, *app.subheader])
    assert not [char for char in ours if "а" <= char.lower() <= "я"]


REFUSALS = {
    "401": (lambda box: box.revoke_tokens(), "Доступ отозван"),
    "402": (lambda box: box.fault("status", path="/api/v4/*", status=402), "не оплачен (402)"),
    "403": (lambda box: box.fault("status", path="/api/v4/*", status=403), "Не хватает прав (403)"),
    "blocked": (lambda box: box.fault("status", path="/api/v4/*", status=403, html=True), "заблокировала"),
    "429": (lambda box: box.fault("status", path="/api/v4/*", status=429), "слишком много запросов (429)"),
    "500": (lambda box: box.fault("status", path="/api/v4/*", status=500), "не справилась с запросом (5xx)"),
    "html": (lambda box: box.fault("garbage", path="/api/v4/*"), "неразборчивым"),
    "cut": (lambda box: box.fault("cut_before", path="/api/v4/*"), "оборвалась"),
}


@pytest.mark.parametrize("trouble", REFUSALS)
@pytest.mark.parametrize("name", ASKING)
def test_refused(name, trouble, box, desk, open_page):
    """Each way AmoCRM can refuse is told in words with a remedy; no number and no empty table stands for it."""
    break_it, words = REFUSALS[trouble]
    break_it(box)
    app = open_page(name)
    app.button(key="fields.refresh").click().run()
    assert not app.exception
    assert words in app.error[0].value
    assert "\n\n" in app.error[0].value


@pytest.mark.parametrize("name", NAMES)
def test_down(name, box, tmp_path, open_page):
    """With AmoCRM gone each page stands; those that need it say that it cannot be reached."""
    from desk.desk import install
    from sandbox.process import start
    from tests.support.desks import desk_for

    gone = start(leads=5, rps=1000)
    with desk_for(gone, tmp_path) as desk:
        gone.stop()
        install(desk)
        app = open_page(name)
        if name == "fields":
            app.button(key="fields.refresh").click().run()
        install(None)
    assert not app.exception
    if name in ASKING:
        assert "AmoCRM недоступна" in app.error[0].value


def test_a_fault_of_ours_shows_no_trace(desk, open_page, monkeypatch):
    """An error nobody foresaw becomes a sentence; its text and trace stay off the screen."""
    monkeypatch.setattr(desk.listing, "page", lambda *args, **values: 1 / 0)
    app = open_page("leads")
    assert not app.exception
    assert "сломался сам Lead Desk" in app.error[0].value
    assert "ZeroDivision" not in shown(app)


def test_a_click_that_came_too_late_is_no_fault(desk, open_page):
    """It is told as a notice with what to do, and nobody is sent to support."""
    app = open_page("deliveries")
    with pytest.raises(DeskError) as raised:
        desk.outbox.drop("settled long ago", "Анна")
    app.session_state[NOTICE] = raised.value
    app.run()
    assert not app.error
    assert "пока вы решали" in app.warning[0].value.lower()
    assert "Для поддержки" not in shown(app)


@pytest.mark.parametrize("name", NAMES)
def test_the_database_away(name, desk, open_page, monkeypatch):
    """Each page says that it is the database, and what to do; nothing empty stands for what could not be read."""

    def away(*args, **values):
        raise StoreError("database_unreachable")

    monkeypatch.setattr(Store, "read", away)
    app = open_page(name)
    assert not app.exception
    assert any("База данных недоступна" in error.value for error in app.error), [error.value for error in app.error]
    assert not app.dataframe
    assert "secret" not in shown(app)


@pytest.mark.parametrize("name", NAMES)
def test_a_part_that_runs_by_itself_is_alone_in_its_place(name, desk, open_page, said):
    """What Streamlit drops of such a part leaves a gap, which the browser closes: a neighbour would be drawn over."""
    open_page(name)
    assert said.parts()
    for place in said.parts().values():
        neighbours = {path[: len(place)] for path in said.paths() if path[: len(place) - 1] == place[:-1]}
        assert neighbours - {place[:-1], place} == set()


def test_the_place_of_an_inner_part_is_always_there(desk, open_page, said):
    """What Streamlit has dropped of a part, it sends of the parts in it: into blocks the browser has to have already."""
    put_stages(desk.store, "Запрос", "Визит")
    put(desk.store, of_contacts=[(contact_row(1, PHONE), PHONE)], of_leads=[lead_row(11, 1)])
    app, there = open_page("new"), said.paths()
    app.text_input(key="new.phone").set_value(PHONE).run()
    inner = said.inner_parts()
    app.text_input(key="new.phone").set_value("+79617770011").run()
    inner |= said.inner_parts()
    app.text_input(key="new.name").set_value("Ольга")
    app.button(key="new.submit").click().run()
    inner |= said.inner_parts()
    assert len(inner) == 2, "who AmoCRM is asked about, and the card of what was saved"
    assert {place[:-1] for place in inner} <= there

    app, there = open_page("leads"), said.paths()
    assert {place[:-1] for place in said.inner_parts()} <= there
    app.button(key="leads.export_csv").click().run()
    assert {place[:-1] for place in said.inner_parts()} <= there


def test_without_an_installed_desk_there_is_none(desk):
    """`the_desk()` gives the installed desk, and says so if there is none, rather than open a second one."""
    from desk.desk import install, the_desk

    assert the_desk() is desk
    install(None)
    with pytest.raises(RuntimeError, match="no desk is installed"):
        the_desk()
