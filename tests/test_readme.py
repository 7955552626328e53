"""What a README says to type is typed, and answers what the README says it answers."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from desk.settings import PROJECT
from tests.browser.test_first_visitor import NOWHERE
from tests.support.programs import RunningDesk, running_desk

READMES = [PROJECT / "README.md", PROJECT / "README.ru.md"]


@pytest.fixture(scope="module")
def desk() -> Iterator[RunningDesk]:
    with running_desk(**NOWHERE, LOCAL_ACCESS="open") as running:
        yield running


def sample(page: Path) -> tuple[str, str]:
    """The command of a README's curl sample, and the answer under it."""
    found = re.search(r"^\$ (curl -X POST [^$`]*?)^(\{[^\n]*\})$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return found.group(1), found.group(2)


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_curl_sample_makes_a_lead(desk: RunningDesk, page: Path):
    """Copied into a shell as it stands, but for the port, it is accepted with the fields the README shows; the address it names tells where the lead is."""
    command, shown = sample(page)
    ours = command.replace("localhost:8501", f"localhost:{desk.port}").replace("curl ", "curl -sS --max-time 60 ", 1)
    done = subprocess.run(["sh", "-c", ours], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert answer["status"] == "accepted"
    assert list(answer) == re.findall(r'"(\w+)":"', shown)
    where = answer["status_url"].replace("localhost:8501", f"localhost:{desk.port}")
    asked = requests.get(where, timeout=60)
    assert (asked.status_code, asked.json()["id"]) == (200, answer["id"])
