"""What a README says to type is typed, and answers what the README says it answers."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from crm import Config, Secret, account, connect
from crm.errors import SetupError
from desk.settings import PROJECT
from sandbox.process import Sandbox
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


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_python_sample_runs(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: Path):
    """Copied as it stands, but for the address and the token, it walks all leads, makes one with its contact and names the fields."""
    found = re.search(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    token = box.grant(long_lived_days=1)["access_token"]
    ours = found.group(1).replace("https://fitzone.amocrm.ru", box.url).replace("eyJ0eXAi…", token)
    assert len([line for line in ours.splitlines() if line and not line.startswith("from ")]) <= 6
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    before = [row for row in box.entities("leads") if not row["is_deleted"]]
    exec(ours, names)
    with names["amo"]:
        assert {lead["id"] for lead in names["everything"]} == {row["id"] for row in before}
        (lead,) = box.entities("leads", names["made"].lead_id)
        assert lead["name"] == "Йога"
        assert names["made"].contact_id is not None


def test_python_alone_with_an_integration(box: Sandbox, tmp_path: Path):
    """The OAuth pair: a code pasted once, and another program on the same database needs none; without a key nothing is opened."""
    config = Config(
        box.url, client_id=box.client_id, client_secret=Secret(box.client_secret), redirect_uri=box.redirect_uri
    )
    database, key = f"sqlite:///{tmp_path}/amo.db", Secret("k" * 40)
    with connect(config, database, key=key) as amo:
        amo.connection.paste_code(box.code())
        assert account.current(amo).name == "FitZone"
    with connect(config, database, key=key) as amo:
        assert account.current(amo).name == "FitZone"
    with pytest.raises(SetupError, match="secret_key_empty"):
        connect(config, database)


@pytest.mark.parametrize(("readme", "language"), [("README.md", "en"), ("README.ru.md", "ru")])
def test_what_one_sees_is_quoted_as_it_is_shown(readme, language):
    """The table of troubles quotes the desk's own words, so that whoever searches for them finds the line."""
    shown = (PROJECT / "locales" / f"{language}.ftl").read_text().casefold()
    quoted = re.findall(r'^\| ["«]([^|]*?)["»] \|', (PROJECT / readme).read_text(), re.MULTILINE)
    parts = [part.strip() for quote in quoted for part in re.split(r"…|\(\d+\)|\d{3,}", quote) if part.strip()]
    assert len(quoted) > 8
    assert [part for part in parts if part.casefold() not in shown] == []
