"""Starting and stopping: the command line, the ready line, the end, and what a file keeps."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from sandbox.options import DEFAULT_CLIENT_ID, DEFAULT_REDIRECT_URI
from sandbox.process import ROOT, SandboxError, running_sandbox, start, wait_until

NOW = 1_760_000_000
MONTH_S = 30 * 24 * 3600


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m sandbox` with arguments that end it at once."""
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_ready_line_is_one_json_object_with_the_address() -> None:
    """The first line on stdout is JSON with `ready` and a `url` that answers already."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--leads", "3", "--exit-with-parent"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["ready"] is True
        assert ready["leads"] == 3
        assert requests.get(f"{ready['url']}/_sandbox/state", timeout=60).json()["counts"]["leads"] == 3
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(120) == 0


def test_defaults_are_documented_constants() -> None:
    """Without options the client id and the redirect URI are the constants the demo relies on."""
    with running_sandbox(leads=0) as box:
        state = box.state()
    assert (state["client_id"], state["redirect_uri"]) == (DEFAULT_CLIENT_ID, DEFAULT_REDIRECT_URI)
    assert state["subdomain"] == "fitzone"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_quickly_even_with_connections_open(number: signal.Signals) -> None:
    """SIGTERM and SIGINT end the process while somebody still holds an idle keep-alive connection to it."""
    box = start(leads=0)
    with requests.Session() as session:
        session.get(f"{box.url}/", timeout=60)
        box.process.send_signal(number)
        assert box.process.wait(120) in (0, 130)
    box.stop()


def test_it_dies_with_its_parent() -> None:
    """When whoever holds its stdin is killed, the sandbox ends, although nobody told it to."""
    script = (
        "import sys; from sandbox.process import start; box = start(leads=0);"
        "print(box.process.pid, box.url, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    _, url = parent.stdout.readline().split()
    parent.kill()
    parent.wait(120)

    def gone() -> bool:
        try:
            requests.get(url, timeout=60)
        except requests.ConnectionError:
            return True
        return False

    wait_until(gone, what="the sandbox's end")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--rps", "0"], "--rps"),
        (["--leads", "-1"], "--leads"),
        (["--leads", "9999999"], "--leads"),
        (["--port", "70000"], "--port"),
        (["--latency-ms", "-5"], "--latency-ms"),
        (["--search-lag-s", "-1"], "--search-lag-s"),
        (["--client-id", "abc"], "--client-id"),
        (["--redirect-uri", "localhost/callback"], "--redirect-uri"),
        (["--refresh-mode", "sometimes"], "refresh-mode"),
        (["--port", "many"], "--port"),
        (["--nonsense"], "nonsense"),
    ],
)
def test_bad_argument_is_named(arguments: list[str], word: str) -> None:
    """A value that cannot be is refused with code 2 and a sentence that names it, not with a stack trace."""
    answer = run(*arguments)
    assert answer.returncode == 2
    assert word in answer.stderr
    assert "Traceback" not in answer.stderr


def test_taken_port_is_a_sentence() -> None:
    """A port somebody else listens on is said so."""
    with running_sandbox(leads=0) as box:
        port = box.url.rpartition(":")[2]
        answer = run("--port", port, "--leads", "0")
    assert answer.returncode == 2
    assert "cannot listen" in answer.stderr


def test_same_seed_and_now_make_the_same_club() -> None:
    """Two clubs of one seed and one `now` are alike to the last phone; another seed makes another club."""
    with running_sandbox(leads=40, seed=5, now=NOW) as box:
        first = [box.entities(table) for table in ("leads", "contacts", "links", "events", "notes", "tasks")]
        box.reset(leads=40, seed=5, now=NOW)
        assert [box.entities(table) for table in ("leads", "contacts", "links", "events", "notes", "tasks")] == first
        box.reset(leads=40, seed=6, now=NOW)
        assert box.entities("contacts") != first[1]


def test_file_keeps_everything_over_a_restart(tmp_path: Path) -> None:
    """With --db the leads, the tokens and the webhook subscriptions of yesterday are there today."""
    path = tmp_path / "club.db"
    with running_sandbox(leads=20, db=path, now=NOW) as box:
        pair = box.grant()
        session = box.session(pair["access_token"])
        lead = session.post(f"{box.url}/api/v4/leads", json=[{"name": "Мой лид"}], timeout=60).json()
        lead_id = lead["_embedded"]["leads"][0]["id"]
        hook = {"destination": "http://127.0.0.1:9/x", "settings": ["add_lead"]}
        assert session.post(f"{box.url}/api/v4/webhooks", json=hook, timeout=60).status_code == 200
    with running_sandbox(leads=20, db=path, now=NOW) as box:
        session = box.session(pair["access_token"])
        assert session.get(f"{box.url}/api/v4/leads/{lead_id}", timeout=60).json()["name"] == "Мой лид"
        assert [hook["destination"] for hook in box.entities("webhooks")] == ["http://127.0.0.1:9/x"]
        assert box.count("leads") == 21
        found = session.get(f"{box.url}/api/v4/leads", params={"query": "мой лид"}, timeout=60).json()
        assert [item["id"] for item in found["_embedded"]["leads"]] == [lead_id]


def test_file_opened_later_has_fresh_leads(tmp_path: Path) -> None:
    """A club opened a month later got a month's leads in between, at its own pace, and kept the old ones."""
    path = tmp_path / "club.db"
    with running_sandbox(leads=60, db=path, now=NOW) as box:
        old = {row["id"] for row in box.entities("leads")}
    with running_sandbox(leads=60, db=path, now=NOW + MONTH_S) as box:
        rows = {row["id"]: row for row in box.entities("leads")}
    fresh = rows.keys() - old
    assert old <= rows.keys()
    assert len(fresh) == 10
    assert all(NOW <= rows[id_]["created_at"] < NOW + MONTH_S for id_ in fresh)


def test_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """A database that is not the sandbox's is refused and not touched; so is a file that is no database."""
    database = tmp_path / "other.db"
    with sqlite3.connect(database) as other:
        other.execute("CREATE TABLE mine (x)")
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to be looked at as one " * 50)
    for path in (database, text):
        before = path.read_bytes()
        with pytest.raises(SandboxError, match=path.name):
            start(db=path)
        assert path.read_bytes() == before


def test_two_sandboxes_do_not_share_a_file(tmp_path: Path) -> None:
    """The second process on one file is refused with a sentence, and the first goes on."""
    path = tmp_path / "club.db"
    with running_sandbox(leads=5, db=path) as box:
        with pytest.raises(SandboxError, match="locked"):
            start(leads=5, db=path)
        assert box.count("leads") == 5
