"""After everything that can go wrong with a refresh: no token, code or secret anywhere it does not belong."""

from __future__ import annotations

import io
import json
import logging
import traceback
from urllib.parse import parse_qs, urlsplit

import requests
from starlette.applications import Starlette
from starlette.testclient import TestClient

from crm import account
from crm.errors import DeskError
from desk.desk import install
from desk.web.routes import routes
from tests.crm.connection.test_faults import TOKEN, UNANSWERED
from tests.support.desks import desk_for

ADMIN = "admin-key-0123456789"


class Secrets:
    """Every secret the desk has ever held or been given."""

    def __init__(self, box):
        self.known = {box.client_secret, ADMIN}

    def learn(self, desk):
        held = desk.connection._grant.held()
        if held is not None:
            self.known |= {held.access, held.refresh, held.access.split(".")[1], held.access.split(".")[2]}

    def found_in(self, text):
        return [secret[:6] + "…" for secret in self.known if secret in text or secret[:24] in text]


def test_no_secret_leaks(box, tmp_path, monkeypatch):
    """Logs at DEBUG, reprs, tracebacks with their locals' texts, the activity page's lines, every /api answer."""
    console = io.StringIO()
    handler = logging.StreamHandler(console)
    root = logging.getLogger()
    monkeypatch.setattr(logging.getLogger("crm"), "propagate", True)
    for name in ("httpx2", "httpcore2"):  # the browser of this test, which writes down where it goes
        monkeypatch.setattr(logging.getLogger(name), "disabled", True)
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    answers, told, secrets = [], [], Secrets(box)
    try:
        with desk_for(box, tmp_path, ADMIN_API_KEY=ADMIN) as desk:
            install(desk)
            web = TestClient(
                Starlette(routes=routes(lambda: desk)), base_url="http://localhost", client=("127.0.0.1", 1)
            )
            headers = {"authorization": f"Bearer {ADMIN}"}
            secrets.learn(desk)

            def try_all(what):
                try:
                    what()
                except DeskError as error:
                    told.append(f"{error} {error!r} {error.args} {vars(error)}")
                    told.append("".join(traceback.format_exception(error)))
                secrets.learn(desk)

            for fault in UNANSWERED.values():
                box.fault(path=TOKEN, times=1, **fault)
                try_all(desk.connection.refresh_now)
                answers.append(web.post("/api/amocrm/callback", headers=headers).text)
                answers.append(web.get("/api/amocrm/callback", headers=headers).text)
                box.clear_faults()
                code = box.code()
                secrets.known.add(code)
                try_all(lambda code=code: desk.connection.paste_code(code))
                try_all(lambda code=code: desk.connection.paste_code(code))
            given = box.grant()["refresh_token"]
            secrets.known.add(given)
            answers += [
                web.post("/api/amocrm/callback", headers=headers, json={"refresh_token": given}).text for _ in range(2)
            ]
            begun = desk.connection.begin("cookie")
            callback = box.approve(begun)
            query = parse_qs(urlsplit(callback).query)
            secrets.known |= {query["code"][0], query["state"][0]}
            answer = web.get(f"/api/amocrm/callback?{urlsplit(callback).query}", follow_redirects=False)
            answers += [answer.text, str(answer.headers)]
            box.revoke_tokens()
            try_all(lambda: account.current(desk.client))
            shown = json.dumps([str(line) for line in desk.journal.recent(limit=1000)], ensure_ascii=False)
            told += [repr(part) for part in (desk.settings, desk.connection, desk.store, desk.connection.status())]
            told += [repr(desk.connection.timeline(100)), repr(desk.connection._grant.held())]
            told += [repr(vars(part)) for part in (desk.door, desk.client, desk.connection._refresher)]
            rows = _database_texts(desk)
            install(None)
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
    assert len(secrets.known) > 20
    assert len(answers) > 20
    assert len(told) > 20
    for place, text in {
        "log": console.getvalue(), "answers": "\n".join(answers), "errors and reprs": "\n".join(told), "activity": shown,
        "database": rows,
    }.items():  # fmt: skip
        assert secrets.found_in(text) == [], place


def test_the_running_desk_tells_no_secret(box, tmp_path):
    """The console of a real desk process and its answers after a revoked grant hold no token either."""
    from tests.support.desks import settings_for
    from tests.support.programs import running_desk, until

    grant = box.grant()
    with running_desk(**settings_for(box, ADMIN_API_KEY=ADMIN)) as desk:
        headers = {"Authorization": f"Bearer {ADMIN}"}
        address = f"{desk.url}/api/amocrm/callback"
        texts = [
            requests.post(address, headers=headers, json={"refresh_token": grant["refresh_token"]}, timeout=60).text
        ]
        box.revoke_tokens()
        texts += [requests.post(address, headers=headers, timeout=60).text for _ in range(2)]
        until(lambda: "grant_revoked" in desk.log(), "the refusal in the console")
        everything = desk.log() + "\n".join(texts)
    for secret in (grant["refresh_token"][:30], grant["access_token"][:60], box.client_secret, ADMIN):
        assert secret not in everything


def _database_texts(desk):
    import sqlalchemy as sa

    from store.tables import metadata

    with desk.store.read() as db:
        return "\n".join(str(row) for table in metadata.sorted_tables for row in db.execute(sa.select(table)))
