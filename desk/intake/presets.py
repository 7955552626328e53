"""Presets for known senders: their submissions, the wanted answers, their checks and repetitions.

Pure. What is said here of a sender was read in its public documentation; `docs/intake.md` names each page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from desk.intake.bodies import JSON, URLENCODED

AS_JSON, AS_PLAIN, AS_PAGE = "json", "plain", "page"
"""How an accepted submission is answered: 202 with JSON, 200 with a word or two, 303 to a page."""

ANSWERS = (AS_JSON, AS_PLAIN)
"""Answers a form can be set to. A browser with a page open is led to a page in any case."""

OK = "ok"
"""The plain answer. VK wants exactly "ok"."""

EVENT, CONFIRMATION, VK_LEAD = "type", "confirmation", "lead_forms_new"

ONE_OF_A_KIND = (
    "tranid", "submission_id", "submissionid", "response_id", "entry_id", "entryid", "event_id", "eventid", "lead_id", "leadid",
    "object[lead_id]", "request_id", "requestid", "uuid", "created", "created_at", "created_date", "timestamp", "sent_at", "submitted_at",
)  # fmt: skip
"""Names (in small letters) with a new value for each submission, and the same value when a sender tries again."""

CHECKS: tuple[Mapping[str, str], ...] = (
    {"test": "test"},
    {"test": "1"},
    {"test": "true"},
    {"ping": "ping"},
    {"ping": "1"},
)
"""The only names in a builder's check of the address."""

OF_TILDA = ("tranid", "tildaspec-formid")
"""Names by which Tilda is recognised even in a form without its preset."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The content of a test submission. Not shown by `repr`."""

    name: str = field(repr=False)
    phone: str = field(repr=False)
    message: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Preset:
    """A kind of sender. `sent`: content type and body of a submission, as the sender makes it.

    `taught`: meanings of its names that nobody could guess. `wants_code`: it asks for a word of its own before it sends anything.
    """

    id: str
    sent: Callable[[Sample], tuple[str, bytes]] = field(repr=False)
    answer: str = AS_PLAIN
    key_in_address: bool = True
    note_unknown: bool = True
    taught: Mapping[str, str] = field(default_factory=dict)
    wants_code: bool = False


def of(preset_id: str) -> Preset:
    """The preset of an id; the desk's own for an unknown id."""
    return BY_ID.get(preset_id, BY_ID[OWN])


def manner(*, answer: str, is_form: bool, accept: str, said: Mapping[str, Any]) -> str:
    """How to answer an accepted submission: `AS_PAGE`, `AS_PLAIN` or `AS_JSON`.

    Whoever looks at a page gets one; a builder that posts a form from its server is told by what it says or by what its form says.
    """
    if is_form and "text/html" in accept:
        return AS_PAGE
    if answer == AS_PLAIN or any(name in said for name in OF_TILDA):
        return AS_PLAIN
    return AS_PAGE if is_form and JSON not in accept else AS_JSON


def reply(preset_id: str, said: Mapping[str, Any], told_id: str) -> tuple[str, str]:
    """The plain answer, as (content type, text): the sender's word, else "ok"."""
    if said.get("jsonrpc") == "2.0":
        return JSON, json.dumps({"jsonrpc": "2.0", "id": said.get("id"), "result": {"id": told_id}})
    if preset_id == "roistat":
        return JSON, json.dumps({"status": OK, "order_id": told_id})
    return "text/plain", OK


def is_check(said: Mapping[str, Any], *, by_address: bool) -> bool:
    """Whether a builder only tries the address out. `by_address`: the key is in the address, so an empty body is a check too."""
    asked = {
        name.casefold(): str(value).casefold() for name, value in said.items() if name.casefold() not in ("key", "page")
    }
    return asked in CHECKS or (by_address and not asked)


def own_answer(preset_id: str, said: Mapping[str, Any], code: str) -> str | None:
    """The answer to a sender's call without a submission; None for a submission.

    VK asks for its word before it sends anything, and tells of everything that happens in a community if it is let.
    """
    if preset_id != "vk":
        return None
    event = said.get(EVENT)
    if event == CONFIRMATION:
        return code or OK
    return None if event in (None, VK_LEAD) else OK


def repetition_key(said: Mapping[str, Any]) -> str:
    """A substitute for a missing Idempotency-Key: the sender's whole content, if any of it is unique.

    A phone alone is no such thing: the same person may well come again tomorrow. "" for none.
    """
    kinds = {name.casefold() for name, value in said.items() if value not in (None, "")}
    if not kinds.intersection(ONE_OF_A_KIND):
        return ""
    content = {name: value for name, value in said.items() if name.casefold() not in ("key", "secret", "page")}
    return "same:" + hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def address(base_url: str, by_address: bool, key: str) -> str:
    """The address to send to, as a service needs it."""
    return f"{base_url}/api/crm/in/{key}" if by_address else f"{base_url}/api/crm"


# What each sends


def _form(pairs: Mapping[str, str]) -> tuple[str, bytes]:
    return f"{URLENCODED}; charset=utf-8", urlencode(pairs).encode()


def _json(content: Any) -> tuple[str, bytes]:
    return JSON, json.dumps(content, ensure_ascii=False).encode()


def _own(one: Sample) -> tuple[str, bytes]:
    return _json({"name": one.name, "phone": one.phone, "message": one.message})


def _tilda(one: Sample) -> tuple[str, bytes]:
    said = {"Name": one.name, "Phone": one.phone, "Comments": one.message}
    return _form(
        {**said, "tranid": f"1:{_number(one)}", "formid": "form1", "COOKIES": "_ym_uid=1; TILDAUTM=utm_source%3Dtest"}
    )


def _cf7(one: Sample) -> tuple[str, bytes]:
    return _json({"your-name": one.name, "your-tel": one.phone, "your-message": one.message, "your-subject": ""})


def _elementor(one: Sample) -> tuple[str, bytes]:
    pairs = {"form[id]": "a1b2c3d", "form[name]": "Test"}
    for key, kind, value in (
        ("name", "text", one.name),
        ("phone", "tel", one.phone),
        ("message", "textarea", one.message),
    ):
        told = {"id": key, "type": kind, "title": "", "value": value, "raw_value": value, "required": "0"}
        pairs |= {f"fields[{key}][{part}]": text for part, text in told.items()}
    return _form(pairs)


def _wpforms(one: Sample) -> tuple[str, bytes]:
    asked = (
        (0, "name", "Имя", one.name),
        (1, "phone", "Телефон", one.phone),
        (2, "textarea", "Комментарий", one.message),
    )
    fields = {
        str(number): {"id": number, "type": kind, "name": name, "value": value} for number, kind, name, value in asked
    }
    return _json({"fields": fields, "entry_id": _number(one), "form_id": 1})


def _marquiz(one: Sample) -> tuple[str, bytes]:
    contacts = {"name": one.name, "phone": one.phone}
    answers = [{"q": "?", "a": [one.message]}]
    return _json(
        {
            "contacts": contacts,
            "answers": answers,
            "quiz": {"id": "1", "name": "Test"},
            "extra": {"utm": {"source": "test"}},
        }
    )


def _yandex(one: Sample) -> tuple[str, bytes]:
    said = {"Имя": one.name, "Телефон": one.phone, "Комментарий": one.message}
    return _json({"jsonrpc": "2.0", "method": "lead", "params": said, "id": _number(one)})


def _vk(one: Sample) -> tuple[str, bytes]:
    asked = (
        ("first_name", "Имя", one.name),
        ("phone_number", "Телефон", one.phone),
        ("custom_0", "Комментарий", one.message),
    )
    answers = [{"key": key, "question": question, "answer": answer} for key, question, answer in asked]
    told = {"lead_id": _number(one), "group_id": 1, "user_id": 1, "form_id": 1, "form_name": "Test", "answers": answers}
    return _json({EVENT: VK_LEAD, "object": told, "group_id": 1, "event_id": f"{_number(one):x}"})


def _calltouch(one: Sample) -> tuple[str, bytes]:
    return _form(
        {
            "phonenumber": one.phone,
            "fio": one.name,
            "comment": one.message,
            "subject": "Test",
            "requestId": str(_number(one)),
        }
    )


def _roistat(one: Sample) -> tuple[str, bytes]:
    said = {"name": one.name, "phone": one.phone, "text": one.message, "title": "Test", "id": str(_number(one))}
    return _form({**said, "visit": "1", "action": "lead", "data": json.dumps({"page": "https://example.com/"})})


def _number(one: Sample) -> int:
    """A number of its own for each sample."""
    return int(hashlib.sha256(f"{one.name}{one.message}".encode()).hexdigest()[:8], 16)


OWN = ""

PRESETS = (
    Preset(OWN, _own, AS_JSON, key_in_address=False, note_unknown=False),
    Preset("tilda", _tilda),
    Preset("cf7", _cf7),
    Preset("elementor", _elementor),
    Preset("wpforms", _wpforms, taught={"wpforms[fields][0]": "name", "wpforms[fields][2]": "message"}),
    Preset("marquiz", _marquiz),
    Preset("yandex", _yandex),
    Preset("vk", _vk, wants_code=True),
    Preset("calltouch", _calltouch),
    Preset("roistat", _roistat),
    Preset("webhook", _own),
)
"""The desk's own code for a site or a program, the builders and services by name, and any other."""

BY_ID = {preset.id: preset for preset in PRESETS}
