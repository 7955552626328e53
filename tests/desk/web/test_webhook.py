"""AmoCRM's way in: who is let in, what is answered, and that the secret is nowhere to be read."""

from __future__ import annotations

import requests
import sqlalchemy as sa

from sandbox import brackets
from sandbox.process import running_sandbox
from store.tables import hooks
from tests.desk.web.conftest import ADMIN, client_of
from tests.support.desks import desk_for, settings_for
from tests.support.programs import running_desk, until

BODY = brackets.build(
    {
        "leads": {"update": [{"id": 5, "updated_at": 1_700_000_000}]},
        "account": {"id": 31_296_422, "subdomain": "fitzone"},
    }
)


def path_of(desk):
    return "/api/amocrm/webhook/" + desk.webhooks._addresses.current()[1].rpartition("/")[2]


def stored(desk):
    with desk.store.read() as db:
        return [tuple(row) for row in db.execute(sa.select(hooks.c.state, hooks.c.reason).order_by(hooks.c.id))]


def test_from_elsewhere_with_the_secret(box, tmp_path):
    """No key is needed and no other door opens: a hook is stored, and answered with 200."""
    with desk_for(box, tmp_path) as desk:
        caller = client_of(desk, peer="10.1.2.3", host="desk.example.com")
        assert caller.post(path_of(desk), content=BODY).json() == {"status": "ok"}
        assert stored(desk) == [("new", None)]


def test_a_wrong_secret_finds_nothing(desk, remote):
    """The answer is that of an address nobody serves, and nothing is stored."""
    right = path_of(desk)
    nowhere = remote.post("/api/nowhere", content=BODY)
    for path in (
        f"{right}x",
        right[:-1],
        "/api/amocrm/webhook/x",
        f"/api/amocrm/webhook/{'x' * 5000}",
        f"{right}%00",
        f"{right}/",
    ):
        answer = remote.post(path, content=BODY)
        assert (answer.status_code, answer.json()) == (404, nowhere.json())
    assert stored(desk) == []


def test_only_post(desk, remote):
    """A look with a browser is told so and stores nothing."""
    answer = remote.get(path_of(desk))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert stored(desk) == []


def test_junk_is_answered_alike(desk, remote):
    """Whatever comes with the right secret is answered with 200: AmoCRM would count anything else against the desk."""
    giant = (b"x" * 65536 for _ in range(100))
    for body in (b"", b"\xff\x00", b"[" * 10_000, b'{"a": 1}', "а=б".encode(), giant, b"a=1&" * 50_000):
        for kind in ("application/x-www-form-urlencoded",):
            answer = remote.post(
                path_of(desk), content=body, headers={"Content-Type": kind, "Content-Encoding": "gzip"}
            )
            assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert [state for state, _ in stored(desk)] == ["bad"] * 7


def test_a_hook_for_nobody(desk, remote):
    """A desk that is not connected cannot tell whose hook it is."""
    assert remote.post(path_of(desk), content=BODY).status_code == 200
    assert stored(desk) == [("bad", "account_unknown")]


def test_what_the_reader_trips_over(desk, remote, monkeypatch):
    """A fault of our own is no reason for a 5xx either."""
    monkeypatch.setattr("desk.webhooks.bodies.parse_qsl", lambda *_, **__: 1 / 0)
    assert remote.post(path_of(desk), content=BODY).status_code == 200
    assert stored(desk) == [("bad", "reader_failed")]


def test_without_the_database(desk, remote):
    """Only what could not be stored is not accepted: AmoCRM comes again."""
    path = path_of(desk)
    with desk.store.write() as db:
        hooks.drop(db)
    answer = remote.post(path, content=BODY)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unreachable")


def test_on_the_real_server():
    """A desk that is connected subscribes itself, hears of a change, and its console never shows the secret."""
    with running_sandbox(leads=5, rps=1000) as box, running_desk(**settings_for(box, ADMIN_API_KEY=ADMIN)) as desk:
        requests.post(
            f"{desk.url}/api/amocrm/callback",
            json={"refresh_token": box.grant()["refresh_token"]},
            headers={"Authorization": f"Bearer {ADMIN}"},
            timeout=30,
        ).raise_for_status()
        until(lambda: box.entities("webhooks"), "the subscription")
        secret = box.entities("webhooks")[0]["destination"].rpartition("/")[2]
        box.edit("create", "leads", fields={"name": "Новый"})
        until(lambda: box.ledger("hook", outcome="delivered"), "the hook")
        requests.post(f"{desk.url}/api/amocrm/webhook/{secret}", data=b"\xff", timeout=60)
        requests.get(f"{desk.url}/api/amocrm/webhook/{secret}", timeout=60)
        requests.post(f"{desk.url}/api/amocrm/webhook/{secret}x", timeout=60)
        until(lambda: "could not be read" in desk.log(), "the line of the bad one")
        assert secret not in desk.log()
