"""What is decided about webhooks, as tables."""

from __future__ import annotations

import pytest

from crm.webhooks import Subscription
from desk.webhooks import decisions
from desk.webhooks.bodies import HookContent
from desk.webhooks.decisions import EVENTS, NO_ADDRESS, Plan, plan

AMO, SANDBOX = "https://fitzone.amocrm.ru", "http://127.0.0.1:8900"


@pytest.mark.parametrize(
    ("base", "amo", "why"),
    [
        ("https://desk.fitzone.ru", AMO, None), ("https://fitzone.ru/desk", AMO, None),
        ("http://localhost:8501", AMO, NO_ADDRESS), ("http://127.0.0.1:8501", AMO, NO_ADDRESS), ("http://[::1]:8501", AMO, NO_ADDRESS),
        ("https://192.168.1.5", AMO, NO_ADDRESS), ("https://10.0.0.5", AMO, NO_ADDRESS), ("https://desk", AMO, NO_ADDRESS),
        ("https://desk.local", AMO, NO_ADDRESS), ("https://100.64.0.1", AMO, NO_ADDRESS), ("https://8.8.8.8", AMO, None),
        ("http://localhost:8501", SANDBOX, None), ("http://127.0.0.1:1", "http://localhost:2", None),
        ("http://192.168.1.5", SANDBOX, NO_ADDRESS),
    ],
)  # fmt: skip
def test_whether_amocrm_can_call(base, amo, why):
    """Only at a public address; an AmoCRM on this machine may call this machine."""
    assert decisions.unreachable(base, amo) == why


HERE, FORMER, OTHERS = "https://d.ru/hook/new", "https://d.ru/hook/old", "https://other.ru/hook"


def hook(destination, events=EVENTS, *, disabled=False):
    return Subscription(destination, tuple(events), disabled)


@pytest.mark.parametrize(
    ("listed", "wanted"),
    [
        ([], Plan(subscribe=True)),
        ([hook(HERE)], Plan()),
        ([hook(HERE, (*EVENTS, "add_task"))], Plan()),
        ([hook(HERE, EVENTS[:-1])], Plan(subscribe=True)),
        ([hook(HERE, disabled=True)], Plan(subscribe=True, drop_first=(HERE,))),
        ([hook(FORMER), hook(OTHERS)], Plan(subscribe=True, drop=(FORMER,))),
        ([hook(HERE), hook(FORMER), hook(OTHERS, disabled=True)], Plan(drop=(FORMER,))),
    ],
)  # fmt: skip
def test_what_to_do_about_subscriptions(listed, wanted):
    """Missing, incomplete, switched off, left over; other programs' are not ours to touch."""
    assert plan(listed, HERE, lambda destination: destination == FORMER) == wanted


@pytest.mark.parametrize(
    ("account_id", "subdomain", "why"),
    [(7, "fit", None), (7, None, None), (7, "renamed", None), (8, "fit", "another_account"), (None, "fit", None),
     (None, "gym", "another_account"), (None, None, "another_account")],
)  # fmt: skip
def test_whose_hook_it_is(account_id, subdomain, why):
    """The account's number decides, its name only where there is no number."""
    assert decisions.disbelief(HookContent({}, None, account_id, subdomain), 7, "fit") == why


def test_without_an_account_nothing_is_believed():
    """Nobody can tell whose it is."""
    assert decisions.disbelief(HookContent({}, None, 7, "fit"), None, None) == "account_unknown"


@pytest.mark.parametrize(
    ("state", "told_at", "fetched_at", "again"),
    [("new", None, None, True), ("new", 100, None, True), ("done", 100, 102.0, True), ("done", 100, 101.5, False),
     ("done", None, 200.0, False)],
)  # fmt: skip
def test_what_came_before(state, told_at, fetched_at, again):
    """Spared is what is still to be fetched, and what was fetched after that second was over; never a second deletion."""
    assert decisions.is_again(state, told_at=told_at, fetched_at=fetched_at) is again


@pytest.mark.parametrize(
    ("state", "heard", "missed", "word"),
    [("on", 1, 9, "on"), ("on", 0, 0, "on"), ("on", 0, 3, "silent"), ("off", 0, 9, "off"), ("refused", 0, 9, "refused")],
)  # fmt: skip
def test_the_state_in_a_word(state, heard, missed, word):
    """Subscribed and yet nothing comes while things change: silent."""
    assert decisions.word(state, heard=heard, missed=missed) == word
