"""The connection page: the whole story at a glance, and what an admin can do."""

from __future__ import annotations

import re

import pytest
from streamlit.runtime.context import ContextProxy

from crm.errors import DeskError
from desk.desk import install
from desk.web.consent_cookie import RESULT_COOKIE
from tests.pages.conftest import shown
from tests.support.desks import desk_for


def test_connected(desk, box, open_page):
    """State, account, address, who and when, time left as a countdown, the last attempt."""
    text = shown(open_page("connection"))
    assert "Подключено" in text
    assert "FitZone" in text
    assert box.url in text
    assert "Анна Ковалёва" in text
    assert re.search(r"23:59:\d\d", text)


def test_not_connected(unconnected, open_page):
    """A button to AmoCRM's consent page, and what to press there; nothing to refresh or disconnect."""
    app = open_page("connection")
    assert "Не подключено" in app.warning[0].value
    assert app.link_button[0].url == "/connection/start"
    assert not [button for button in app.button if button.key in ("connection.refresh", "connection.disconnect")]


def test_refresh_now(desk, box, open_page):
    """One token call, said with its result; the page shows the new time."""
    app = open_page("connection")
    before = box.last_seq()
    app.button(key="connection.refresh").click().run()
    assert "Ключ обновлён" in app.success[0].value
    assert [entry["path"] for entry in box.ledger("request", since=before)] == ["/oauth2/access_token"]


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda box: box.revoke_tokens(), "Доступ отозван"),
        (lambda box: box.expire_tokens(refresh=True), "им не пользовались три месяца"),
        (lambda box: box.integration(client_secret="another-secret-entirely"), "Секретный ключ не подходит"),
        (lambda box: box.integration(redirect_uri="http://localhost:8501/api/amocrm/callback/"), "Ссылка для перенаправления"),
        (lambda box: box.fault("status", path="/oauth2/access_token", status=403, html=True), "заблокировала"),
        (lambda box: box.fault("cut_before", path="/oauth2/access_token"), "оборвалась"),
        (lambda box: box.fault("status", path="/oauth2/access_token", status=500), "не справилась"),
    ],
)  # fmt: skip
def test_a_refused_refresh_says_why(desk, box, open_page, break_it, words):
    """Each way a refresh can fail is told with its own remedy."""
    app = open_page("connection")
    break_it(box)
    app.button(key="connection.refresh").click().run()
    assert not app.exception
    assert "\n".join(part.value for part in [*app.error, *app.warning]).count(words) == 1


def test_disconnect_forgets_the_keys(desk, open_page):
    """After the confirmation both tokens are gone, and the page offers to connect."""
    desk.connection.disconnect()
    app = open_page("connection")
    assert "Не подключено" in app.warning[0].value


def test_a_pasted_code_connects(unconnected, box, open_page):
    """The code from the integration's window connects, once."""
    app = _open_paste(open_page)
    code = box.code()
    app.text_input(key="connection.code").set_value(f"  {code} ")
    app.button(key="connection.use_code").click().run()
    assert "AmoCRM подключена" in shown(app)
    assert unconnected.connection.status().connected
    app.text_input(key="connection.code").set_value(code)
    app.button(key="connection.use_code").click().run()
    assert "уже использован" in app.error[0].value
    assert unconnected.connection.status().connected


@pytest.mark.parametrize("code", ["x", "def502" * 700, "<b>", "=1", "код", "a\x00b"])
def test_a_code_that_is_none(unconnected, open_page, code):
    """Anything else than a code is refused in words, and the desk stays as it was."""
    app = _open_paste(open_page)
    app.text_input(key="connection.code").set_value(code)
    app.button(key="connection.use_code").click().run()
    assert not app.exception
    assert "Код авторизации не подходит" in app.error[0].value
    assert not unconnected.connection.status().connected


@pytest.mark.parametrize(
    ("result", "words"),
    [("consent_denied", "Доступ не разрешён"), ("state_unknown", "не относится ни к одному"), ("<b>x</b>", ""), ("", ""),
     ("[Нажмите](https://evil.example)", ""), ("ok", "")],
)  # fmt: skip
def test_what_came_of_the_consent_page(unconnected, open_page, monkeypatch, result, words):
    """A word of ours in the address becomes a sentence, once; anybody else's, or an "ok" that is not true, becomes nothing."""
    monkeypatch.setattr(ContextProxy, "cookies", {RESULT_COOKIE: result})
    app = open_page("connection")
    before = len(app.error)
    app.query_params["result"] = result
    app.run()
    assert not app.exception
    assert "result" not in app.query_params
    assert "AmoCRM подключена" not in shown(app)
    assert (words in app.error[0].value) if words else (len(app.error) == before)
    assert words or not result or result not in shown(app)


@pytest.mark.parametrize("cookies", [{}, {RESULT_COOKIE: "consent_denied"}])
def test_a_link_of_somebody_elses_tells_nothing(desk, open_page, monkeypatch, cookies):
    """What did not come of this browser's own consent is not told, whatever the address says."""
    monkeypatch.setattr(ContextProxy, "cookies", cookies)
    app = open_page("connection")
    before = len(app.error)
    app.query_params["result"] = "grant_revoked"
    app.run()
    assert len(app.error) == before
    assert "result" not in app.query_params


def test_a_consent_that_succeeded_is_told(desk, open_page):
    """ "ok" where it is true."""
    app = open_page("connection")
    app.query_params["result"] = "ok"
    app.run()
    assert "AmoCRM подключена" in shown(app)


def test_a_long_lived_token(box, tmp_path, open_page):
    """The page says that the token is not refreshed, whose it is and when it ends; there is nothing to press."""
    token = box.grant(long_lived_days=300)["access_token"]
    with desk_for(box, tmp_path, connected=False, AMOCRM_ACCESS_TOKEN=token) as desk:
        desk.connection.keep_alive()
        install(desk)
        app = open_page("connection")
        install(None)
    assert "долгосрочный токен" in shown(app)
    assert "Анна Ковалёва" in shown(app)
    assert not app.button
    assert "меньше чем через" not in shown(app)
    assert token not in shown(app)


def _open_paste(open_page):
    app = open_page("connection")
    app.session_state["connection.paste"] = True
    return app.run()


def test_the_code_has_a_countdown(unconnected, open_page):
    """While the field for a pasted code is open, the page counts the code's twenty minutes."""
    assert re.search(r"Осталось примерно (20:00|19:\d\d)", shown(_open_paste(open_page)))


def test_the_timeline(desk, box, open_page):
    """Each refresh is a line with its reason, result and fingerprints, and no token."""
    token = desk.connection.current().access
    desk.connection.refresh_now()
    box.fault("status", path="/oauth2/access_token", status=500)
    app = open_page("connection")
    app.button(key="connection.refresh").click().run()
    table = app.dataframe[0].value
    assert table["cause"].tolist()[-2:] == ["Кнопка", "Переданный ключ"]
    assert table["result"].tolist()[-2:] == ["✓ успешно", "✓ успешно"]
    assert table["prints"].str.fullmatch(r"([0-9a-f]{12}|—) → ([0-9a-f]{12}|—)").all()
    assert token[:12] not in table.to_string()


def test_a_double_press_refreshes_once(desk, box, open_page):
    """Pressed again at once, the button says that the key is fresh and spends nothing."""
    app = open_page("connection")
    before = box.last_seq()
    app.button(key="connection.refresh").click().run()
    app.button(key="connection.refresh").click().run()
    assert "только что обновлён" in app.success[0].value
    assert len(box.ledger("request", since=before)) == 1


def test_refreshing_says_what_it_costs(desk, open_page):
    """Beside the button stands what a refresh spends and when the last one was; the server holds a second press back."""
    desk.connection.refresh_now()
    text = shown(open_page("connection"))
    assert "тратит одноразовый ключ" in text
    assert "Последнее обновление:" in text


def test_failing_is_told_on_every_page(desk, box, open_page):
    """When the key cannot be renewed, each page's sidebar says so and leads to the remedy; the page says what is next."""
    box.fault("status", path="/oauth2/access_token", status=500)
    for _ in range(2):  # after the second the next try is a minute away
        with pytest.raises(DeskError):
            desk.connection.refresh_now(insists=True)
    for name in ("leads", "new", "activity"):
        text = shown(open_page(name))
        assert "Ключ не обновляется" in text
        assert "не справилась с запросом" in text
    text = shown(open_page("connection"))
    assert "Следующая попытка" in text
    assert re.search(r"23:\d\d:\d\d", text)


@pytest.mark.parametrize(("days", "words"), [(29, "30 дней"), (6, "7 дней"), (1, "1 день"), (40, None)])
def test_a_long_lived_token_is_warned_of(box, tmp_path, open_page, days, words):
    """30, 7 and 1 days ahead the page and the sidebar say that it ends; before that they do not."""
    token = box.grant(long_lived_days=days)["access_token"]
    with desk_for(box, tmp_path, connected=False, AMOCRM_ACCESS_TOKEN=token) as desk:
        install(desk)
        text = shown(open_page("connection"))
        install(None)
    assert (f"меньше чем через {words}" in text) if words else ("меньше чем через" not in text)
