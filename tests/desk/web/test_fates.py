"""What a key learns of leads: nothing of another form's, and with a page's key not whether somebody has written.

Two phones stand for two worlds: one has just been left in the form, the other never. Whatever a stranger sends and asks, every answer
is the same for both: status, headers and content, but for the id and the time of its own submission.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from desk.intake.form_draft import FormDraft
from desk.lead import NewLead
from store import clock
from store.tables import deliveries
from tests.desk.web.conftest import INTAKE, client_of, no_hurry, open_desk

SITE = "https://fit.example"
WRITTEN, UNWRITTEN = "8 916 123-45-67", "8 916 123-45-68"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOMENTS = (timedelta(), timedelta(seconds=5), timedelta(minutes=9), HOUR, 2 * DAY, 89 * DAY, 91 * DAY)
"""After the stranger's submission."""


@pytest.fixture
def desk(tmp_path):
    opened = open_desk(tmp_path, INTAKE_API_KEY=INTAKE)
    yield opened
    opened.close()


@pytest.fixture
def remote(desk):
    """A caller from elsewhere whom no limit holds up."""
    return client_of(desk, peer="10.1.2.3", host="desk.example.com", pace=no_hurry())


def a_form(desk, name="Главная", **more):
    made = desk.intake.forms.add(FormDraft(name, "Сайт", (SITE,), key_in_address=True, **more))
    return made, desk.intake.forms.new_key(made.id)


def bearer(key, **more):
    return {"headers": {"authorization": f"Bearer {key}", **more}}


WAYS = {
    "a program": lambda key, said: ("/api/crm", {"json": said, **bearer(key)}),
    "a page's script": lambda key, said: ("/api/crm", {"json": said, **bearer(key, origin=SITE)}),
    "a plain form": lambda key, said: ("/api/crm", {"data": said | {"key": key}, "headers": {"accept": "text/html"}}),
    "a form that reads": lambda key, said: (
        "/api/crm",
        {"data": said | {"key": key}, "headers": {"accept": "application/json"}},
    ),
    "by address": lambda key, said: (f"/api/crm/in/{key}", {"json": said}),
    "with an Idempotency-Key": lambda key, said: (
        "/api/crm",
        {"json": said, **bearer(key, **{"idempotency-key": f"k{said['phone'][-1]}"})},
    ),
    "another time over": lambda key, said: ("/api/crm", {"json": said | {"tranid": f"1:{said['phone'][-1]}"}, **bearer(key)}),
    "in other words": lambda key, said: ("/api/crm", {"json": {"phone": said["phone"]}, **bearer(key)}),
    "a bot": lambda key, said: ("/api/crm", {"json": said | {"homepage": "x"}, **bearer(key)}),
    "too much": lambda key, said: ("/api/crm", {"json": said | {"name": "x" * 5000}, **bearer(key, origin=SITE)}),
}  # fmt: skip


def told(answer, before, after):
    """All of an answer but its id and its time, which have to be its own."""
    content = answer.text
    try:
        data = answer.json()
    except ValueError:
        data = {}
    if lead_id := data.get("id", data.get("order_id")):
        content = content.replace(lead_id, "<id>")
    if at := data.get("accepted_at"):
        assert before <= datetime.fromisoformat(at) <= after
        content = content.replace(at, "<at>")
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return answer.status_code, headers, content


def delivered(desk):
    """Everything that was accepted is in AmoCRM now."""
    with desk.store.write() as db:
        there = {"state": "delivered", "attempts": 3, "settled_at": clock.now()}
        db.execute(deliveries.update().values(there))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("preset", ["own", "roistat"])
def test_nobody_learns_whether_a_phone_has_written(desk, remote, way, preset):
    """However a phone is posted, once and again, and whenever its fate is asked for: as if nobody had ever left it."""
    _, key = a_form(desk, preset=preset, answer="plain" if preset == "roistat" else "json")
    other = a_form(desk, "Другая")[1]
    first = remote.post("/api/crm", json={"name": "Жертва", "phone": WRITTEN}, **bearer(key))
    assert first.status_code in (200, 202)
    seen: dict[str, list] = {WRITTEN: [], UNWRITTEN: []}
    ids: dict[str, list[str]] = {WRITTEN: [], UNWRITTEN: []}
    before = clock.now()
    for phone, answers in seen.items():
        address, sent = WAYS[way](key, {"name": "Кто-то", "phone": phone})
        for _ in range(2):
            answer = remote.post(address, **sent)
            answers.append(told(answer, before, clock.now()))
            data = answer.json() if answer.text.startswith("{") else {}
            ids[phone] += [data[name] for name in ("id", "order_id") if name in data]
    after = clock.now()
    for number, moment in enumerate(MOMENTS):
        with clock.moved(moment):
            desk.intake.prune()
            for phone, answers in seen.items():
                for lead_id in ids[phone]:
                    answers += [
                        told(remote.get(f"/api/crm/{lead_id}", **bearer(shown)), before, after)
                        for shown in (key, other)
                    ]
        if number == 1:
            delivered(desk)
    assert seen[WRITTEN] == seen[UNWRITTEN]
    assert first.json().get("id") not in ids[WRITTEN] if first.text.startswith("{") else True
    assert way not in ("a program", "a page's script") or preset == "roistat" or ids[WRITTEN]


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_another_forms_lead_is_no_lead(desk, remote, moment):
    """Of what came through another form, of an operator's and of none at all a key is told the same, word for word."""
    (_, mine), (_, theirs) = a_form(desk), a_form(desk, "Другая")
    lead = {"name": "Иван", "phone": WRITTEN}
    foreign = [
        remote.post("/api/crm", json=lead | more, **bearer(theirs)).json()["id"]
        for more in ({}, {"message": "Ещё"}, {"homepage": "x"})
    ]
    foreign.append(remote.post("/api/crm", json=lead, **bearer(INTAKE)).json()["id"])
    foreign.append(desk.outbox.accept(NewLead("Иван", "+79161234569"), "desk"))
    with clock.moved(moment):
        unknown = remote.get(f"/api/crm/{'0' * 32}", **bearer(mine))
        assert unknown.status_code == 404
        for lead_id in [*foreign, "x", "%00", "0" * 33]:
            answer = remote.get(f"/api/crm/{lead_id}", **bearer(mine))
            assert (answer.status_code, answer.headers, answer.text) == (404, unknown.headers, unknown.text)


def test_the_owners_program_follows_its_own_leads(desk, remote):
    """`INTAKE_API_KEY` without sites of its own is told how far each is, of a duplicate where the first is; and no other form's."""
    first, again = (
        remote.post("/api/crm", json={"phone": WRITTEN, "message": text}, **bearer(INTAKE)).json()["id"]
        for text in "ab"
    )
    other = remote.post("/api/crm", json={"phone": WRITTEN}, **bearer(a_form(desk)[1])).json()["id"]
    assert first != again

    def asked(lead_id):
        return remote.get(f"/api/crm/{lead_id}", **bearer(INTAKE))

    assert [asked(one).json()["status"] for one in (first, again)] == ["queued"] * 2
    delivered(desk)
    assert [(asked(one).json()["status"], asked(one).json()["attempts"]) for one in (first, again)] == [
        ("delivered", 3)
    ] * 2
    assert asked(again).json()["id"] == again
    assert asked(other).status_code == 404
    with clock.moved(91 * DAY):
        assert asked(first).status_code == 200


def test_a_key_of_pages_is_no_programs(tmp_path):
    """With `INTAKE_ALLOWED_ORIGINS` the same key stands on the pages of these sites, and is told no more than a form's."""
    desk = open_desk(tmp_path, INTAKE_API_KEY=INTAKE, INTAKE_ALLOWED_ORIGINS=SITE)
    remote = client_of(desk, peer="10.1.2.3", host="desk.example.com")
    lead_id = remote.post("/api/crm", json={"phone": WRITTEN}, **bearer(INTAKE)).json()["id"]
    with desk.store.write() as db:
        db.execute(sa.update(deliveries).values(state="delivered", attempts=3))
    told = remote.get(f"/api/crm/{lead_id}", **bearer(INTAKE)).json()
    assert (told["status"], told["attempts"], told["amocrm_lead_id"]) == ("delivered", 0, None)
    assert client_of(desk).get(f"/api/crm/{lead_id}").json()["status"] == "delivered"
    desk.close()
