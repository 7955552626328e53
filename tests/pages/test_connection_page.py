"""The connection page: the whole story at a glance, and what an admin can do."""

from __future__ import annotations

import re

import pytest

from tests.pages.conftest import shown


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
    assert "\n".join(error.value for error in app.error).count(words) == 1


def test_disconnect_forgets_the_keys(desk, open_page):
    """After the confirmation both tokens are gone, and the page offers to connect."""
    desk.connection.disconnect()
    app = open_page("connection")
    assert "Не подключено" in app.warning[0].value


def test_a_pasted_code_connects(unconnected, box, open_page):
    """The code from the integration's window connects, once."""
    app = open_page("connection")
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
    app = open_page("connection")
    app.text_input(key="connection.code").set_value(code)
    app.button(key="connection.use_code").click().run()
    assert not app.exception
    assert "Код авторизации не подходит" in app.error[0].value
    assert not unconnected.connection.status().connected


@pytest.mark.parametrize(
    ("result", "words"),
    [("ok", "AmoCRM подключена"), ("consent_denied", "Доступ не разрешён"), ("state_unknown", "не относится ни к одному"),
     ("<b>x</b>", "Неизвестная ошибка"), ("", "Неизвестная ошибка")],
)  # fmt: skip
def test_what_came_of_the_consent_page(unconnected, open_page, result, words):
    """The word in the address becomes a sentence; a word nobody knows becomes the general one, harmlessly."""
    app = open_page("connection")
    app.query_params["result"] = result
    app.run()
    assert not app.exception
    assert words in shown(app)


def test_a_long_lived_token(box, tmp_path, open_page):
    """The page says that the token is not refreshed, whose it is and when it ends; there is nothing to press."""
    from crm.desk import install
    from tests.desks import desk_for

    token = box.grant(long_lived_days=300)["access_token"]
    with desk_for(box, tmp_path, connected=False, AMOCRM_ACCESS_TOKEN=token) as desk:
        desk.connection.keep_alive()
        install(desk)
        app = open_page("connection")
        install(None)
    assert "долгосрочный токен" in shown(app)
    assert "Анна Ковалёва" in shown(app)
    assert not app.button
    assert token not in shown(app)
