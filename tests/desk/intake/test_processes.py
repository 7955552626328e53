"""Two desks on one database, as two processes: equal submissions at the same moment are one lead."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import sqlalchemy as sa

from desk.settings import PROJECT
from store import Store
from store.tables import accepted_leads
from tests.desk.web.conftest import NOWHERE

THREADS = 32


@pytest.fixture
def pair(store_url, tmp_path):
    """Two desks, ready."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("AMOCRM_", "INTAKE_"))}
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.desk.intake.worker", str(tmp_path), str(THREADS)],
            cwd=PROJECT,
            env=clean | NOWHERE | {"DATABASE_URL": store_url, "SECRET_KEY": "k" * 40},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [worker.stdout.readline().strip() for worker in workers] == ["ready"] * 2
    yield workers
    for worker in workers:
        worker.kill()
        worker.communicate()


def post_together(workers, request):
    for worker in workers:
        worker.stdin.write(json.dumps(request) + "\n")
        worker.stdin.flush()
    return [answer for worker in workers for answer in json.loads(worker.stdout.readline())]


def leads(store_url):
    store = Store(store_url)
    with store.read() as db:
        count = db.scalar(sa.select(sa.func.count()).select_from(accepted_leads))
    store.close()
    return count


@pytest.mark.parametrize("headers", [{"Idempotency-Key": "a"}, {}], ids=["by key", "by phone"])
def test_sixty_four_equal_posts_are_one_lead(pair, store_url, headers):
    """All of them, in two processes, get 202 and are one lead, three times over: by the key with one id, by the phone with one each."""
    for round_number in range(3):
        lead = {"name": "Аня", "phone": f"+7 999 123-45-{round_number:02}"}
        keys = {name: f"{key}{round_number}" for name, key in headers.items()}
        answers = post_together(pair, {"json": lead, "headers": keys})
        assert len(answers) == 2 * THREADS
        assert {status for status, _ in answers} == {202}
        assert len({body["id"] for _, body in answers}) == (1 if headers else 2 * THREADS)
        assert leads(store_url) == round_number + 1


def test_sixty_four_different_posts_with_one_key_are_one_lead(pair, store_url):
    """Under one key one content wins; the other process is told of the conflict."""
    for worker, name in zip(pair, ("Аня", "Боря"), strict=True):
        worker.stdin.write(
            json.dumps({"json": {"name": name, "phone": "89991234567"}, "headers": {"Idempotency-Key": "k"}}) + "\n"
        )
        worker.stdin.flush()
    answers = [json.loads(worker.stdout.readline()) for worker in pair]
    assert sorted({status for one in answers for status, _ in one}) == [202, 409]
    assert all(len({status for status, _ in one}) == 1 for one in answers)
    assert leads(store_url) == 1
