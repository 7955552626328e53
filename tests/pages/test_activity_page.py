"""The activity page: every operation, filters, advice, and nothing secret."""

from __future__ import annotations

from desk.lead import NewLead
from tests.pages.conftest import shown

LEAD = NewLead("Секретарь Тайная", "+79615551020", "Йога", "Звонок", "Личное сообщение")


def rows(app):
    return app.dataframe[0].value


def test_what_was_done_is_listed(desk, box, open_page):
    """Tokens, lead, contact and note, with time, operation, result, duration and AmoCRM's request id."""
    desk.connection.refresh_now()
    desk.outbox.accept(LEAD, "desk")
    desk.outbox.deliver_due()
    table = rows(open_page("activity"))
    assert {"Обновлён ключ", "Поиск контакта", "Создание лида", "Создание контакта", "Примечание к лиду"} <= set(
        table["operation"]
    )
    made = table[table["operation"] == "Создание лида"].iloc[0]
    assert made["result"] == "✓ успешно"
    assert made["duration_ms"] >= 0
    known = {entry["request_id"] for entry in box.ledger("request")}
    assert made["request_id"] in known


def test_filter_by_kind(desk, open_page):
    """Only tokens, only reading, only what failed."""
    desk.connection.refresh_now()
    app = open_page("activity")
    app.pills(key="activity.kind").set_value("token").run()
    assert set(rows(app)["kind"]) == {"Ключи"}
    app.pills(key="activity.kind").set_value("problems").run()
    assert "Операций пока не было" in shown(app)


def test_each_failure_comes_with_what_to_check(desk, box, open_page):
    """400, 401, 402, 403, 429, 5xx and a cut line each say what to check, once."""
    for status in (400, 402, 403, 429, 500):
        box.clear_faults()
        box.fault("status", path="/api/v4/account", status=status)
        _ask(desk)
    box.clear_faults()
    box.fault("cut_before", path="/api/v4/account")
    _ask(desk)
    box.clear_faults()
    box.revoke_tokens()
    _ask(desk)
    app = open_page("activity")
    app.pills(key="activity.kind").set_value("problems").run()
    text = shown(app)
    for words in ("(400", "(402)", "(403)", "(429)", "(5xx)", "оборвалась", "(401)", "отозван"):
        assert words in text


def test_nothing_private_is_shown(desk, open_page):
    """No token, phone, name or message in any line, on the screen or in the store."""
    desk.outbox.accept(LEAD, "desk")
    desk.outbox.deliver_due()
    token = desk.connection.current().access
    everything = rows(open_page("activity")).to_string() + str(desk.journal.recent(limit=500))
    for private in (token, token[:20], "9615551020", "Секретарь", "Личное", "def502"):
        assert private not in everything


def _ask(desk):
    from crm import account
    from crm.errors import DeskError

    try:
        account.current(desk.client)
    except DeskError:
        return
    raise AssertionError("the sandbox should have refused")
