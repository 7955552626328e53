"""Seven a second, the 429, and the block; all of it proved from the ledger's times of arrival."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox.config import Config
from sandbox.ledger import busiest_second
from sandbox.limiter import Limiter
from sandbox.process import Sandbox
from tests.sandbox.conftest import Api

NEVER = Config(block_after=0)


def allowed_times(box: Sandbox) -> list[float]:
    """When the requests arrived that were not refused for haste."""
    return [entry["at"] for entry in box.ledger("request") if entry["counted"] and entry["status"] != 429]


def hammer(api: Api, count: int) -> list[requests.Response]:
    """So many requests as fast as eight connections can send them."""
    local = threading.local()

    def one(number: int) -> requests.Response:
        session = getattr(local, "session", None) or requests.Session()
        local.session = session
        return session.get(f"{api.base}account", headers=dict(api.session.headers), timeout=30)

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, range(count)))


@given(st.lists(st.floats(0, 5), max_size=80), st.integers(1, 10))
def test_never_more_than_the_limit_in_any_second(moments: list[float], rps: int) -> None:
    """Whatever the pace, the requests let in never number more than the limit within any one second."""
    limiter, config = Limiter(), replace(NEVER, rps=rps)
    allowed = [moment for moment in sorted(moments) if limiter.allows("a", moment, config)]
    assert busiest_second(allowed) <= rps


@given(st.integers(1, 10))
def test_a_client_at_the_limit_is_never_refused(rps: int) -> None:
    """Requests a limit's share of a second apart all pass."""
    limiter, config = Limiter(), replace(NEVER, rps=rps)
    assert all(limiter.allows("a", number * 1.000001 / rps, config) for number in range(50))


def test_the_eighth_of_a_second_is_refused(box: Sandbox, api: Api) -> None:
    """Of a burst some are let in, never more than seven within a second, and the others get the documented 429."""
    box.config(rps=7, block_after=0)
    answers = hammer(api, 30)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert busiest_second(allowed_times(box)) <= 7
    assert refused[0].headers["Content-Type"] == "application/problem+json"
    assert refused[0].headers["Retry-After"] == "1"
    assert refused[0].json() == {
        "title": "Too Many Requests",
        "type": "https://httpstatus.es/429",
        "status": 429,
        "detail": "You have sent too many requests in a given amount of time. Please try again later.",
        "retry_after": 1,
    }
    assert box.state()["ledger"]["answered_429"] == len(refused)


def test_a_refused_request_does_nothing(box: Sandbox, api: Api) -> None:
    """What was answered 429 was not carried out."""
    box.config(rps=1, block_after=0)
    made = [api.post("leads", [{"name": "x"}]).status_code for _ in range(6)]
    assert 429 in made
    assert len(box.ledger("change", entity="leads")) == made.count(200)


def test_429_can_be_a_page(box: Sandbox, api: Api) -> None:
    """With the switch on it is nginx's HTML, as when the request never reached PHP."""
    box.config(rps=1, html_429=True, retry_after_s=7, block_after=0)
    answer = next(answer for answer in hammer(api, 12) if answer.status_code == 429)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Retry-After"] == "7"
    assert "nginx" in answer.text


def test_token_requests_count_unless_told_otherwise(box: Sandbox) -> None:
    """The token endpoint falls under its integration's limit; a switch takes it out."""
    body = {"client_id": box.client_id, "client_secret": "x", "grant_type": "refresh_token"}

    def statuses() -> set[int]:
        with requests.Session() as session:
            return {
                session.post(f"{box.url}/oauth2/access_token", json=body, timeout=60).status_code for _ in range(12)
            }

    box.config(rps=1, block_after=0)
    assert 429 in statuses()
    box.config(count_token_requests=False)
    assert statuses() == {400}


def test_people_and_tests_are_not_limited(box: Sandbox) -> None:
    """The consent page and the control routes answer whatever the pace."""
    box.config(rps=1)
    url = f"{box.url}/oauth?client_id={box.client_id}"
    assert {requests.get(url, timeout=60).status_code for _ in range(5)} == {200}
    assert all(box.state() for _ in range(20))


def test_integrations_are_counted_apart_and_addresses_together(box: Sandbox, api: Api) -> None:
    """By integration a stranger's haste is not ours; by address it is."""
    box.config(rps=3, block_after=0, rate_per="integration")
    with requests.Session() as session:
        for _ in range(20):
            session.get(f"{box.url}/api/v4/account", timeout=60)  # nobody's: counted by address
    assert api.get("account").status_code == 200
    box.config(rate_per="ip")
    assert 429 in {answer.status_code for answer in hammer(api, 12)}


def test_repeated_breach_blocks_the_whole_account(box: Sandbox, api: Api) -> None:
    """After so many 429 everything of the account is nginx's 403 page, the token endpoint too, until it is lifted."""
    pair = box.grant()
    box.config(rps=1, block_after=5)
    hammer(api, 30)
    assert box.state()["blocked"]
    answer = api.get("account")
    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "403 Forbidden" in answer.text
    body = {"client_id": box.client_id, "client_secret": box.client_secret, "redirect_uri": box.redirect_uri}
    body |= {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert requests.post(f"{box.url}/oauth2/access_token", json=body, timeout=60).status_code == 403
    assert requests.get(f"{box.url}/oauth?client_id={box.client_id}", timeout=60).status_code == 200
    assert [entry["event"] for entry in box.ledger("block")] == ["blocked"]
    assert box.unblock() is True
    box.config(rps=1_000_000)
    assert api.get("account").status_code == 200


def test_zero_never_blocks(box: Sandbox, api: Api) -> None:
    """With `block_after` 0 there is no block, however long the breach."""
    box.config(rps=1, block_after=0)
    hammer(api, 60)
    assert not box.state()["blocked"]


def test_latency_does_not_queue_requests(box: Sandbox, api: Api) -> None:
    """Twenty requests with 400 ms of latency each overlap: together they take far less than their sum."""
    box.config(latency_ms=400)
    since = box.last_seq()
    assert {answer.status_code for answer in hammer(api, 20)} == {200}
    entries = box.ledger("request", since=since)
    assert all(entry["duration_ms"] >= 400 for entry in entries)
    ends = [entry["at"] + entry["duration_ms"] / 1000 for entry in entries]
    assert max(ends) - min(entry["at"] for entry in entries) < 20 * 0.4 * 0.6


def test_busiest_second_counts_what_it_says() -> None:
    """A window is shorter than a second: two requests exactly a second apart are not in one."""
    assert busiest_second([]) == 0
    assert busiest_second([1.0, 2.0]) == 1
    assert busiest_second([1.0, 1.999, 2.5]) == 2
