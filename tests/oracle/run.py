"""One run of the oracle. What AmoCRM really holds is asked of the sandbox, never of the desk."""

from __future__ import annotations

import itertools
import json
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests
import sqlalchemy as sa
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import sync_playwright

from sandbox.process import Sandbox, running_sandbox
from tests.support import browsers, postgres
from tests.support.desks import settings_for
from tests.support.programs import LOCAL, RunningDesk, browser_cookies, until

CREATE, NOTES, CONTACTS, TOKEN = (
    "/api/v4/leads/complex",
    "/api/v4/leads/*/notes",
    "/api/v4/contacts",
    "/oauth2/access_token",
)

FAULTS = (
    # action, path, probability, options
    ("cut_before", CREATE, 0.05, {}), ("cut_after", CREATE, 0.06, {}), ("status", CREATE, 0.04, {"status": 429}),
    ("status", CREATE, 0.04, {"status": 500}), ("status_after", CREATE, 0.05, {"status": 504, "html": True}),
    ("garbage", CREATE, 0.02, {}), ("truncate", CREATE, 0.02, {}), ("slow", CREATE, 0.04, {"delay_ms": 4000}),
    ("slow", CREATE, 0.02, {"delay_after_ms": 25_000}), ("status", CREATE, 0.02, {"status": 404, "html": True}),
    ("status", CREATE, 0.01, {"status": 402}),
    ("cut_after", NOTES, 0.04, {}), ("cut_before", NOTES, 0.03, {}), ("status", NOTES, 0.03, {"status": 500}),
    ("status_after", NOTES, 0.03, {"status": 504, "html": True}),
    ("status", CONTACTS, 0.03, {"status": 500}), ("cut_before", CONTACTS, 0.03, {}), ("garbage", CONTACTS, 0.02, {}),
    ("status", "/api/v4/leads", 0.05, {"status": 502, "html": True}), ("status", TOKEN, 0.1, {"status": 500}),
)  # fmt: skip
"""About two in five creating requests meet something."""

SEARCH_LAG_S = 5
EXPIRE_EVERY_S = 20.0
"""How often the access token's time is over."""

FORM_PATIENCE_MS = 15_000
SETTLE_S = 900.0
ADMIN = "admin-key-of-the-oracle"

Blow = tuple[float, Callable[["Result", threading.Event], None]]
"""When after the start, and what is done to a desk then."""


@dataclass
class Result:
    """What came of a run. `lost` and `doubled` have to be empty; `for_people` is counted and named."""

    seed: int
    leads: int
    typed: int  # into the form; the others are posted
    kills: int = 0
    freezes: int = 0
    by_form: int = 0
    over_http: int = 0
    unconfirmed: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    contacts_doubled: int = 0
    notes_missing: int = 0
    without_note: list[str] = field(default_factory=list)
    """Of each lead without a note that AmoCRM holds and nobody is asked about: where it came from and what was to be noted."""
    notes_doubled: int = 0
    for_people: dict[str, int] = field(default_factory=dict)
    faults_fired: int = 0
    answered_429: int = 0
    clicks: int = 0
    seconds: float = 0.0


def run(
    leads: int,
    kills: int,
    seed: int,
    *,
    freezes: int = 0,
    frozen_s: float = 60.0,
    desks: int = 1,
    postgresql: bool = False,
    typed: int | None = None,
) -> Result:
    """Half of the leads, or `typed` of them, typed into the form in a browser, the others posted; kills and freezes spread over the time that takes.

    `desks` share one database, on SQLite or on a PostgreSQL that the run starts; the operator sits at the first, the site posts to
    each in turn.
    """
    result, started = Result(seed, leads, leads // 2 if typed is None else typed), time.monotonic()
    with ExitStack() as held:
        box = held.enter_context(
            running_sandbox(leads=20, rps=7, latency_ms=20, search_lag_s=SEARCH_LAG_S, refresh_mode="grace")
        )
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="oracle-")))
        box.config(block_after=0)
        running = [RunningDesk(place, settings) for place, settings in _places(held, box, folder, desks, postgresql)]
        try:
            for desk in running:
                desk.start()
            _connect(running[0])
            rules = _misbehave(box, seed)
            confirmed = _play(running, box, result, random.Random(seed), kills, freezes, frozen_s)
            result.faults_fired = sum(rule.fired for rule in rules)
            box.clear_faults()
            _settle(running[0], box, result)
            _count(running[0], box, result, confirmed)
        finally:
            for desk in running:
                desk.stop()
    result.seconds = round(time.monotonic() - started, 1)
    return result


def _places(
    held: ExitStack, box: Sandbox, folder: Path, desks: int, postgresql: bool
) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder and settings for each desk, all on one database."""
    url = f"sqlite:///{folder}/desk.db"
    if postgresql:
        bin_folder = postgres.programs()
        assert bin_folder is not None, "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        url = held.enter_context(postgres.running(bin_folder)).new_database()
    for number in range(desks):
        place = folder / f"desk-{number}"
        place.mkdir()
        yield place, settings_for(box, ADMIN_API_KEY=ADMIN, DATABASE_URL=url)


def _connect(desk: RunningDesk) -> None:
    """What the admin's browser does."""
    headers = {"Authorization": f"Bearer {ADMIN}"}
    url = requests.get(f"{desk.url}/api/amocrm/auth", headers=headers, timeout=20).json()["auth_url"]
    client_id, state = parse_qs(urlsplit(url).query).values()
    form = {"client_id": client_id[0], "state": state[0], "decision": "allow"}
    back = requests.post(url.partition("?")[0], data=form, timeout=20, allow_redirects=False).headers["Location"]
    requests.get(f"{desk.url}{urlsplit(back).path}?{urlsplit(back).query}", timeout=30, allow_redirects=False)
    until(lambda: _status(desk)["connected"], "the connection", 30)


def _status(desk: RunningDesk) -> dict:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    return requests.get(f"{desk.url}/api/amocrm/callback", headers=headers, timeout=20).json()


def _misbehave(box: Sandbox, seed: int) -> list:
    return [
        box.fault(action, path=path, probability=probability, seed=seed * 100 + number, **options)
        for number, (action, path, probability, options) in enumerate(FAULTS)
    ]


def _play(
    desks: list[RunningDesk],
    box: Sandbox,
    result: Result,
    chance: random.Random,
    kills: int,
    freezes: int,
    frozen_s: float,
) -> set[str]:
    """Everything at once: typing, posting, killing, freezing, expiring. The phones somebody has read "accepted" for."""
    over = threading.Event()
    expiring = threading.Thread(target=_expire, args=(box, over), daemon=True)
    confirmed: set[str] = set()
    posting = threading.Thread(target=_post, args=(desks, result, confirmed, over), daemon=True)
    expected_s = result.leads * 0.45
    blows: list[Blow] = [(chance.uniform(2, expected_s), partial(_kill, chance.choice(desks))) for _ in range(kills)]
    for _ in range(freezes):
        blows.append((chance.uniform(2, expected_s), partial(_freeze, chance.choice(desks), for_s=frozen_s)))
    blows.sort(key=lambda blow: blow[0])
    killing = threading.Thread(target=_strike, args=(blows, result, over), daemon=True)
    for thread in (expiring, posting, killing):
        thread.start()
    try:
        _type(desks[0], result, confirmed)
        for thread in (posting, killing):
            thread.join()
    finally:
        over.set()
        for thread in (expiring, posting, killing):
            thread.join()
    return confirmed


def _expire(box: Sandbox, over: threading.Event) -> None:
    while not over.wait(EXPIRE_EVERY_S):
        box.expire_tokens()


def _strike(
    blows: list[Blow],
    result: Result,
    over: threading.Event,
) -> None:
    """Kill and freeze, each at its moment after the start."""
    started = time.monotonic()
    for moment, blow in blows:
        if over.wait(max(0.0, moment - (time.monotonic() - started))):
            return
        blow(result, over)


def _kill(desk: RunningDesk, result: Result, over: threading.Event) -> None:
    desk.kill()
    result.kills += 1
    desk.start()


def _freeze(desk: RunningDesk, result: Result, over: threading.Event, for_s: float) -> None:
    """Stop a process in the middle of whatever it does, and let it go on later."""
    desk.signal(signal.SIGSTOP)
    result.freezes += 1
    over.wait(for_s)
    desk.signal(signal.SIGCONT)


def _phone(seed: int, number: int) -> str:
    return f"+7961{seed % 10}{number:06}"


def _post(desks: list[RunningDesk], result: Result, confirmed: set[str], over: threading.Event) -> None:
    """The landing page: each lead is posted until it is accepted, always with the same key, to each desk in turn."""
    turns = itertools.cycle(desks)
    for number in range(result.typed, result.leads):
        body = {"name": f"Сайт Номер{_letters(number)}", "phone": _phone(result.seed, number), "message": "Хочу"}
        key = {"Idempotency-Key": f"oracle-{result.seed}-{number}", **LOCAL}
        while not over.is_set():
            try:
                answer = requests.post(f"{next(turns).url}/api/crm", json=body, headers=key, timeout=10)
                if answer.status_code == 202:
                    break
                over.wait(float(answer.headers.get("Retry-After", 0)))
            except requests.RequestException:
                pass
            over.wait(0.2)
        else:
            return
        confirmed.add(body["phone"])
        result.over_http += 1
        over.wait(0.3)


def _type(desk: RunningDesk, result: Result, confirmed: set[str]) -> None:
    """The operator: types, presses Ctrl+Enter and looks whether the card shows the lead."""
    with sync_playwright() as playwright:
        browser = browsers.launch(playwright)
        context = browser.new_context()
        context.add_cookies(browser_cookies())
        page = context.new_page()
        page.set_default_timeout(FORM_PATIENCE_MS)
        fresh = False
        for number in range(result.typed):
            name = f"Форма Номер{_letters(number)}"
            try:
                if not fresh:
                    page.goto(f"{desk.url}/new")
                page.locator(".st-key-new-phone input").fill(_phone(result.seed, number))
                page.keyboard.press("Tab")
                page.locator(".st-key-new-name input").fill(name)
                page.keyboard.press("Tab")
                page.locator(".st-key-new-message textarea").fill("Перезвонить")
                page.keyboard.press("Control+Enter")
                page.get_by_text(name, exact=True).first.wait_for()
                result.by_form += 1
                confirmed.add(_phone(result.seed, number))
                fresh = True
            except BrowserError:
                # Killed in mid-typing or in mid-saving: the operator cannot know, and does not type it again.
                result.unconfirmed += 1
                fresh = False
                until(desk.is_alive, "the desk to be back", 600)
        browser.close()


def _letters(number: int) -> str:
    """A number as letters: names take no digits alone, and each has to be another one."""
    return "".join(chr(ord("а") + int(digit)) for digit in str(number))


def _settle(desk: RunningDesk, box: Sandbox, result: Result) -> None:
    """Wait until nothing moves by itself any more; connect again where a refresh was lost in a kill."""
    end, pause = time.monotonic() + SETTLE_S, threading.Event()
    while time.monotonic() < end:
        if not _status(desk)["connected"]:
            result.clicks += 1
            _connect(desk)
        if not _open_states(desk):
            return
        pause.wait(1.0)
    raise AssertionError(f"not settled after {SETTLE_S:.0f} s: {_open_states(desk)}\n{_why(desk)}")


def _why(desk: RunningDesk) -> str:
    """What can be seen of a desk that does not get on: who holds the queue up, the last tries, its last words."""
    told = {
        name: _rows(desk, f"SELECT * FROM {name} ORDER BY 1 DESC LIMIT 5")
        for name in ("delivery_pause", "delivery_attempts", "delivery_steps", "deliveries", "request_pace", "refreshes")
    }
    return "\n".join([*(f"{name}: {rows}" for name, rows in told.items()), desk.log()[-3000:]])


def _rows(desk: RunningDesk, sql: str) -> list:
    engine = sa.create_engine(desk.database_url)
    with engine.connect() as db:
        rows = db.execute(sa.text(sql)).all()
    engine.dispose()
    return list(rows)


def _open_states(desk: RunningDesk) -> dict[str, int]:
    states = Counter(state for (state,) in _rows(desk, "SELECT state FROM deliveries"))
    return {state: count for state, count in states.items() if state in ("queued", "sending", "unknown")}


def _count(desk: RunningDesk, box: Sandbox, result: Result, confirmed: set[str]) -> None:
    """Each accepted lead against what AmoCRM holds."""
    joined = "SELECT a.phone, d.state FROM accepted_leads a JOIN deliveries d ON d.lead_id = a.id"
    accepted: dict[str, str] = dict(tuple(row) for row in _rows(desk, joined))
    held = Counter(
        value["value"] for lead in box.entities("leads") for value in (lead["custom_fields"] or {}).get("264911", [])
    )
    contacts = Counter(
        value["value"]
        for contact in box.entities("contacts")
        for value in (contact["custom_fields"] or {}).get("264911", [])
    )
    notes = Counter(
        note["entity_id"] for note in box.entities("notes") if note["params"].get("text") in ("Хочу", "Перезвонить")
    )
    states = Counter(accepted.values())
    result.for_people = {state: count for state, count in states.items() if state != "delivered"}
    for phone, state in accepted.items():
        if held[phone] > 1:
            result.doubled.append(phone)
        if held[phone] == 0 and state not in ("needs_decision", "refused"):
            result.lost.append(phone)
    result.lost += sorted(confirmed - accepted.keys())
    result.contacts_doubled = sum(count > 1 for phone, count in contacts.items() if phone in accepted)
    ours = [
        lead["id"]
        for lead in box.entities("leads")
        if any(value["value"] in accepted for value in (lead["custom_fields"] or {}).get("264911", []))
    ]
    result.notes_missing = sum(notes[lead_id] == 0 for lead_id in ours) - sum(
        count for state, count in result.for_people.items()
    )
    bare = {lead_id for lead_id in ours if notes[lead_id] == 0}
    steps = _rows(
        desk,
        "SELECT d.amo_lead_id, a.name, length(a.message), s.kind, s.state, s.amo_id, s.payload FROM accepted_leads a"
        " JOIN deliveries d ON d.lead_id = a.id JOIN delivery_steps s ON s.lead_id = a.id",
    )
    result.without_note = [str(tuple(row)) for row in steps if row[0] in bare]
    result.notes_doubled = sum(notes[lead_id] > 1 for lead_id in ours)
    result.answered_429 = box.state()["ledger"]["answered_429"]
    if result.by_form + result.over_http + result.unconfirmed != result.leads:
        result.lost.append("count")
    if len(accepted) < result.by_form + result.over_http:
        result.lost.append("accepted and not on the disk")


def main(arguments: list[str]) -> int:
    """Run once and print what came of it as one line of JSON."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m tests.oracle")
    parser.add_argument("--leads", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--freezes", type=int, default=0)
    parser.add_argument("--frozen-s", type=float, default=60.0)
    parser.add_argument("--desks", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--typed", type=int)
    chosen = parser.parse_args(arguments)
    result = run(
        chosen.leads,
        chosen.kills,
        chosen.seed,
        freezes=chosen.freezes,
        frozen_s=chosen.frozen_s,
        desks=chosen.desks,
        postgresql=chosen.postgresql,
        typed=chosen.typed,
    )
    print(json.dumps(asdict(result), ensure_ascii=False), flush=True)
    return 1 if result.lost or result.doubled else 0
