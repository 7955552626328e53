"""An AmoCRM in memory behind the desk's own client, and an outbox on it: for tests that need thousands of deliveries."""

from __future__ import annotations

import copy
import time
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace

from crm.client import Client, Token
from crm.door import Reply
from crm.errors import BrokenWord, NoAnswer, NotLetIn, NotSent, Refusal, SaidNo
from crm.journal import Journal
from desk.delivery import Outbox, Tools
from desk.fields import Layout, Mapped
from desk.phonebook import Phonebook
from desk.settings import load
from store import clock

MARKER_FIELD = 7
"""The field of the fake account that takes our ids."""

FAILURES = {
    "not sent": (lambda: NotSent("unreachable"), False),
    "cut before": (lambda: NoAnswer("cut_off"), False),
    "cut after": (lambda: NoAnswer("cut_off"), True),
    "drips": (lambda: NoAnswer("too_slow"), True),
    "429": (lambda: NotLetIn("rate_limited", retry_after_s=1.0), False),
    "402": (lambda: NotLetIn("unpaid"), False),
    "dead token": (lambda: NotLetIn("grant_revoked"), False),
    "401": (lambda: NotLetIn("token_rejected", status=401), False),
    "500 before": (lambda: BrokenWord("server_error", status=500), False),
    "504 after": (lambda: BrokenWord("server_error", status=504), True),
    "html 404": (lambda: BrokenWord("not_routed", status=404), False),
    "hiccup": (lambda: BrokenWord("server_hiccup", status=400), False),
    "garbled after": (lambda: BrokenWord("garbled", status=200), True),
    "strange": (lambda: BrokenWord("unexpected_answer", status=418), False),
    "refused": (lambda: SaidNo("validation", refusals=(Refusal("name", "InvalidType"),)), False),
    "our own bug": (lambda: KeyError("some of our code"), True),
}  # fmt: skip
"""By name: the error, and whether AmoCRM has carried the request out."""

NO_ANSWERS = ("strangers", "old strangers", "empty with more", "nothing at all", "odd values")
"""Answers with 200 that are not what was asked for; a write is carried out then."""


class FakeAmo:
    """As much of AmoCRM as a delivery sees, as a door: it does what the next failure says, before or after the work.

    Its clock is right: `passed_s` is the time that has really passed besides the test's own.
    """

    def __init__(self) -> None:
        self.leads: list[dict] = []
        self.notes: list[dict] = []
        self.contacts: list[dict] = []
        self.late: list[tuple[float, object]] = []  # what is carried out after its line was cut, and when
        self.plan: list[str] = []
        self.passed_s = 0.0
        self.tells_time = True
        self.requests: list[tuple[str, str]] = []

    def now(self) -> float:
        return time.time() + self.passed_s

    def request(self, call, auth) -> Reply:
        if call.may_send is not None and not call.may_send():
            raise NotSent("too_late_to_send")
        self.carry_out_the_late()
        path = call.url.removeprefix("http://127.0.0.1:1")
        self.requests.append((call.method, path))
        name = self.plan.pop(0) if self.plan else None
        if name is None:
            return self._reply(self._do(call, path))
        if name.startswith("late "):
            self.late.append((self.now() + float(name.removeprefix("late ")), lambda: self._do(call, path)))
            raise NoAnswer("cut_off")
        if name in NO_ANSWERS:
            if call.method != "GET":
                self._do(call, path)
                raise BrokenWord("garbled", status=200)
            return self._no_answer(name, path)
        error, after = FAILURES[name]
        if after:
            self._do(call, path)
        raise error()

    def carry_out_the_late(self) -> None:
        due = [work for at, work in self.late if at <= self.now()]
        self.late = [one for one in self.late if one[0] > self.now()]
        for work in due:
            work()

    def _do(self, call, path):
        if call.method == "GET":
            return self._read(path, dict(call.params))
        body = copy.deepcopy(call.json)
        return self._create(body) if path.endswith("/complex") else self._note(path, body)

    def _read(self, path, wanted):
        key = path.rpartition("/")[2]
        found = {"leads": self.leads, "contacts": self.contacts, "notes": self.notes}[key]
        if key == "notes":
            found = [note for note in found if note["entity_id"] == int(path.split("/")[4])]
        if "query" in wanted:
            found = [one for one in found if wanted["query"] in str(one)]
        since, until = (wanted.get(f"filter[created_at][{end}]") for end in ("from", "to"))
        if since is not None:
            found = [one for one in found if since <= one["created_at"] <= until]
        found = sorted(found, key=lambda one: -one["id"])
        page, limit = wanted.get("page", 1), wanted["limit"]
        some = found[(page - 1) * limit : page * limit]
        more = {"_links": {"next": {"href": "x"}}} if len(found) > page * limit else {}
        return {"_embedded": {key: some}, **more} if some else None

    def _create(self, body):
        contact = body[0]["_embedded"]["contacts"][0]
        if "id" not in contact:
            phone = contact["custom_fields_values"][0]["values"][0]["value"]
            values = [{"field_code": "PHONE", "values": [{"value": phone}]}]
            self.contacts.append({"id": len(self.contacts) + 1, "updated_at": 1, "custom_fields_values": values})
            contact = {"id": len(self.contacts)}
        lead = {**body[0], "id": 100 + len(self.leads), "created_at": int(self.now())}
        lead["_embedded"] = {"contacts": [{"id": contact["id"], "is_main": True}]}
        self.leads.append(lead)
        return [{"id": lead["id"], "contact_id": contact["id"], "merged": False}]

    def _note(self, path, body):
        self.notes.append({**body[0], "id": 1000 + len(self.notes), "entity_id": int(path.split("/")[4])})
        return {"_embedded": {"notes": [{"id": self.notes[-1]["id"]}]}}

    def _no_answer(self, name, path):
        """What comes instead of an answer: 200, and not what was asked for."""
        key = path.rpartition("/")[2]
        made = int(self.now()) - (10 * 86_400 if name == "old strangers" else 1)
        stranger = {"id": 5, "created_at": made, "updated_at": made, "entity_id": 5, "name": "Чужая"}
        odd = {
            **stranger,
            "created_at": None,
            "name": {},
            "custom_fields_values": [{"field_code": "PHONE", "values": 5}],
        }
        match name:
            case "empty with more":
                return self._reply({"_embedded": {key: []}, "_links": {"next": {"href": "x"}}})
            case "nothing at all":
                return Reply(200, None, "r", 0.1, self._date())
            case "odd values":
                return self._reply({"_embedded": {key: [odd]}})
        return self._reply({"_embedded": {key: [stranger]}})

    def _reply(self, data) -> Reply:
        return Reply(204 if data is None else 200, copy.deepcopy(data), "r", 0.1, self._date())

    def _date(self):
        return formatdate(self.now(), usegmt=True) if self.tells_time else None

    def markers(self):
        """Our ids of the leads that are there."""
        return [marker_of(lead) for lead in self.leads]


class FakeTokens:
    """A token that always works."""

    def current(self):
        return Token("http://127.0.0.1:1", "t")

    def kept_out(self, token, code):
        return None

    def after_rejection(self, rejected):
        raise NotLetIn("token_rejected", status=401)

    def worked(self, token):
        return None

    def moved(self, token):
        return None


class FakeFields:
    """A mapping with a marker and nothing else that matters."""

    def ensure_marker(self, client):
        return MARKER_FIELD

    def refresh(self, client, *, live=True):
        return None

    def known(self, entity):
        return [SimpleNamespace(id=MARKER_FIELD)]

    def layout(self):
        own = [Mapped(key, "leads", 0, ("text",)) for key in ("phone", "direction", "source")]
        contact_phone = Mapped("contact_phone", "contacts", 0, ("multitext",))
        return Layout([*own, contact_phone], {"field_code": "PHONE"}, frozenset(), MARKER_FIELD)


class FakeConnection:
    """Connected to account 1; another `number` is another grant."""

    def __init__(self) -> None:
        self.number = 1
        self.account = 1

    def generation(self):
        return self.number

    def skew_s(self):
        return 0.0

    def ask_account_id(self):
        return self.account

    def account_id_or_none(self):
        return self.account

    def stored_account_id(self):
        return self.account


class Process:
    """An outbox in a process of its own on a database that others use too, and its clock that cannot jump."""

    def __init__(self, store, amo, connection, folder, on_step=lambda step: None, fields=None) -> None:
        self.store, self.passed_s = store, 0.0
        environment = {
            "AMOCRM_API_URL": "http://127.0.0.1:1",
            "AMOCRM_CLIENT_ID": "i",
            "AMOCRM_CLIENT_SECRET": "s3cret",
        }
        settings = load(environment, Path(folder))
        self.phonebook, self.journal, self.client = Phonebook(store), Journal(store), Client(amo, FakeTokens())
        self.fields = fields or FakeFields()
        tools = Tools(store, self.client, connection, self.fields, self.phonebook, self.journal, settings, on_step)
        self.outbox = Outbox(tools)
        self.outbox._stopwatch._monotonic = self.outbox._heart._monotonic = self.monotonic

    def monotonic(self) -> float:
        return time.monotonic() + self.passed_s


def marker_of(lead):
    values = [one for one in lead["custom_fields_values"] if one.get("field_id") == MARKER_FIELD]
    return values[0]["values"][0]["value"]


def set_clock(by_s: float) -> None:
    """Put this process's clock, and that of the database, so far from the right time."""
    clock._shift_s = by_s
