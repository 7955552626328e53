"""AmoCRM's call that its admin has disabled the integration: believed when it is AmoCRM's and true."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from crm.errors import NotLetIn
from desk.lead import NewLead
from desk.web.routes import routes


@pytest.fixture
def door(desk):
    """The desk's own address for that call, as anybody on the internet reaches it."""
    app = Starlette(routes=routes(lambda: desk))
    return TestClient(app, base_url="https://desk.example.com", client=("203.0.113.7", 5000))


def signed(box, account_id, secret=None):
    text = f"{box.client_id}|{account_id}".encode()
    signature = hmac.new((secret or box.client_secret).encode(), text, hashlib.sha256).hexdigest()
    return {"client_uuid": box.client_id, "account_id": str(account_id), "signature": signature}


def test_disabled_for_real(box, desk, door):
    """The signed call of an uninstalled integration stops the work and says why; leads wait."""
    account_id = desk.connection.status().account_id
    box.integration(uninstall=True)
    assert door.get("/api/amocrm/disabled", params=signed(box, account_id)).status_code == 200
    status = desk.connection.status()
    assert (status.state, status.connected) == ("switched_off", False)
    with pytest.raises(NotLetIn) as raised:
        desk.connection.current()
    assert raised.value.code == "switched_off"
    since = box.last_seq()
    lead_id = desk.outbox.accept(NewLead("Терпеливый", "+79615550099"), "api")
    desk.outbox.deliver_due()
    assert desk.outbox.progress(lead_id).reason == "switched_off"
    assert box.ledger("request", since=since) == []


def test_a_new_consent_ends_it(box, desk, door):
    """Connected again, everything goes on."""
    account_id = desk.connection.status().account_id
    box.integration(uninstall=True)
    door.get("/api/amocrm/disabled", params=signed(box, account_id))
    desk.connection.adopt(box.grant()["refresh_token"])
    assert desk.connection.status().state == "connected"


def test_an_old_call_sent_again_is_not_believed(box, desk, door):
    """The signature is the same for ever, so while the key works nothing has been switched off."""
    answer = door.get("/api/amocrm/disabled", params=signed(box, desk.connection.status().account_id))
    assert answer.status_code == 200
    assert desk.connection.status().state == "connected"


@pytest.mark.parametrize("forge", [
    lambda good: good | {"signature": "0" * 64}, lambda good: good | {"account_id": "1"}, lambda good: good | {"signature": ""},
    lambda good: good | {"client_uuid": "x"}, lambda good: {}, lambda good: good | {"signature": "ж" * 64},
    lambda good: good | {"signature": "x" * 2000},
])  # fmt: skip
def test_a_forged_call_asks_nobody(box, desk, door, forge):
    """Without AmoCRM's signature nothing changes, and not even a request is made."""
    good = signed(box, desk.connection.status().account_id)
    box.integration(uninstall=True)
    since = box.last_seq()
    answer = door.get("/api/amocrm/disabled", params=forge(good))
    assert answer.status_code in (200, 403, 414)
    assert desk.connection.status().state == "connected"
    assert box.ledger("request", since=since) == []


def test_the_sandbox_signs_as_we_read(box, desk):
    """The hook the sandbox really sends is one we accept: the formula is AmoCRM's on both sides."""
    from tests.sandbox.receiver import Receiver

    account_id = desk.connection.status().account_id
    with Receiver() as receiver:
        box.integration(uninstall=True, hook_url=receiver.url)
        call = receiver.wait_for(1)[0]
    assert dict(parse_qsl(urlsplit(call.path).query)) == signed(box, account_id)
