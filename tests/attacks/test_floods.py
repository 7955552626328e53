"""Floods: wrong keys from many addresses, and refused bodies without end. Real leads come in all the while."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import requests
import sqlalchemy as sa

from desk.intake.keeping import CONTACT_BYTES, DAY_BYTES
from store import Store, clock
from store.tables import accepted_leads, submissions
from tests.proxies.test_no_evidence import INTAKE, NOWHERE
from tests.support.programs import RunningDesk, running_desk

BEHIND_A_PROXY = NOWHERE | {"INTAKE_API_KEY": INTAKE, "TRUSTED_PROXIES": "127.0.0.0/8"}

SENDERS, REAL = 4, 10
STRANGERS = 40
"""Addresses of each sender that shows a wrong key."""

PATIENCE_S = 120.0


def posted(desk: RunningDesk, number: int, key: str, body: bytes, line=requests) -> requests.Response:
    """A submission from an address of its own, as a proxy before the desk hands it on."""
    headers = {
        "Host": "desk.example.com",
        "X-Forwarded-For": f"203.0.{number // 250}.{number % 250 + 1}",
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
    }
    return line.post(f"{desk.url}/api/crm", data=body, headers=headers, timeout=PATIENCE_S)


def lead(number: int) -> bytes:
    return json.dumps({"name": "Клиент", "phone": f"8 916 123-45-{number:02}"}).encode()


def test_wrong_keys_keep_nobody_out():
    """While a hundred and sixty addresses send wrong keys, every real customer is accepted; the flood leaves nothing behind."""
    with running_desk(**BEHIND_A_PROXY) as desk:
        is_over, flooding = threading.Event(), threading.Semaphore(0)

        def flood(sender: int) -> Counter[int]:
            found: Counter[int] = Counter()
            with requests.Session() as line:
                while not is_over.is_set():
                    for number in range(STRANGERS):
                        found[posted(desk, 1000 + sender * 100 + number, "wrong", lead(0), line).status_code] += 1
                        flooding.release()
            return found

        with ThreadPoolExecutor(SENDERS) as pool:
            floods = [pool.submit(flood, sender) for sender in range(SENDERS)]
            try:
                for _ in range(SENDERS * STRANGERS):
                    assert flooding.acquire(timeout=PATIENCE_S)
                real = [posted(desk, number, INTAKE, lead(number)).status_code for number in range(REAL)]
                asked = requests.get(f"{desk.url}/healthz", timeout=PATIENCE_S).status_code
            finally:
                is_over.set()
            told = sum((flood.result() for flood in floods), Counter())
        assert (real, asked) == ([202] * REAL, 200)
        assert set(told) <= {401, 429}
        assert told[401] >= 1
        assert count(desk, submissions) == count(desk, accepted_leads) == REAL


def count(desk: RunningDesk, table: sa.Table) -> int:
    store = Store(desk.database_url)
    try:
        with store.read() as db:
            return db.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    finally:
        store.close()


def test_refused_bodies_fill_their_room_and_no_more(tmp_path):
    """With the form's room for the day all but used up, bodies of 60 KB leave a phone and a name each; a lead is accepted."""
    url = f"sqlite:///{tmp_path}/desk.db"
    fill(url, DAY_BYTES - 100_000)
    with running_desk(**BEHIND_A_PROXY, DATABASE_URL=url) as desk:
        bomb = {f"utm_{number}": "😀" * 900 for number in range(16)} | {"name": "x", "phone": "не скажу"}
        body = json.dumps(bomb, ensure_ascii=False).encode()
        answers = [posted(desk, number, INTAKE, body).status_code for number in range(30)]
        assert posted(desk, 100, INTAKE, lead(1)).status_code == 202
    assert set(answers) == {422}
    store = Store(url)
    with store.read() as db:
        size = db.scalar(sa.select(sa.func.sum(sa.func.length(sa.cast(submissions.c.body, sa.LargeBinary)))))
        bodies = db.scalars(sa.select(submissions.c.body).where(submissions.c.outcome == "refused")).all()
    store.close()
    assert size <= DAY_BYTES + 30 * CONTACT_BYTES
    assert len([one for one in bodies if one and len(one) < CONTACT_BYTES]) >= 28


def fill(url: str, size: int) -> None:
    """A database in which the built-in form has used so much of its room. It counts tomorrow too, should midnight come meanwhile."""
    store = Store(url)
    store.upgrade()
    with store.write() as db:
        row = {"id": "0" * 32, "at": clock.now() + timedelta(days=1), "form_id": "api", "outcome": "refused"}
        db.execute(submissions.insert().values(**row, reason="lead_invalid", body=json.dumps({"message": "x" * size})))
    store.close()
