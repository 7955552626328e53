"""The landing page's way in over HTTP: what is answered to whom. What becomes of a submission is proved in
tests/desk/intake; no AmoCRM is needed for either."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from desk.desk import Desk
from desk.intake import bodies
from desk.intake.form_draft import FormDraft, ways_of
from desk.intake.pace import ALL_STRANGERS, ALL_TAKING, ASKING_SHARE, PERSON, PROGRAM, SHARE, SITE_WIDE, STRANGER
from desk.settings import load
from desk.web.body import LARGEST_BODY_BYTES
from desk.web.refused import STATUS_OF_SUBMISSION
from desk.words import words
from store import clock
from store.tables import accepted_leads, consents, submissions
from tests.desk.web.conftest import ADMIN, INTAKE, app_of, client_of, open_desk, standing
from tests.support.loops import in_a_loop
from tests.support.programs import LOCAL

LEAD = {
    "name": "Иван Иванов",
    "phone": "+7 (999) 123-45-67",
    "direction": "Йога",
    "message": "Хочу записаться на тренировку",
}
SITE, OTHER = "https://fit.example", "https://evil.example"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def form(desk):
    """A form of the site, and its key."""
    made = desk.intake.forms.add(FormDraft("Главная", "Сайт", (SITE,)))
    return made.id, desk.intake.forms.new_key(made.id)


@pytest.fixture
def key(form):
    return form[1]


def bearer(key, **headers):
    return {"authorization": f"Bearer {key}", **headers}


def outcomes(desk):
    return [(line.outcome, line.reason) for line in desk.intake.log.page()]


def count(desk, table=accepted_leads):
    with desk.store.read() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(table))


def test_a_lead_is_accepted(local, desk):
    """202 with our id and the address to ask at; the lead is on the disk although AmoCRM is nowhere."""
    answer = local.post("/api/crm", json=LEAD)
    assert answer.status_code == 202
    body = answer.json()
    assert body["status"] == "accepted"
    assert body["status_url"] == f"http://localhost:8501/api/crm/{body['id']}"
    where = local.get(f"/api/crm/{body['id']}").json()
    assert (where["id"], where["status"]) == (body["id"], "queued")
    assert where.keys() == {"id", "status", "accepted_at", "settled_at", "reason", "amocrm_lead_id", "attempts"}


def test_each_field_is_refused_by_itself(local, desk):
    """422 names the faulty field with a code and a sentence; nothing is accepted."""
    answer = local.post("/api/crm", json={"name": "<b>", "phone": "8 916", "direction": {}, "message": "x" * 5000})
    assert answer.status_code == 422
    errors = {error["field"]: error for error in answer.json()["errors"]}
    assert {field: error["code"] for field, error in errors.items()} == {"phone": "phone_short_bare"}
    assert errors["phone"]["message"] == "Не хватает цифр: в номере 4 цифры, а без 8 или +7 нужно 10."
    assert count(desk) == 0


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"", "application/json", 400, "json_broken"), (b"{", "application/json", 400, "json_broken"),
        (b"\xff\xfe", "application/json", 400, "json_broken"), (b"[" * 60000, "application/json", 400, "json_broken"),
        (b"[]", "application/json", 422, "object_wanted"), (b'"x"', "application/json", 422, "object_wanted"),
        (b"null", "application/json", 422, "object_wanted"), (b"Hello", "text/plain", 415, "kind_unknown"),
        (b"<a>1</a>", "application/xml", 415, "kind_unknown"),
        (b" " * (LARGEST_BODY_BYTES + 1), "application/json", 413, "too_large_body"),
        (b"--x", "multipart/form-data; boundary=x", 400, "form_broken"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "application/json", 422, "lead_invalid"),
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_bodies_that_are_none(local, desk, content, kind, status, code):
    """What is not a small JSON object gets its own answer and never a 500; the log says that somebody was refused."""
    answer = local.post("/api/crm", content=content, headers={"content-type": kind, "accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert answer.json()["remedy"]
    assert outcomes(desk) == [("refused", code)]


@pytest.mark.parametrize("code", STATUS_OF_SUBMISSION)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_refusal_has_words(code, language):
    """Whatever a submission is refused for, its sender reads what happened and what to do."""
    assert words(language).has(f"error-{code}")
    assert words(language).has(f"error-{code}-remedy")


def test_this_machine_shows_its_own_key_and_a_remote_caller_the_intakes(local, remote):
    """The landing page on another machine shows its key; a wrong one is refused, and so is the local key from elsewhere."""
    assert local.post("/api/crm", json=LEAD).status_code == 202
    assert local.post("/api/crm", json=LEAD, headers={"authorization": ""}).status_code == 401
    assert remote.post("/api/crm", json=LEAD, headers=LOCAL).status_code == 401
    refused = remote.post("/api/crm", json=LEAD)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert remote.post("/api/crm", json=LEAD, headers=bearer(ADMIN)).status_code == 401
    assert remote.post("/api/crm", json=LEAD, headers={"authorization": f"Basic {INTAKE}"}).status_code == 401
    assert remote.post("/api/crm", json=LEAD, headers=bearer(INTAKE)).status_code == 202


def test_a_forms_key_opens_its_form(remote, desk, form):
    """In the header or in the field `key` it names the form; in the address it is not looked for."""
    form_id, key = form
    assert remote.post("/api/crm", json=LEAD, headers=bearer(key)).status_code == 202
    assert remote.post("/api/crm", json=LEAD | {"key": key, "phone": "89991234568"}).status_code == 202
    assert remote.post(f"/api/crm?key={key}", json=LEAD).status_code == 401
    assert {line.form_id for line in desk.intake.log.page()} == {form_id}
    assert [line.body for line in desk.intake.log.page()] == [{}, {}]


def test_a_wrong_key_is_refused_on_this_machine_too(local, desk, key):
    """Whoever shows a key means it: a local site whose key was revoked is not quietly taken for somebody else."""
    assert local.post("/api/crm", json=LEAD, headers=bearer("wrong")).status_code == 401
    desk.intake.forms.revoke(desk.intake.forms.keys(desk.intake.forms.all()[0].id)[0].id)
    answer = local.post("/api/crm", json=LEAD, headers=bearer(key))
    assert (answer.status_code, answer.json()["code"]) == (401, "key_ended")


def test_what_an_ended_key_brought_is_kept(remote, desk, form):
    """A site that was forgotten when the key changed loses nothing: its leads wait in the log."""
    form_id, key = form
    desk.intake.forms.new_key(form_id, overlap=timedelta())
    assert remote.post("/api/crm", json=LEAD, headers=bearer(key)).status_code == 401
    line = desk.intake.log.page()[0]
    assert (line.outcome, line.reason, line.body["phone"]) == ("refused", "key_ended", LEAD["phone"])
    assert desk.intake.accept_kept(line.id).outcome == "accepted"


def test_nobody_knows_whose_it_is(remote, desk):
    """Of a submission with a wrong key nothing is kept."""
    remote.post("/api/crm", json=LEAD, headers=bearer("wrong"))
    remote.post("/api/crm", content=b"{", headers=bearer("wrong") | {"content-type": "application/json"})
    assert outcomes(desk) == []


def test_a_paused_form_says_so_and_keeps_what_comes(remote, desk, form):
    """403, with the submission in the log; resumed it accepts again."""
    form_id, key = form
    desk.intake.forms.pause(form_id)
    answer = remote.post("/api/crm", json=LEAD, headers=bearer(key))
    assert (answer.status_code, answer.json()["code"]) == (403, "form_paused")
    assert desk.intake.log.page()[0].is_open
    desk.intake.forms.resume(form_id)
    assert remote.post("/api/crm", json=LEAD, headers=bearer(key)).status_code == 202


def test_a_page_from_elsewhere_cannot_post_through_a_local_browser(local):
    """A local browser that a foreign page makes send a lead is a foreign caller."""
    assert local.post("/api/crm", json=LEAD, headers={"origin": OTHER}).status_code == 401
    assert local.post("/api/crm", data=LEAD, headers={"origin": "null"}).status_code == 401


def test_without_any_key_the_way_in_is_shut(tmp_path):
    """No key set and no form's key made: shut for everybody from elsewhere, open on this machine to whoever proves it."""
    desk = open_desk(tmp_path)
    remote = client_of(desk, "10.1.2.3", "desk.example.com")
    for method, path in (("post", "/api/crm"), ("get", "/api/crm/x")):
        answer = remote.request(method, path, json=LEAD if method == "post" else None, headers=bearer("x"))
        assert (answer.status_code, answer.json()["code"]) == (403, "api_shut")
    assert client_of(desk).post("/api/crm", json=LEAD).status_code == 202
    assert client_of(desk).post("/api/crm", json=LEAD, headers={"authorization": ""}).status_code == 403
    desk.intake.forms.new_key("api")
    assert remote.post("/api/crm", json=LEAD, headers=bearer("x")).status_code == 401
    desk.close()


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 202), ({"INTAKE_API_KEY": INTAKE}, 401), ({"LOCAL_ACCESS": "code"}, 403),
        ({"BASE_URL": "https://desk.example.com"}, 403), ({"TRUSTED_PROXIES": "127.0.0.1"}, 403),
        ({"PUBLIC_LISTEN": "8502"}, 403),
    ],
    ids=str,
)  # fmt: skip
def test_keyless_intake_ends_with_the_first_sign_of_others(tmp_path, settings, status):
    """Without a key only a demo takes leads, and only until there is a key, a public address, a proxy or a listener."""
    desk = Desk(load(settings, tmp_path))
    answer = client_of(desk).post("/api/crm", json=LEAD, headers={"authorization": ""})
    assert answer.status_code == status
    if status == 202:
        desk.intake.forms.new_key("api")
        assert client_of(desk).post("/api/crm", json=LEAD, headers={"authorization": ""}).status_code == 401
    desk.close()


# Idempotency and duplicates


def test_repeating_is_one_lead(local, desk):
    """The same key and content: the same answer, word for word. Other content: 409 that says so."""
    first, again = (local.post("/api/crm", json=LEAD, headers={"idempotency-key": "a"}) for _ in range(2))
    assert (again.status_code, again.json()) == (202, first.json())
    other = local.post("/api/crm", json=LEAD | {"message": "Нет"}, headers={"idempotency-key": "a"})
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert count(desk) == 1


def test_the_same_phone_again_gets_an_id_of_its_own(local, desk):
    """Pressed twice without a key it is one lead, and nobody is told that it was the second press."""
    first, again = (local.post("/api/crm", json=LEAD | {"message": text}) for text in ("Раз", "Два"))
    assert (shape(first), again.json()["id"] != first.json()["id"]) == (shape(again), True)
    assert outcomes(desk) == [("duplicate", None), ("accepted", None)]


@pytest.mark.parametrize("text", ["", " ", "a b", "x" * 256, "ключ".encode(), b"\x7f", b"a\xff"], ids=repr)
def test_keys_that_are_none(local, desk, text):
    """An Idempotency-Key is 1 to 255 printable ASCII characters without spaces; another one is refused and kept."""
    answer = local.post("/api/crm", json=LEAD, headers={"idempotency-key": text})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_wrong")
    assert desk.intake.log.page()[0].is_open


def test_two_keys_are_none(local):
    """Nobody can say which of two is meant."""
    answer = local.post("/api/crm", json=LEAD, headers=[("idempotency-key", "a"), ("idempotency-key", "b")])
    assert answer.json()["code"] == "idempotency_key_wrong"


@pytest.mark.parametrize("text", ["a", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "!~"])
def test_keys_as_they_may_be(local, text):
    """Quoted as the draft standard has it, short and long."""
    assert local.post("/api/crm", json=LEAD, headers={"idempotency-key": text}).status_code == 202


def test_a_key_looks_at_the_content_and_not_at_how_it_came(remote, desk, key):
    """JSON or form, in any order, with whatever Referer and marks: the same content under one key is one lead."""
    ways = [
        {"json": LEAD, "headers": {}},
        {"data": dict(reversed(LEAD.items())), "headers": {"referer": f"{SITE}/a"}},
        {"data": LEAD, "headers": {"referer": f"{SITE}/b?utm_source=vk", "user-agent": "Another/1.0"}},
        {"data": LEAD | {"page": "", "homepage": ""}, "files": {"photo": ("", b"")}, "headers": {"origin": SITE}},
        {"json": LEAD | {"utm_source": "ya", "fill_ms": 9000}, "headers": {}},
    ]
    told = set()
    for way in ways:
        more = bearer(key, **way.pop("headers"), accept="application/json") | {"idempotency-key": "f-2"}
        answer = remote.post("/api/crm", **way, headers=more)
        assert answer.status_code == 202
        told.add(answer.json()["id"])
    assert len(told) == 1
    other = remote.post("/api/crm", json=LEAD | {"message": "Нет"}, headers=bearer(key, **{"idempotency-key": "f-2"}))
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert count(desk) == 1


# Plain HTML forms


def test_an_empty_page_field_leaves_the_word_to_the_browser(remote, desk, key):
    """A hidden field that no script has filled does not hide what the Referer tells."""
    data = LEAD | {"key": key, "page": " ", "referrer": ""}
    remote.post("/api/crm", data=data, headers={"referer": f"{SITE}/yoga?utm_source=vk", "origin": SITE})
    with desk.store.read() as db:
        told = json.loads(db.scalar(sa.select(accepted_leads.c.tracking)))
    assert told == {"UTM_SOURCE": "vk", "FROM": f"{SITE}/yoga"}


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart", "windows-1251"])
def test_a_plain_form_is_led_to_our_thanks(remote, desk, key, encoding):
    """303 without any script: the lead is there, whatever the form's encoding, and the page thanks in the desk's language."""
    data = LEAD | {"key": key, "consent": "on", "consent_version": "3", "homepage": ""}
    headers = {"origin": SITE}
    match encoding:
        case "urlencoded":
            answer = remote.post("/api/crm", data=data, headers=headers)
        case "multipart":
            answer = remote.post("/api/crm", data=data, files={"photo": ("", b"")}, headers=headers)
        case _:
            content = urlencode(data, encoding="cp1251").encode()
            answer = remote.post("/api/crm", content=content, headers=headers | {"content-type": FORM})
    assert (answer.status_code, answer.headers["location"]) == (303, "/api/crm/thanks")
    thanks = remote.get(answer.headers["location"])
    assert "Спасибо, заявка принята" in thanks.text
    assert thanks.headers["content-type"] == "text/html; charset=utf-8"
    with desk.store.read() as db:
        lead = db.execute(sa.select(accepted_leads)).mappings().one()
        consent = db.execute(sa.select(consents)).mappings().one()
    assert (lead["name"], lead["source"], lead["message"]) == (LEAD["name"], "Сайт", LEAD["message"])
    assert (consent["text_version"], consent["ip"], consent["form"]) == ("3", "10.1.2.3", "Главная")


def test_a_forms_own_thank_you_address(remote, desk, form):
    """Where the form names one, the visitor goes there; a duplicate and a program that filled the trap go there too."""
    form_id, key = form
    desk.intake.forms.change(form_id, FormDraft("Главная", "Сайт", (SITE,), f"{SITE}/ok"))
    for more in ({}, {}, {"homepage": "http://buy.example"}):
        answer = remote.post("/api/crm", data=LEAD | {"key": key} | more)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{SITE}/ok")
    assert [outcome for outcome, _ in outcomes(desk)] == ["flagged", "duplicate", "accepted"]


def test_a_plain_forms_faults_are_a_page(remote, desk, key):
    """422 with a sentence for the field by its name, a way back, and nothing of what was typed."""
    data = {"key": key, "name": "<script>x</script>", "phone": "восемь", "message": "Секрет"}
    answer = remote.post("/api/crm", data=data)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<b>Телефон</b>: Здесь нет номера телефона." in answer.text
    assert "Вернуться к форме" in answer.text
    assert not [text for text in ("восемь", "Секрет", "<script>x") if text in answer.text]
    assert "script-src 'sha256-" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (LEAD, 401, "Ключ не подходит"), (LEAD | {"key": "wrong"}, 401, "Ключ не подходит"), (LEAD | {"key": "x" * 70_000}, 413, "Слишком большой"),
        (dict.fromkeys(map(str, range(200)), "x"), 401, "Ключ не подходит"),
    ],
    ids=["no key", "wrong key", "too large", "too many"],
)  # fmt: skip
def test_other_faults_of_a_plain_form_are_pages_too(remote, data, status, words):
    """Whoever pressed a button reads words and not JSON."""
    answer = remote.post("/api/crm", data=data)
    assert answer.status_code == status
    assert words in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_script_that_sends_a_form_may_ask_for_json(remote, key):
    """`Accept: application/json` turns 303 and pages into 202 and JSON."""
    accept = {"accept": "application/json"}
    assert remote.post("/api/crm", data=LEAD | {"key": key}, headers=accept).status_code == 202
    assert remote.post("/api/crm", data={"key": key}, headers=accept).json()["errors"]


def test_a_file_costs_no_lead(remote, desk, key):
    """A form with a file is taken without it; what the file was called is kept."""
    answer = remote.post("/api/crm", data=LEAD | {"key": key}, files={"photo": ("a.gif", b"GIF")})
    assert answer.status_code == 303
    assert desk.intake.log.page()[0].others == {"photo": "a.gif"}


# Senders that can be told an address and nothing else


@pytest.fixture
def hook(desk):
    """A form whose key may stand in the address, and the address."""
    made = desk.intake.forms.add(FormDraft("Вебхук", "Сайт", (SITE,), **ways_of("webhook")))
    return f"/api/crm/in/{desk.intake.forms.new_key(made.id)}"


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_a_key_in_the_address(remote, desk, hook, end):
    """Posted or asked for, as JSON, as a form or in the query, with a slash or without: each is a lead, answered with one word."""
    sent = [
        remote.post(hook + end, json={"phone": "89991230001"}), remote.post(hook + end, data={"Телефон": "89991230002"}),
        remote.post(f"{hook}{end}?utm_source=vk", json={"phone": "89991230003"}), remote.get(f"{hook}{end}?phone=89991230004"),
        remote.post(f"{hook}{end}?phone=89991230005"),
    ]  # fmt: skip
    assert [(answer.status_code, answer.text) for answer in sent] == [(200, "ok")] * 5
    assert [line.outcome for line in desk.intake.log.page()] == ["accepted"] * 5


def test_whoever_looks_whether_the_address_is_right(remote, desk, hook):
    """Nothing at all, and a builder's check, are answered with 200 and are no submissions; a wrong key is told."""
    assert [remote.get(hook).status_code, remote.post(hook).status_code] == [200, 200]
    assert remote.post(hook, data={"test": "test"}).text == "ok"
    assert remote.post("/api/crm", data={"test": "test"}, headers=bearer(INTAKE)).text == "ok"
    assert remote.post(f"{hook}x", data={"test": "test"}).status_code == 401
    assert desk.intake.log.count() == 0


def test_only_where_the_form_allows_it(remote, desk, form, hook):
    """A form that has not allowed it, the built-in one above all, takes no key from the address, and keeps what came."""
    for key in (form[1], INTAKE):
        answer = remote.post(f"/api/crm/in/{key}", json=LEAD)
        assert (answer.status_code, answer.json()["code"]) == (403, "key_not_in_address")
    assert [line.is_open for line in desk.intake.log.page()] == [True, True]
    assert remote.post("/api/crm/in/%20", json=LEAD).status_code == 401
    assert "desk_" not in str(desk.intake.log.page()[0])


def test_a_page_that_hides_where_it_is(remote, desk, key):
    """`Origin: null` is told for what it is, on the page its visitor reads and in the form's log, and what was said is kept."""
    headers = {"origin": "null", "accept": "text/html"}
    answer = remote.post("/api/crm", data=LEAD | {"key": key}, headers=headers)
    assert answer.status_code == 403
    assert "Браузер скрыл, с какого сайта отправлено" in answer.text
    assert outcomes(desk) == [("refused", "origin_null")]
    assert desk.intake.accept_kept(desk.intake.log.page()[0].id).outcome == "accepted"


def test_a_slash_at_the_end(remote, key):
    """The address is the same with it: sending, asking where a lead is, and a browser's question before both."""
    answer = remote.post("/api/crm/", json=LEAD, headers=bearer(key))
    assert answer.status_code == 202
    assert remote.get(f"/api/crm/{answer.json()['id']}/", headers=bearer(key)).status_code == 200
    assert preflight(remote, SITE, "/api/crm/").status_code == 204
    assert remote.get("/api/crm/thanks/").status_code == 200


def test_a_builder_sends_again(remote, desk, hook):
    """The same content with a number of its own is the first lead, hours later too; a phone alone may mean it tomorrow."""
    numbered = {"Phone": "89991230006", "tranid": "1:2"}
    first = remote.post(hook, data=numbered)
    with clock.moved(timedelta(hours=5)):
        again, other = remote.post(hook, data=numbered), remote.post(hook, data={"Phone": "89991230006"})
    assert {answer.text for answer in (first, again, other)} == {"ok"}
    assert [line.outcome for line in desk.intake.log.page()] == ["accepted", "repeated", "accepted"]


def test_what_cannot_be_read_is_kept_whole(remote, desk, hook):
    """Broken JSON, another kind of content, too much of it, a form cut short: as it came, with its phone, without its key."""
    key = hook.rpartition("/")[2]
    broken = f'{{"key": "{key}", "Имя": "Лом", "phone": "8 999 123-00-07"; oops}}'
    sent = [
        remote.post(hook, content=broken.encode(), headers={"content-type": "application/json"}),
        remote.post("/api/crm", content=broken.encode(), headers={"content-type": "application/json"}),
        remote.post(hook, content=b"<phone>8 999 123-00-08</phone>", headers={"content-type": "application/xml"}),
        remote.post(hook, content=b'{"phone": "89991230009", "x": "' + b"x" * 70_000 + b'"}', headers={"content-type": "application/json"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in sent] == [400, 400, 415, 413]
    lines = desk.intake.log.page()
    assert [line.is_open for line in lines] == [True] * 4
    assert len(lines[0].raw) == LARGEST_BODY_BYTES
    assert [key in line.raw or key in str(line.body) for line in lines] == [False] * 4
    assert {desk.intake.accept_kept(line.id).outcome for line in lines} == {"accepted"}
    phones = [line.phone for line in desk.intake.log.page()]
    assert phones == ["+79991230009", "+79991230008", "+79991230007", "+79991230007"]


def test_a_visitor_is_told_and_a_program_is_kept(remote, desk, key, hook):
    """A digit too few: a page's script and a plain form read at the field what is wrong; from a builder the lead is taken as it is."""
    said = {"name": "Ольга", "phone": "8 961 555-10-2"}
    page = remote.post("/api/crm", json=said, headers=bearer(key, origin=SITE))
    assert (page.status_code, page.json()["errors"][0]["field"]) == (422, "phone")
    plain = remote.post("/api/crm", data=said | {"key": key}, headers={"accept": "text/html", "origin": SITE})
    assert (plain.status_code, "<b>Телефон</b>" in plain.text) == (422, True)
    assert remote.post(hook, data=said).status_code == 200
    assert remote.post("/api/crm", json=said, headers=bearer(key)).status_code == 202
    refused = [line for line in desk.intake.log.page() if line.outcome == "refused"]
    assert [desk.intake.accept_kept(line.id).outcome for line in refused] == ["accepted"] * 2


def test_a_forms_own_answer(remote, desk, form):
    """Whatever content it sends, a form that wants it gets 200 and one word; a browser that opened a page is led to thanks."""
    form_id, key = form
    desk.intake.forms.change(form_id, FormDraft("Главная", "Сайт", (SITE,), answer="plain"))
    assert remote.post("/api/crm", json=LEAD, headers=bearer(key)).text == "ok"
    assert remote.post("/api/crm", data=LEAD, headers=bearer(key)).text == "ok"
    assert remote.post("/api/crm", data=LEAD | {"key": key}, headers={"accept": "text/html,*/*"}).status_code == 303


# Browsers and other sites


def preflight(client, origin, path="/api/crm", method="POST"):
    headers = {
        "origin": origin, "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type,idempotency-key",
    }  # fmt: skip
    return client.options(path, headers=headers)


def test_a_preflight_of_an_allowed_site(remote, key):
    """204: this site, these headers, this method, for ten minutes; for asking where a lead is, too."""
    answer = preflight(remote, SITE)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == SITE
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type, idempotency-key"
    assert answer.headers["access-control-max-age"] == "600"
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers
    assert preflight(remote, SITE, f"/api/crm/{'0' * 32}", "GET").headers["access-control-allow-methods"] == "GET"


@pytest.mark.parametrize("origin", [OTHER, "null", f"{SITE}.evil.example", f"{SITE}:8443", "http://fit.example", ""])
def test_a_preflight_of_any_other_site(remote, key, origin):
    """403 in words, and nothing that would let a browser go on."""
    answer = preflight(remote, origin)
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers


def test_options_that_is_no_preflight(remote):
    """Asked what it takes, the address says so."""
    assert remote.options("/api/crm").headers["allow"] == "POST, OPTIONS"


def test_a_site_the_form_does_not_allow_is_refused(remote, desk, form):
    """403 before anything but the log is written, also where another form allows that site; the script can read why."""
    _, key = form
    other = desk.intake.forms.add(FormDraft("Акция", "Акция", (OTHER,)))
    refused = remote.post("/api/crm", json=LEAD, headers=bearer(key, origin=OTHER))
    assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
    assert refused.headers["access-control-allow-origin"] == OTHER
    assert outcomes(desk) == [("refused", "origin_not_allowed")]
    assert count(desk) == 0
    desk.intake.forms.pause(other.id)
    stranger = remote.post("/api/crm", json=LEAD, headers=bearer(key, origin=OTHER))
    assert "access-control-allow-origin" not in stranger.headers


def test_scripts_of_an_allowed_site_can_read_every_answer(remote, key):
    """Accepted or refused, the answer names the site; other sites' caches are kept apart."""
    for send in (
        {"json": LEAD, "headers": bearer(key, origin=SITE)}, {"json": {}, "headers": bearer(key, origin=SITE)},
        {"json": LEAD, "headers": bearer("wrong", origin=SITE)},
        {"content": b"{", "headers": bearer(key, origin=SITE) | {"content-type": "application/json"}},
    ):  # fmt: skip
        answer = remote.post("/api/crm", **send)
        assert answer.headers["access-control-allow-origin"] == SITE
        assert answer.headers["vary"] == "Origin"
        assert answer.headers["access-control-expose-headers"] == "retry-after"
    assert remote.get("/api/crm/x/y", headers={"origin": SITE}).headers["access-control-allow-origin"] == SITE


def test_the_connection_is_open_to_no_site(local, key):
    """/api/amocrm answers no page's script."""
    answer = local.get("/api/amocrm/auth", headers=bearer(ADMIN, origin=SITE))
    assert "access-control-allow-origin" not in answer.headers


def test_the_settings_sites_are_the_built_in_forms(tmp_path):
    """INTAKE_ALLOWED_ORIGINS with INTAKE_API_KEY works as it did."""
    desk = open_desk(tmp_path, INTAKE_API_KEY=INTAKE, INTAKE_ALLOWED_ORIGINS=SITE)
    remote = client_of(desk, "10.1.2.3", "desk.example.com")
    assert preflight(remote, SITE).status_code == 204
    assert remote.post("/api/crm", json=LEAD, headers=bearer(INTAKE, origin=SITE)).status_code == 202
    assert remote.post("/api/crm", json=LEAD, headers=bearer(INTAKE, origin=OTHER)).status_code == 403
    desk.close()


# Programs


@pytest.mark.parametrize("more", [{"homepage": "http://buy.example"}, {"fill_ms": 5}], ids=["trap", "too fast"])
def test_a_programs_work_looks_accepted(remote, desk, key, more):
    """To its sender nothing differs: status, headers, names and shape of the values, also when asking where it is."""
    real = remote.post("/api/crm", json=LEAD, headers=bearer(key))
    fake = remote.post("/api/crm", json=LEAD | {"phone": "89991234568"} | more, headers=bearer(key))
    assert shape(real) == shape(fake)
    asked = [remote.get(f"/api/crm/{answer.json()['id']}", headers=bearer(key)) for answer in (real, fake)]
    assert shape(asked[0]) == shape(asked[1])
    assert asked[1].json()["status"] == "queued"
    assert count(desk) == 1


def shape(answer):
    lengths = {name: (type(value), len(str(value))) for name, value in answer.json().items()}
    return answer.status_code, sorted(answer.headers.items()), lengths


# How fast


def refused_after(send, most=400):
    """How many were let through before the first 429, and that answer."""
    for number in range(most):
        answer = send()
        if answer.status_code == 429:
            return number, answer
    return most, answer


def test_a_browsers_burst(standing_remote, key):
    """Ten of one visitor's submissions at once; the eleventh is told how long to wait, and the script can read it."""
    headers = bearer(key, origin=SITE)
    number, answer = refused_after(lambda: standing_remote.post("/api/crm", json={}, headers=headers))
    assert number == PERSON.burst
    assert answer.json()["code"] == "too_many_requests"
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["access-control-allow-origin"] == SITE


def test_a_plain_form_counts_as_a_browser(standing_remote, key):
    """Without an Origin too; the visitor reads a page."""
    number, answer = refused_after(lambda: standing_remote.post("/api/crm", data={"key": key}))
    assert number == PERSON.burst
    assert "Слишком много заявок" in answer.text


def test_a_program_may_do_more(standing_remote, key):
    """Sixty at once from one address with no browser in it."""
    number, answer = refused_after(lambda: standing_remote.post("/api/crm", json={}, headers=bearer(key)))
    assert number == PROGRAM.burst
    assert answer.headers["retry-after"] == "1"


def test_a_program_that_sends_a_form_is_a_program(standing_remote, key):
    """A site's server that sends what PHP's curl does by itself: no HTML form can show a key in the head."""
    sent = {"data": {"phone": "+79991234567"}, "headers": bearer(key)}
    number, _ = refused_after(lambda: standing_remote.post("/api/crm", **sent))
    assert number == PROGRAM.burst


def test_visitors_do_not_hold_each_other_up(desk, key):
    """Each address has its own; a /64 of IPv6 is one, and a /48 has no more than eight of them."""
    app = app_of(desk, standing())

    def sent(peer):
        client = TestClient(app, base_url="http://desk.example.com", client=(peer, 5), follow_redirects=False)
        return refused_after(lambda: client.post("/api/crm", data={"key": key}), most=11)[0]

    assert [sent(peer) for peer in ("203.0.113.1", "203.0.113.2")] == [PERSON.burst] * 2
    assert sent("2001:db8:1:2::1") == PERSON.burst
    assert sent("2001:db8:1:2::2") == 0
    assert [sent(f"2001:db8:1:{home}::2") for home in range(3, 9)] == [PERSON.burst] * 6
    assert (
        sum(sent(f"2001:db8:1:{home:x}::2") for home in range(9, 40)) < PERSON.burst * SITE_WIDE - 7 * PERSON.burst + 1
    )
    assert sent("2001:db8:2:1::2") == PERSON.burst


def test_this_machine_is_only_held_to_what_all_may(desk):
    """A program here, such as the site's own server, sends as fast as the desk takes."""
    local = client_of(desk, pace=standing())
    number, answer = refused_after(lambda: local.post("/api/crm", json={}))
    assert number == SHARE.burst + ALL_TAKING.burst
    assert answer.status_code == 429


def test_strangers_spend_their_own(desk, key):
    """Whoever has no right key is stopped, from one address and from all together, and takes nothing from those who have one."""
    app = app_of(desk, standing())

    def caller(peer):
        return TestClient(app, base_url="http://desk.example.com", client=(peer, 5), follow_redirects=False)

    def wrong(peer, method="post"):
        path = "/api/crm" if method == "post" else f"/api/crm/{'0' * 32}"
        return refused_after(lambda: caller(peer).request(method, path, headers=bearer("wrong")))[0]

    assert wrong("203.0.113.1") == STRANGER.burst
    assert wrong("203.0.113.1", "get") == 0
    assert wrong("203.0.113.2", "get") == STRANGER.burst
    assert sum(wrong(f"203.0.113.{number}") for number in range(3, 30)) == ALL_STRANGERS.burst - 2 * STRANGER.burst
    assert caller("203.0.113.1").post("/api/crm", json=LEAD, headers=bearer(key)).status_code == 202
    assert caller("203.0.113.9").post("/api/crm", data=LEAD | {"key": key}).status_code == 303
    assert caller("203.0.113.9").post("/api/crm", data=LEAD | {"key": "wrong"}).status_code == 429
    assert caller("203.0.113.9").get(f"/api/crm/{'0' * 32}", headers=bearer(key)).status_code == 404


def test_a_forms_flood_leaves_the_other_forms_their_share(desk, key):
    """From six addresses one form's leads and questions take what is there for all; another form's still come in."""
    pace = standing()
    other = desk.intake.forms.new_key(desk.intake.forms.add(FormDraft("Акция")).id)
    app = app_of(desk, pace)

    def sent(number, shown, method="post"):
        client = TestClient(app, base_url="http://desk.example.com", client=(f"203.0.113.{number}", 5))
        path = "/api/crm" if method == "post" else f"/api/crm/{'0' * 32}"
        return refused_after(lambda: client.request(method, path, json={}, headers=bearer(shown)), most=60)[0]

    assert sum(sent(number, key) for number in range(6)) == SHARE.burst + ALL_TAKING.burst
    assert sum(sent(number, other) for number in range(6, 9)) == SHARE.burst
    assert sum(sent(number, key, "get") for number in range(6)) > ASKING_SHARE.burst
    assert sum(sent(number, other, "get") for number in range(6, 9)) == ASKING_SHARE.burst


def test_behind_a_trusted_proxy_each_visitor_counts(tmp_path):
    """With TRUSTED_PROXIES the address the proxy tells counts, for the limit and for the consent; without it the proxy's."""
    for trusted, others_pass in (("10.0.0.0/8", True), ("", False)):
        folder = tmp_path / (trusted.partition("/")[0] or "none")
        desk = open_desk(folder, INTAKE_API_KEY=INTAKE, TRUSTED_PROXIES=trusted)
        proxy = client_of(desk, "10.1.2.3", "desk.example.com", standing())

        def send(visitor, proxy=proxy):
            return proxy.post("/api/crm", data={"key": INTAKE}, headers={"x-forwarded-for": f"1.2.3.4, {visitor}"})

        assert refused_after(lambda send=send: send("203.0.113.1"))[0] == PERSON.burst
        assert (send("203.0.113.2").status_code == 422) is others_pass
        assert {line.ip for line in desk.intake.log.page()} == (
            {"203.0.113.1", "203.0.113.2"} if trusted else {"10.1.2.3"}
        )
        desk.close()


# Addresses


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/crm/unknown", 404), ("get", "/api/crm/" + "x" * 500, 404), ("get", "/api/crm/%00", 404),
        ("get", "/api/nothing", 404), ("delete", "/api/crm", 405), ("put", "/api/crm", 405), ("get", "/api/crm", 405),
        ("get", f"/api/crm/{'0' * 32}", 404), ("post", "/api/crm/thanks", 405),
    ],
)  # fmt: skip
def test_addresses_that_are_none(local, method, path, status):
    """Wrong addresses and methods are answered in words, as JSON; a wrong method with those that are right."""
    answer = local.request(method, path)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert bool(answer.headers.get("allow")) is (status == 405)


def test_a_stranger_learns_nothing_of_a_lead(local, remote, key):
    """Where a lead is, is told to whoever has its form's key; never with a name or a phone."""
    lead_id = remote.post("/api/crm", json=LEAD, headers=bearer(key)).json()["id"]
    assert remote.get(f"/api/crm/{lead_id}").status_code == 401
    answer = remote.get(f"/api/crm/{lead_id}", headers=bearer(key))
    assert answer.status_code == 200
    assert "999" not in answer.text.replace(lead_id, "")
    assert "Иван" not in answer.text


def test_the_database_away_is_said_so(desk, key, monkeypatch):
    """503 with Retry-After, in words, and no trace; nothing was promised."""
    from store import StoreError

    client = client_of(desk)

    def fail(*_, **__):
        raise StoreError("database_unreachable")

    monkeypatch.setattr(desk.store, "write", fail)
    answer = client.post("/api/crm", json=LEAD)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unreachable")
    assert answer.headers["retry-after"] == "5"
    monkeypatch.setattr(desk.intake.forms, "_now", fail)
    assert client.post("/api/crm", json=LEAD, headers={"origin": SITE}).status_code == 503
    assert "secret" not in answer.text


HOSTILE = st.one_of(st.text(), st.none(), st.integers(), st.floats(), st.booleans(), st.lists(st.text(), max_size=3),
                    st.sampled_from(["\ud800", "\x00", "\u202e", "x" * 5000, "=1+1", "<b>", 10**300, [[[[[[]]]]]], {"a": {"b": {}}}]))  # fmt: skip


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from([*LEAD, "key", "page", "utm_source", "consent", "fill_ms", "homepage", "x"]), HOSTILE
    ),
    st.sampled_from(["application/json", FORM, "multipart/form-data; boundary=x", "application/json; charset=x"]),
    st.binary(max_size=300),
    st.booleans(),
)
def test_no_input_makes_a_5xx(unhurried, raw, kind, noise, as_noise):
    """Whatever is sent in whatever encoding, the answer is a 2xx, 3xx or 4xx in words."""
    content = noise if as_noise else json.dumps(raw).encode()
    answer = unhurried.post("/api/crm", content=content, headers={"content-type": kind})
    assert answer.status_code < 500
    assert answer.status_code in (202, 303) or answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"content-encoding": "gzip"}, {"content-encoding": "\x7f"}, {"content-type": "\xff"}, {"accept": "\xff"}, {"origin": "\xff"},
        {"x-forwarded-for": "\xff, ,,, ["}, {"authorization": "Bearer \xff"}, {"authorization": "Bearer"}, {"cookie": "=\xff;"},
        {"content-type": "multipart/form-data; boundary=\xff"}, {"content-length": "5"}, {"idempotency-key": "\xff"},
    ],
    ids=str,
)  # fmt: skip
def test_no_header_makes_a_5xx(local, headers):
    """Whatever stands in the headers."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = local.post("/api/crm", content=json.dumps(LEAD), headers=raw)
    assert answer.status_code < 500


def test_whoever_hangs_up_leaves_nothing(desk):
    """A connection cut while the body is being sent makes no lead and no error."""

    from desk.web.api import build

    sent = []

    async def call():
        scope = {
            "type": "http", "method": "POST", "path": "/crm", "root_path": "", "query_string": b"", "client": ("127.0.0.1", 5),
            "headers": [
                    (b"host", b"localhost"), (b"content-type", b"application/json"), (b"authorization", LOCAL["Authorization"].encode()),
                ],
                "http_version": "1.1", "scheme": "http",
            "server": ("localhost", 8501),
        }  # fmt: skip
        messages = iter([{"type": "http.request", "body": b'{"name":', "more_body": True}, {"type": "http.disconnect"}])

        async def receive():
            return next(messages)

        async def send(message):
            sent.append(message)

        await build(lambda: desk)(scope, receive, send)

    in_a_loop(call)
    assert sent[0]["status"] == 400
    assert count(desk) == 0
    assert count(desk, submissions) == 1


def test_kinds_in_the_description_are_those_that_are_read(local):
    """The description names the content types and the required fields."""
    content = local.get("/api/openapi.json").json()["paths"]["/crm"]["post"]["requestBody"]["content"]
    assert set(content) == {bodies.JSON, bodies.URLENCODED, bodies.MULTIPART}
