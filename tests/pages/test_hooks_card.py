"""The card of AmoCRM's webhooks: the state in a word, what to do, and the two buttons."""

from __future__ import annotations

import pytest

from desk.desk import install
from tests.pages.conftest import shown
from tests.support.desks import desk_for


def test_on(desk, box, open_page):
    """Subscribed: what follows from it, the figures, and no address with its secret."""
    desk.webhooks.keep()
    secret = box.entities("webhooks")[0]["destination"].rpartition("/")[2]
    text = shown(open_page("connection"))
    assert "AmoCRM сообщает об изменениях сама" in text
    assert "0 хуков, повторов 0, непонятых 0" in text
    assert secret not in text


def test_rotating_the_secret(desk, box, open_page):
    """One press: AmoCRM has the new address, and the page says how long the former works."""
    desk.webhooks.keep()
    former = box.entities("webhooks")[0]["destination"]
    app = open_page("connection")
    app.button(key="connection.hooks_rotate").click().run()
    assert "Секрет сменён" in app.success[0].value
    assert "Старый секрет действует до" in shown(app)
    assert [row["destination"] for row in box.entities("webhooks")] != [former]


def test_subscribing_again(desk, box, open_page):
    """One press brings back what somebody has deleted; where rights are missing it says what to do."""
    desk.webhooks.keep()
    made = box.entities("webhooks")[0]
    box.session().delete(f"{box.url}/api/v4/webhooks", json={"destination": made["destination"]}, timeout=60)
    app = open_page("connection")
    app.button(key="connection.hooks_subscribe").click().run()
    assert "Подписка в порядке" in app.success[0].value
    assert len(box.entities("webhooks")) == 1
    box.config(admin_rights=False)
    app.button(key="connection.hooks_subscribe").click().run()
    box.config(admin_rights=True)
    assert "Не хватает прав" in app.error[0].value
    assert "Лиды обновляются опросом" in shown(app)


@pytest.mark.parametrize("reason", ["not_a_hook", "another_account", "never_heard_of"])
def test_what_was_put_aside(desk, open_page, reason):
    """Counted, and the last one's reason in words."""
    desk.webhooks.keep()
    desk.webhooks._inbox.put_bad(b"x", reason)
    text = shown(open_page("connection"))
    assert "1 хук, повторов 0, непонятых 1" in text
    assert "hooks-bad" not in text


def test_without_a_public_address(box, tmp_path, open_page):
    """Said with the remedy; there is nothing to press."""
    with desk_for(box, tmp_path, BASE_URL="https://10.1.2.3") as desk:
        desk.webhooks.keep()
        install(desk)
        app = open_page("connection")
        install(None)
    text = shown(app)
    assert "нет адреса, открытого из интернета" in text
    assert "BASE_URL" in text
    assert not [button for button in app.button if button.key and button.key.startswith("connection.hooks")]
