"""Bodies that are made to cost: while they come in, everybody else is served."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.attacks.test_floods import BEHIND_A_PROXY, INTAKE, PATIENCE_S, lead, posted
from tests.support.programs import local_cookies, running_desk

BOMBS = [
    json.dumps({field: "a" + run, "phone": "8 916 123-45-67"} | ({"phone": run} if field == "phone" else {})).encode()
    for field in ("name", "phone", "direction", "source", "message", "utm_source")
    for run in ("\u0345" * 5_000 + "\u0300" * 5_000, "\u0f73" * 10_000, "\u3099\u0316" * 5_000)
]
"""Under 64 KB each; a tenth of a second and more for a normaliser that takes them as they are."""

SENDERS, ROUNDS = 4, 5
MOST_LEAD_S, MOST_PAGE_S = 0.5, 1.0


def served(desk, look, senders: int = SENDERS) -> list[int]:
    """What a customer, a watchman and a colleague are answered while bombs come in as fast as one address may send them."""
    is_over, coming = threading.Event(), threading.Semaphore(0)

    def throw() -> Counter[int]:
        found: Counter[int] = Counter()
        with requests.Session() as line:
            while not is_over.is_set():
                for body in BOMBS:
                    found[posted(desk, 4000, INTAKE, body, line).status_code] += 1
                    coming.release()
        return found

    with ThreadPoolExecutor(senders) as pool:
        throwing = [pool.submit(throw) for _ in range(senders)]
        try:
            for _ in range(len(BOMBS)):
                assert coming.acquire(timeout=PATIENCE_S)
            found = [status for number in range(ROUNDS) for status in look(desk, number)]
        finally:
            is_over.set()
        told = sum((one.result() for one in throwing), Counter())
    assert set(told) <= {202, 422, 429}
    assert told[202] + told[422] >= 1
    return found


def look(desk, number: int) -> list[int]:
    return [
        posted(desk, number, INTAKE, lead(number)).status_code,
        requests.get(f"{desk.url}/healthz", timeout=PATIENCE_S).status_code,
        requests.get(desk.url, cookies=local_cookies(), timeout=PATIENCE_S).status_code,
    ]


def test_everybody_is_served_while_bombs_come_in():
    """A lead is accepted, health is told and a page opens, each time; the bombs are answered and break nothing."""
    with running_desk(**BEHIND_A_PROXY) as desk:
        assert served(desk, look) == [202, 200, 200] * ROUNDS
        assert "Traceback" not in desk.log()


@pytest.mark.alone
def test_nobody_waits_for_bombs():
    """While they come in a real lead is accepted in under half a second, and a page opens in under one."""
    took: dict[str, list[float]] = {"lead": [], "page": []}

    def timed(desk, number: int) -> list[int]:
        began = time.monotonic()
        accepted = posted(desk, number, INTAKE, lead(number)).status_code
        took["lead"].append(time.monotonic() - began)
        began = time.monotonic()
        opened = requests.get(desk.url, cookies=local_cookies(), timeout=PATIENCE_S).status_code
        took["page"].append(time.monotonic() - began)
        return [accepted, opened]

    with running_desk(**BEHIND_A_PROXY) as desk:
        look(desk, 50)  # the first page of a process reads its files
        # One thrower: more of them would measure this process, which has to send it all.
        assert served(desk, timed, senders=1) == [202, 200] * ROUNDS
    assert max(took["lead"]) < MOST_LEAD_S
    assert max(took["page"]) < MOST_PAGE_S
