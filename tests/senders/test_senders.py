"""The corpus of real senders, posted as it is: over a socket to a running desk, and out into the sandbox's AmoCRM.

The fast run asks the desk's own tables what became of each request; the slow one asks the sandbox, when all of them have arrived.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests
import sqlalchemy as sa

from desk.desk import Desk
from desk.fields import FieldMap
from desk.intake import Forms, SubmissionLog
from desk.intake.intake import Intake
from desk.settings import Settings
from sandbox.process import Sandbox, running_sandbox
from store import Store
from store.tables import accepted_leads, consents
from tests.desk.web.conftest import ADMIN, INTAKE, app_of, no_hurry
from tests.senders.corpus import Sent, add_fields, all_sent, form_id_of, make_forms, post
from tests.support.desks import desk_for, settings_for
from tests.support.programs import RunningDesk, running_desk, until

CORPUS = all_sent()

NAMELESS = "Без имени"

ARRIVING_S = 240.0
"""How long a hundred leads may take into AmoCRM on a loaded machine."""


def test_there_are_enough_of_them():
    """At least sixty requests, of every preset, with a right outcome each."""
    from desk.intake.presets import PRESETS

    assert len(CORPUS) >= 60
    assert {sent.form for sent in CORPUS} >= {preset.id or "own" for preset in PRESETS}
    assert [sent.name for sent in CORPUS if "status" not in sent.right] == []


# In this process: what each becomes


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with running_sandbox(leads=5, rps=1000) as running:
        yield running


class Here:
    """A desk in this process, its forms and their keys. Requests are put together byte for byte and taken apart by the same server code."""

    def __init__(self, desk: Desk) -> None:
        from starlette.testclient import TestClient

        self.desk, self.keys = desk, make_forms(desk.intake.forms) | {"api": INTAKE}
        self.words = add_fields(desk.fields)
        app = app_of(desk, no_hurry())
        self.client = TestClient(app, base_url="http://localhost:8501", client=("127.0.0.1", 5), follow_redirects=False)

    def send(self, sent: Sent) -> tuple[int, str]:
        head, _, body = sent.on_the_wire("localhost:8501", self.keys[sent.form], self.words).partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        method, path, _ = first.decode().split(" ")
        headers = [
            tuple(part.strip() for part in line.split(b":", 1)) for line in lines if not line.startswith(b"Connection")
        ]
        request = self.client.build_request(method, path, content=body, headers=headers)
        request.headers.pop("accept-encoding", None)
        answer = self.client.send(request)
        return answer.status_code, answer.text


@pytest.fixture(scope="module")
def here(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    with desk_for(box, tmp_path_factory.mktemp("senders"), INTAKE_API_KEY=INTAKE) as desk:
        yield Here(desk)


def newest(desk: Desk):
    with desk.store.read() as db:
        return db.execute(sa.select(accepted_leads).order_by(accepted_leads.c.accepted_at.desc())).mappings().first()


def count(desk: Desk) -> int:
    with desk.store.read() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(accepted_leads)) or 0


@pytest.mark.parametrize("sent", CORPUS, ids=lambda sent: sent.name)
def test_each_becomes_what_is_right(sent: Sent, here: Here):
    """Status, answer and outcome as the file says; of a lead its phone, name, words, marks and what stands in its note."""
    before, lines = count(here.desk), here.desk.intake.log.count()
    status, text = here.send(sent)
    assert (status, text) == (int(sent.one("status")), text)
    assert sent.one("answer") in text
    if sent.outcome == "check":
        assert (count(here.desk), here.desk.intake.log.count()) == (before, lines)
        return
    line = here.desk.intake.log.page(limit=1)[0]
    assert (line.outcome, line.form_id) == (sent.outcome, form_id_of(sent.form, here.desk.intake.forms))
    if sent.outcome == "refused":
        _kept(sent, here.desk.intake)
        return
    assert count(here.desk) == before + 1
    _as_right(sent, here)
    if sent.one("again"):
        assert here.send(sent) == (status, text)
        assert count(here.desk) == before + 1
        assert here.desk.intake.log.page(limit=1)[0].outcome == "repeated"


def _as_right(sent: Sent, here: Here) -> None:
    lead = newest(here.desk)
    noted = {
        name.removeprefix("said:"): text for name, text in json.loads(lead["extra"]).items() if name.startswith("said:")
    }
    notes = [lead["message"], *(f"{label}: {text}" for label, text in noted.items())]
    tracking = json.loads(lead["tracking"])
    assert lead["phone"].startswith(sent.one("phone"))
    assert lead["name"] == ("" if sent.one("name") == NAMELESS else sent.one("name") or lead["name"])
    assert lead["direction"] == (sent.one("direction") or lead["direction"])
    assert sent.one("message") in lead["message"]
    assert [note for note in sent.right.get("note", []) if note not in notes] == []
    assert [note for note in sent.right.get("note-not", []) if note in "\n".join(notes)] == []
    assert tracking.get("UTM_SOURCE", "") == (sent.one("utm_source") or tracking.get("UTM_SOURCE", ""))
    assert tracking.get("ROISTAT", "") == (sent.one("roistat") or tracking.get("ROISTAT", ""))
    extra = json.loads(lead["extra"])
    assert extra.get(here.words["TICK"], "") == sent.one("tick")
    assert extra.get(here.words["SELECT"], "") == sent.one("choice").replace("{CHOICE}", here.words["CHOICE"])
    with here.desk.store.read() as db:
        has_consent = db.scalar(sa.select(sa.func.count()).where(consents.c.lead_id == lead["id"]))
    if sent.one("consent"):
        assert has_consent


def _kept(sent: Sent, intake: Intake) -> None:
    """What was refused is whole in the log, and one press makes a lead of it with the phone it held."""
    line = intake.log.page(limit=1)[0]
    assert (line.reason, line.is_open) == (sent.one("code"), True)
    said = intake.log.said(line)
    assert [
        held
        for held in sent.right.get("held", [])
        if held not in [f"{name}: {text}" for name, text in said.others.items()]
    ] == []
    if sent.one("kept"):
        assert intake.accept_kept(line.id).outcome == "accepted"
        assert intake.log.one(line.id).phone == sent.one("kept")
    else:
        assert intake.accept_kept(line.id, {"phone": "+7 916 209-99-99"}).outcome == "accepted"


# On the real server, and out into AmoCRM


@pytest.fixture(scope="module")
def desk() -> Iterator[tuple[Sandbox, RunningDesk]]:
    """A running desk, connected to a sandbox of its own."""
    with (
        running_sandbox(leads=5, rps=1000) as box,
        running_desk(**settings_for(box, ADMIN_API_KEY=ADMIN, INTAKE_API_KEY=INTAKE)) as running,
    ):
        requests.post(
            f"{running.url}/api/amocrm/callback",
            json={"refresh_token": box.grant()["refresh_token"]},
            headers={"Authorization": f"Bearer {ADMIN}"},
            timeout=60,
        ).raise_for_status()
        yield box, running


@pytest.mark.slow
def test_all_of_them_arrive_in_amocrm(desk: tuple[Sandbox, RunningDesk]):
    """Every request of the corpus, posted over a socket of its own: what is a lead stands in AmoCRM, once, with its person and its note."""
    box, running = desk
    store = Store(running.database_url)
    settings = Settings()
    fields, forms = FieldMap(store, settings), Forms(store, settings)
    until(lambda: fields.known("leads"), "the account's fields", ARRIVING_S)
    keys, words = make_forms(forms) | {"api": INTAKE}, add_fields(fields)
    until(
        lambda: all(_is_known(running, key) for name, key in keys.items()), "the desk to notice the forms", ARRIVING_S
    )
    before = {row["id"] for row in box.entities("leads", limit=10_000)}
    wrong = []
    for sent in CORPUS:
        request = sent.on_the_wire(f"localhost:{running.port}", keys[sent.form], words)
        for _ in range(2 if sent.one("again") else 1):
            status, text = post(running.port, request)
            if (status, sent.one("answer") in text) != (int(sent.one("status")), True):
                wrong.append((sent.name, status, text))
    assert wrong == []
    leads = [sent for sent in CORPUS if sent.outcome == "accepted"]
    until(
        lambda: len(box.entities("leads", limit=10_000)) >= len(before) + len(leads), "all leads in AmoCRM", ARRIVING_S
    )
    until(lambda: _all_settled(store, len(leads)), "their notes", ARRIVING_S)
    arrived = _arrived(box, before)
    assert len(arrived) == len(leads)
    assert [(sent.name, found) for sent in leads if (found := _missing(sent, arrived))] == []
    refused = SubmissionLog(store).page(outcome="refused", limit=100)
    assert sorted(line.reason for line in refused) == sorted(
        sent.one("code") for sent in CORPUS if sent.outcome == "refused"
    )
    assert [key for key in keys.values() if key in running.log()] == []
    store.close()


def _is_known(running: RunningDesk, key: str) -> bool:
    answer = requests.get(f"{running.url}/api/crm/{'0' * 32}", headers={"Authorization": f"Bearer {key}"}, timeout=30)
    return answer.status_code == 404


def _all_settled(store: Store, count: int) -> bool:
    from store.tables import deliveries

    with store.read() as db:
        return db.scalar(sa.select(sa.func.count()).where(deliveries.c.settled_at.is_not(None))) == count


def _arrived(box: Sandbox, before: set[int]) -> list[dict[str, str]]:
    """Each new lead of the sandbox: its name, its person's name and phones, the text of its notes."""
    people = {row["id"]: row for row in box.entities("contacts", limit=10_000)}
    links = {
        row["from_id"]: row["to_id"] for row in box.entities("links", limit=10_000) if row["to_type"] == "contacts"
    }
    notes: dict[int, list[str]] = {}
    for row in box.entities("notes", limit=10_000):
        notes.setdefault(row["entity_id"], []).append(row["params"].get("text", ""))
    found = []
    for lead in box.entities("leads", limit=10_000):
        if lead["id"] in before:
            continue
        person = people[links[lead["id"]]]
        phones = [value["value"] for values in person["custom_fields"].values() for value in values]
        fields = json.dumps(lead["custom_fields"], ensure_ascii=False)
        found.append(
            {
                "name": lead["name"],
                "person": person["name"],
                "phones": "\n".join(phones),
                "note": "\n".join(notes.get(lead["id"], [])),
                "fields": fields,
            }
        )
    return found


def _missing(sent: Sent, arrived: list[dict[str, str]]) -> str:
    """What of a request is not as it should be in AmoCRM; "" if all is."""
    digits = "".join(char for char in sent.one("phone") if char.isdigit())
    mine = [one for one in arrived if digits in "".join(char for char in one["phones"] if char.isdigit())]
    if len(mine) != 1 and sent.one("phone") != "+7495":
        return f"{len(mine)} leads"
    lead = mine[0]
    wrong = [] if not sent.one("name") or lead["person"] == sent.one("name") else [lead["person"]]
    wrong += [text for text in [sent.one("message"), *sent.right.get("note", [])] if text not in lead["note"]]
    wrong += [text for text in sent.right.get("note-not", []) if text in lead["note"]]
    marks = [sent.one("utm_source"), sent.one("roistat")]
    wrong += [mark for mark in marks if mark and f'"{mark}"' not in lead["fields"]]
    wrong += [sent.one("direction")] if sent.one("direction") not in lead["name"] else []
    return ", ".join(wrong)
