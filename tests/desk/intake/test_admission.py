"""Who may hand a lead in, and through which form."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from desk.intake.admission import Admission, admit
from desk.intake.forms import API, Form, Keyholder

SITE, OTHER = "https://fit.example", "https://evil.example"


def form(form_id="f", *, active=True):
    return Form(form_id, "Главная", "Сайт", (SITE,), "", 600, 2.0, active, datetime(2026, 3, 8, tzinfo=UTC))


def by_address():
    return replace(form(), key_in_address=True)


def admitted(**facts):
    known = {"key": "", "keyholder": None, "origin": None, "is_local": False, "is_shut": False, "api": form(API)}
    return admit(**known | facts)


@pytest.mark.parametrize(
    ("facts", "form_id", "refusal"),
    [
        ({"is_local": True}, None, "api_key_wrong"),
        ({"is_local": True, "is_shut": True}, API, None),
        ({"is_local": True, "is_shut": True, "origin": "http://localhost:8501"}, API, None),
        ({"is_local": True, "is_shut": True, "api": form(API, active=False)}, API, "form_paused"),
        ({}, None, "api_key_wrong"),
        ({"is_shut": True}, None, "api_shut"),
        ({"key": "x"}, None, "api_key_wrong"),
        ({"key": "x", "is_shut": True}, None, "api_shut"),
        ({"key": "x", "is_local": True}, None, "api_key_wrong"),
        ({"key": "x", "keyholder": Keyholder(form(), works=True)}, "f", None),
        ({"key": "x", "keyholder": Keyholder(form(), works=True), "is_local": True}, "f", None),
        ({"key": "x", "keyholder": Keyholder(form(), works=False)}, "f", "key_ended"),
        ({"key": "x", "keyholder": Keyholder(form(), works=False), "origin": OTHER}, "f", "key_ended"),
        ({"key": "x", "keyholder": Keyholder(form(active=False), works=True)}, "f", "form_paused"),
        ({"key": "x", "keyholder": Keyholder(form(), works=True), "origin": SITE}, "f", None),
        ({"key": "x", "keyholder": Keyholder(form(), works=True), "origin": SITE.upper()}, "f", None),
        ({"key": "x", "keyholder": Keyholder(form(), works=True), "origin": OTHER}, "f", "origin_not_allowed"),
        ({"key": "x", "keyholder": Keyholder(form(), works=True), "origin": "null"}, "f", "origin_null"),
        ({"key": "x", "keyholder": Keyholder(form(), works=True), "by_address": True}, "f", "key_not_in_address"),
        ({"key": "x", "keyholder": Keyholder(by_address(), works=True), "by_address": True}, "f", None),
        ({"key": "x", "keyholder": Keyholder(by_address(), works=False), "by_address": True}, "f", "key_ended"),
        ({"key": "x", "keyholder": None, "by_address": True, "is_local": True}, None, "api_key_wrong"),
        ({"key": "x", "keyholder": Keyholder(form(), works=True), "origin": f"{SITE}:8443"}, "f", "origin_not_allowed"),
        ({"key": "x", "keyholder": Keyholder(form(), works=True), "origin": OTHER, "is_local": True}, "f", "origin_not_allowed"),
        ({"key": "x", "keyholder": Keyholder(form(active=False), works=True), "origin": OTHER}, "f", "origin_not_allowed"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value),
)  # fmt: skip
def test_admission(facts, form_id, refusal):
    """This machine needs no key as long as there is none; a key that is given has to be right, still in force, and shown by a site of its form."""
    found = admitted(**facts)
    assert found == Admission(found.form, refusal, is_program=found.is_program)
    assert (found.form.id if found.form else None) == form_id


@pytest.mark.parametrize(
    ("facts", "is_program"),
    [
        ({"is_local": True, "is_shut": True}, True), ({"key": "x", "keyholder": Keyholder(form(API), works=True, is_program=True)}, True),
        ({"key": "x", "keyholder": Keyholder(form(), works=True)}, False),
        ({"key": "x", "keyholder": Keyholder(form(), works=True, is_program=True), "origin": SITE}, False),
        ({"key": "x", "keyholder": Keyholder(by_address(), works=True, is_program=True), "by_address": True}, False),
        ({"key": "x", "keyholder": None}, False), ({}, False),
    ],
    ids=str,
)  # fmt: skip
def test_who_is_the_owners_program(facts, is_program):
    """A program here, and a key that stands nowhere; not where a page or an address shows it."""
    assert admitted(**facts).is_program is is_program
