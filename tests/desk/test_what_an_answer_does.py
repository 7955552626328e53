"""Every answer of AmoCRM in `crm.answers.TABLE`, to its end: class, words, the queue, the light and `/readyz`.

The light in the sidebar and `/readyz` say the same verdict, `desk.readiness.judge`; so there is one column for both.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crm import answers
from crm.errors import BrokenWord, DeskError, NotLetIn, SaidNo, SetupError
from desk.delivery import decisions
from desk.delivery.decisions import LEAD, QUEUED, REFUSED, UNKNOWN, Situation
from desk.readiness import AMO_IS_WELL, NOT_ANSWERING_AFTER, OK, Access, Answering, Facts, judge, look
from desk.words import LANGUAGES, words
from sandbox.process import running_sandbox
from store import clock
from tests.crm.said import SAID
from tests.support.desks import desk_for

NOW = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
FIRST_S, RIGHTS_S, KEY_S = 30.0, 60.0, 5.0

WAITS, ALONE = True, False
RED, GREEN, LATER = "at once", "never", "after half a minute"

DOES: dict[str, tuple[type[DeskError], bool, float | None, str, str]] = {
    # code                  class        queue  pause      the lead it met     the light
    "person_switched_off": (NotLetIn, WAITS, KEY_S, QUEUED, LATER),  # and the connection is red at once
    "redirected": (SetupError, WAITS, RIGHTS_S, QUEUED, LATER),
    "account_refuses": (NotLetIn, WAITS, RIGHTS_S, QUEUED, LATER),
    "blocked": (NotLetIn, WAITS, 900.0, QUEUED, RED),
    "token_rejected": (NotLetIn, WAITS, RIGHTS_S, QUEUED, GREEN),  # the connection and the waiting lead tell
    "unpaid": (NotLetIn, WAITS, FIRST_S, QUEUED, RED),
    "rights_missing": (NotLetIn, WAITS, RIGHTS_S, QUEUED, GREEN),  # the waiting lead tells
    "rate_limited": (NotLetIn, WAITS, 2.0, QUEUED, GREEN),
    "unexpected_answer": (NotLetIn, WAITS, RIGHTS_S, QUEUED, LATER),
    "lead_deleted": (SaidNo, ALONE, None, REFUSED, GREEN),
    "not_found": (SaidNo, ALONE, None, REFUSED, GREEN),
    "too_many_links": (SaidNo, ALONE, None, REFUSED, GREEN),
    "validation": (SaidNo, ALONE, None, REFUSED, GREEN),
    "bad_request": (SaidNo, ALONE, None, REFUSED, GREEN),
    "too_many_items": (SaidNo, ALONE, None, REFUSED, GREEN),
    "request_too_large": (SaidNo, ALONE, None, REFUSED, GREEN),
    "server_hiccup": (BrokenWord, ALONE, None, UNKNOWN, LATER),
    "not_routed": (BrokenWord, ALONE, None, QUEUED, LATER),
    "garbled": (BrokenWord, ALONE, None, UNKNOWN, LATER),
    "server_error": (BrokenWord, ALONE, None, UNKNOWN, LATER),
}
"""By code: the class; whether the whole queue waits, and its first pause in seconds; what becomes of the lead whose creating request
met it; when the light is red because of it, if nothing else happens."""

EACH = {said.code: said for said in SAID if not (said.code == "unexpected_answer" and said.error is BrokenWord)}


def error_of(code: str) -> DeskError:
    said = EACH[code]
    error = answers.error_of(said.status, said.content_type, said.body)
    assert error is not None
    return error


def light(code: str, *, after: timedelta) -> str:
    """What the check of AmoCRM says so long after the first call that failed so, if no other was made."""
    told = Answering() if code in AMO_IS_WELL else Answering(NOW - after, code)
    facts = Facts(now=NOW, access=Access(connected=True, state="connected"), answering=told)
    return next(check.code for check in judge(facts) if check.name == "amocrm")


def test_the_table_is_whole():
    """Each code of the client's own table has its line here, and no other."""
    assert set(DOES) == {row.code for row in answers.TABLE} | {"unexpected_answer"}


@pytest.mark.parametrize("code", DOES)
def test_class_and_words(code):
    """A class of its own, and what happened and what to do in both languages."""
    assert type(error_of(code)) is DOES[code][0]
    for language in LANGUAGES:
        say = words(language)
        assert say(f"error-{code}").strip() not in ("", f"error-{code}")
        assert say(f"error-{code}-remedy").strip() not in ("", f"error-{code}-remedy")


@pytest.mark.parametrize("code", DOES)
def test_the_queue(code):
    """The whole queue waits, and how long, or the lead alone is refused, searched for, or tried again."""
    _, waits, pause_s, becomes, _ = DOES[code]
    error = error_of(code)
    assert decisions.affects_whole_queue(error) is waits
    follows = decisions.after(error, Situation(step=LEAD, failures=1, trying_s=1.0, has_left=True), 0.5)
    assert (follows.state, follows.whole_queue) == (becomes, waits)
    if pause_s is not None:
        assert decisions.queue_pause(without_its_pause(error), 1) == pause_s


def without_its_pause(error: DeskError) -> DeskError:
    """The same without the pause that AmoCRM asked for by itself."""
    return type(error)(error.code, status=error.status, retryable=error.retryable)


@pytest.mark.parametrize("code", DOES)
def test_the_light(code):
    """Red at once, after half a minute without a good call, or not for this."""
    when = DOES[code][4]
    assert light(code, after=timedelta()) == (code if when == RED else OK)
    assert light(code, after=NOT_ANSWERING_AFTER) == (OK if when == GREEN else code)


def test_a_person_switched_off_is_red_at_once():
    """The connection says it, before any half minute is over."""
    access = Access(connected=False, state="broken", trouble="person_switched_off")
    red = {
        check.name: check.code for check in judge(replace(Facts(now=NOW, access=access), waiting=0)) if not check.is_ok
    }
    assert red["connection"] == "person_switched_off"


@pytest.mark.slow
def test_each_is_played_by_the_sandbox(tmp_path):
    """Over a socket to a connected desk: the verdict at once and after half a minute is the table's, and a good call ends it."""
    wrong = {}
    last = ("rate_limited", "token_rejected", "person_switched_off")  # these leave something behind
    with running_sandbox(leads=3, rps=1000) as box, desk_for(box, tmp_path, AMOCRM_MAX_RPS="7") as desk:

        def call() -> str:
            try:
                desk.client.get("/api/v4/account", "account.get", tries=1)
            except DeskError as error:
                return error.code
            return OK

        for code in sorted(DOES, key=lambda one: (one in last, last.index(one) if one in last else 0)):
            said = EACH[code]
            box.fault(
                "status", path="/api/v4/account", status=said.status, content_type=said.content_type,
                body_base64=base64.b64encode(said.body).decode(),
            )  # fmt: skip
            found = [call(), look(desk).of("amocrm").code, look(desk).of("connection").code]
            with clock.moved(NOT_ANSWERING_AFTER + timedelta(seconds=5)):
                found.append(look(desk).of("amocrm").code)
            when, own = DOES[code][4], "person_switched_off"
            right = [code, code if when == RED else OK, own if code == own else OK, OK if when == GREEN else code]
            if found != right:
                wrong[code] = (found, right)
            box.clear_faults()
            if code not in last:
                assert (call(), look(desk).of("amocrm").code) == (OK, OK)
    assert wrong == {}
