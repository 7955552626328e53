"""The client's rules, over a real socket against the sandbox."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from crm import account, contacts, custom_fields, leads, notes, oauth, pipelines, users
from crm.door import Call
from crm.errors import BrokenWord, DeskError, NoAnswer, NotLetIn, NotSent, SaidNo
from sandbox.process import running_sandbox
from tests.support.desks import desk_for
from wire import NOBODY, Bearer

ACCOUNT = "/api/v4/account"


def asked(box, since, path=None):
    """The requests the sandbox has seen."""
    return [entry for entry in box.ledger("request", since=since) if path in (None, entry["path"])]


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ({"action": "status", "status": 401}, NotLetIn, "token_rejected"),
        ({"action": "status", "status": 402}, NotLetIn, "unpaid"),
        ({"action": "status", "status": 403}, NotLetIn, "rights_missing"),
        ({"action": "status", "status": 403, "html": True}, NotLetIn, "blocked"),
        ({"action": "status", "status": 404}, SaidNo, "not_found"),
        ({"action": "status", "status": 404, "html": True}, BrokenWord, "not_routed"),
        ({"action": "status", "status": 429}, NotLetIn, "rate_limited"),
        ({"action": "status", "status": 429, "html": True}, NotLetIn, "rate_limited"),
        ({"action": "status", "status": 500}, BrokenWord, "server_error"),
        ({"action": "status", "status": 504, "html": True}, BrokenWord, "server_error"),
        ({"action": "cut_before"}, NoAnswer, "cut_off"), ({"action": "cut_after"}, NoAnswer, "cut_off"),
        ({"action": "truncate"}, NoAnswer, "cut_off"), ({"action": "garbage"}, BrokenWord, "garbled"),
        ({"action": "empty_200"}, BrokenWord, "garbled"),
    ],
    ids=str,
)  # fmt: skip
def test_every_failure_has_its_class(box, desk, fault, error, code):
    """Refusals, HTML, cuts, halves and nonsense become the right error, with nothing of the answer in its text."""
    box.fault(path=ACCOUNT, **fault)
    with pytest.raises(DeskError) as raised:
        account.current(desk.client)
    assert (type(raised.value), raised.value.code) == (error, code)
    assert raised.value.operation == "account.get"


@pytest.mark.parametrize(
    "fault", [{"action": "status", "status": 500}, {"action": "cut_before"}, {"action": "truncate"}], ids=str
)
def test_a_read_is_tried_again(box, desk, fault):
    """Two failures in a row are not seen by the caller; each try is one request and one line in the journal."""
    box.fault(path=ACCOUNT, times=2, **fault)
    since = box.last_seq()
    assert account.current(desk.client).name == "FitZone"
    assert len(asked(box, since, ACCOUNT)) == 3
    assert sorted(line.result == "ok" for line in desk.journal.recent(limit=3)) == [False, False, True]


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "status": 500},
        {"action": "status", "status": 429},
        {"action": "cut_before"},
        {"action": "cut_after"},
    ],
    ids=str,
)
def test_a_write_is_sent_once(box, desk, fault):
    """Whatever happens to a creating request, the client never sends it again by itself."""
    box.fault(path="/api/v4/leads/complex", **fault)
    since = box.last_seq()
    with pytest.raises(DeskError):
        leads.create_complex(desk.client, {"name": "Один раз"}, subject="x")
    assert len(asked(box, since, "/api/v4/leads/complex")) == 1


def test_a_write_with_a_refused_token_goes_again(box, desk):
    """A 401 was not carried out: after one refresh the same write goes through, and there is one lead."""
    box.expire_tokens()
    since = box.last_seq()
    made = leads.create_complex(desk.client, {"name": "После обновления"}, subject="x")
    assert [entry["path"] for entry in asked(box, since)] == [
        "/api/v4/leads/complex", "/oauth2/access_token", "/api/v4/leads/complex",
    ]  # fmt: skip
    assert len(box.ledger("change", since=since, entity="leads", change="added")) == 1
    assert box.entities("leads", made.lead_id)[0]["name"] == "После обновления"


def test_a_token_refused_twice_is_an_error(box, desk):
    """When the fresh token is refused as well, the caller hears it; no third try, no second refresh."""
    box.fault("status", path=ACCOUNT, status=401)
    since = box.last_seq()
    with pytest.raises(NotLetIn):
        account.current(desk.client)
    assert [entry["path"] for entry in asked(box, since)] == [ACCOUNT, "/oauth2/access_token", ACCOUNT]


def test_nothing_listening_is_not_sent(tmp_path):
    """A refused connection left not one byte, and says so."""
    with running_sandbox(leads=1) as gone:
        address = gone.url
        with desk_for(gone, tmp_path) as desk:
            gone.stop()
            with pytest.raises(NotSent) as raised:
                desk.door.request(Call("POST", f"{address}/api/v4/leads", "leads.create"), NOBODY)
    assert raised.value.code == "unreachable"


@pytest.mark.parametrize(
    ("address", "code"), [("http://no-such-host.invalid", "name_unknown"), ("https://{}", "tls_failed")]
)
def test_what_fails_before_the_first_byte_is_not_sent(box, desk, address, code):
    """An unknown name and a failed handshake may be repeated, even for a write."""
    url = address.format(box.url.removeprefix("http://")) + ACCOUNT
    with pytest.raises(NotSent) as raised:
        desk.door.request(Call("POST", url, "leads.create"), NOBODY)
    assert raised.value.code == code


def test_a_second_request_on_a_kept_connection_counts_from_its_own_first_byte(box, desk):
    """ "Not sent" is about this request: an earlier one on the same thread does not blur it."""
    account.current(desk.client)
    with pytest.raises(NotSent):
        desk.door.request(Call("POST", "http://127.0.0.1:1/x", "leads.create"), NOBODY)


def test_a_dripping_answer_ends_at_the_deadline(box, desk):
    """A body that comes byte by byte does not hold the caller for ever."""
    box.fault("drip", path=ACCOUNT)
    started = time.monotonic()
    with pytest.raises(NoAnswer) as raised:
        desk.door.request(
            Call("GET", box.url + ACCOUNT, "account.get", deadline_s=1.0), Bearer(desk.connection.current().access)
        )
    assert raised.value.code == "too_slow"
    assert time.monotonic() - started < 20


def test_a_silent_server_ends_at_the_read_timeout(box, desk):
    """No answer at all within the time allowed is an unknown outcome."""
    box.fault("slow", path=ACCOUNT, delay_ms=5000)
    with pytest.raises(NoAnswer) as raised:
        desk.door.request(
            Call("POST", box.url + ACCOUNT, "leads.create", deadline_s=0.5), Bearer(desk.connection.current().access)
        )
    assert raised.value.code == "too_slow"


def test_204_is_an_empty_list(box, desk):
    """No contact found is an empty list, in one request."""
    since = box.last_seq()
    assert contacts.matching(desk.client, "нет такого человека") == []
    assert len(asked(box, since)) == 1


def test_pages_are_followed_to_the_last(box, desk):
    """Every lead once, in pages of any size; the end is where AmoCRM names no next page."""
    wanted = {lead["id"] for lead in box.entities("leads") if not lead["is_deleted"]}
    pages = list(leads.created_between(desk.client, 0, 2**31, limit=7))
    found = [lead["id"] for page in pages for lead in page]
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert all(len(page) == 7 for page in pages[:-1])


def test_a_list_that_ignores_paging_does_not_go_on_for_ever(box, desk):
    """A page equal to the one before it ends the walk with an error."""
    body = '{"_page":1,"_links":{"next":{"href":"x"}},"_embedded":{"users":[{"id":1,"name":"А"}]}}'
    box.fault("status", path="/api/v4/users", status=200, body=body)
    since = box.last_seq()
    with pytest.raises(BrokenWord) as raised:
        users.names(desk.client)
    assert raised.value.code == "same_page"
    assert len(asked(box, since)) == 2


def test_an_ignored_filter_is_noticed(box, desk):
    """What lies outside what was asked for is an error, not data."""
    body = '{"_embedded":{"leads":[{"id":1,"created_at":50}]}}'
    box.fault("status", path="/api/v4/leads", status=200, body=body)
    with pytest.raises(BrokenWord) as raised:
        list(leads.created_between(desk.client, 100, 200))
    assert raised.value.code == "filter_ignored"


def test_what_resources_bring(box, desk):
    """Account, people, stages, fields: what the desk needs of each, with AmoCRM's own colours and order."""
    assert account.current(desk.client).subdomain == "fitzone"
    assert "Анна Ковалёва" in users.names(desk.client).values()
    stages = pipelines.stages(desk.client)
    assert stages[0].is_main
    assert {142, 143} <= {stage.status_id for stage in stages}
    assert all(stage.color.startswith("#") for stage in stages)
    fields = {field.id: field.type for field in custom_fields.of(desk.client, "leads")}
    assert fields | {264911: "text", 264913: "text", 264915: "text"} == fields
    assert [field.type for field in custom_fields.of(desk.client, "contacts") if field.code == "PHONE"] == ["multitext"]


def test_a_note_is_put_on_its_lead(box, desk):
    """The text arrives whole, with line breaks and pictures."""
    lead_id = box.entities("leads")[0]["id"]
    note_id = notes.add(desk.client, lead_id, "Строка\nвторая 🙂 <b>")
    assert box.entities("notes", note_id)[0]["params"]["text"] == "Строка\nвторая 🙂 <b>"


def test_validation_errors_name_the_place(box, desk):
    """AmoCRM's refusal comes back as paths and codes."""
    wrong = {"name": "x", "custom_fields_values": [{"field_id": 1, "values": [{"value": "y"}]}]}
    with pytest.raises(SaidNo) as raised:
        leads.create_complex(desk.client, wrong, subject="x")
    assert raised.value.code == "validation"
    assert raised.value.refusals[0].path.startswith("custom_fields_values.0")


@pytest.mark.alone
def test_threads_and_desks_stay_under_seven_a_second(tmp_path):
    """Twelve threads over two desks on one database: the sandbox answers not one 429 and sees no eighth in a second."""
    with (
        running_sandbox(leads=5, rps=7) as box,
        desk_for(box, tmp_path) as one,
        desk_for(box, tmp_path, connected=False) as two,
    ):
        since = box.last_seq()
        threads = [
            threading.Thread(target=lambda desk=desk: [account.current(desk.client) for _ in range(3)])
            for desk in (one, two)
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen = asked(box, since, ACCOUNT)
        times = sorted(entry["at"] for entry in seen)
        assert [entry["status"] for entry in seen] == [200] * 36
        assert max(sum(1 for other in times if start <= other < start + 1) for start in times) <= 7
        assert times[-1] - times[0] < 36 / 6.0


def test_a_429_is_waited_out(tmp_path):
    """When another program of the account uses up the second, the desk waits and then gets its answer."""
    with running_sandbox(leads=5, rps=7) as box, desk_for(box, tmp_path) as desk:
        box.fault("status", path=ACCOUNT, status=429, times=1, headers={"Retry-After": "1"})
        since = box.last_seq()
        assert account.current(desk.client).name == "FitZone"
        first, second = asked(box, since, ACCOUNT)
        assert second["at"] - first["at"] >= 1.0


def test_logs_hold_no_token_no_phone_and_no_body(box, desk, caplog):
    """Whatever goes wrong, neither the log nor the error tells a token, a phone or what was sent."""
    phone, token = "+79615550000", desk.connection.current().access
    box.fault("status", path="/api/v4/leads/complex", status=500)
    logging.getLogger("crm").propagate = True
    told = []
    with caplog.at_level(logging.DEBUG):
        for ask in (
            lambda: leads.create_complex(desk.client, {"name": phone}, subject="x"),
            lambda: contacts.matching(desk.client, phone[-10:]),
            lambda: oauth.refresh(desk.door, box.url, desk.connection._consent.integration(), "def502-secret"),
        ):
            try:
                told.append(str(ask()))
            except DeskError as error:
                told.append(f"{error} {error!r} {error.args}")
    everything = caplog.text + " ".join(text for text in told if "Created" not in text and "[" not in text)
    for private in (phone, phone[-10:], token, "def502-secret", desk.settings.amocrm_client_secret.reveal()):
        assert private not in everything
