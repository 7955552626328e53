"""Proxies in front of the pages' own port, as people set them up: nobody behind them is taken for the desk's own machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proxies.asking import LEAD, ask, ask_socket
from tests.proxies.standing import KINDS, standing
from tests.support.programs import RunningDesk, running_desk, until

NOWHERE = {
    "AMOCRM_API_URL": "http://127.0.0.1:1",
    "AMOCRM_CLIENT_ID": "id-of-nobody",
    "AMOCRM_CLIENT_SECRET": "secret-of-nobody",
}
INTAKE = "intake-key-0123456789"

SETTINGS = {
    "none": {},
    "the README's": {
        "BASE_URL": "https://desk.example.com",
        "TRUSTED_PROXIES": "127.0.0.1",
        "INTAKE_API_KEY": INTAKE,
    },
    "a demo's with a proxy": {"TRUSTED_PROXIES": "127.0.0.1"},
}

PATHS = (
    "/", "/new", "/overview", "/new?phone=%2B79990000000", "/connection/start", "/index.html", "/static/js/x.js", "/media/x.xlsx",
    "/_stcore/host-config", "/_stcore/metrics", "/api/openapi.json", "/favicon.png", "//", "/enter/AAAAAAAAAAAAAAAAAAAAAA",
)  # fmt: skip


@pytest.fixture(scope="module", params=SETTINGS.values(), ids=SETTINGS)
def desk(request: pytest.FixtureRequest) -> Iterator[RunningDesk]:
    """A desk with an account, or a demo that says it has a proxy; it is told nothing more about the one that comes."""
    base = {} if request.param is SETTINGS["a demo's with a proxy"] else NOWHERE
    with running_desk(**base, **request.param) as running:
        yield running


def hosts(desk: RunningDesk, port: int) -> list[str]:
    """What somebody outside may call the desk: its name, and whatever could make it believe that they are inside."""
    return ["desk.example.com", f"localhost:{desk.port}", f"127.0.0.1:{desk.port}", "localhost", f"127.0.0.1:{port}"]


def lead_refused(port: int, host: str) -> int:
    """The status for a lead without a key, as soon as the strangers' budget, which these tests spend, has room for one more."""

    def asked():
        answer = ask(port, "/api/crm", host, method="POST", body=LEAD, Content_Type="application/json")
        return answer.status if answer.status != 429 else None

    return until(asked, "the strangers' budget")


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_behind_a_proxy_sees_anything(desk: RunningDesk, kind: str, tmp_path):
    """Pages, files, live connections and keyless leads from outside are refused, by whichever name and origin they come."""
    with standing(kind, desk.port, tmp_path) as port:
        for host in hosts(desk, port):
            opened = [path for path in PATHS if ask(port, path, host).status not in (400, 403, 404, 421)]
            assert opened == [], host
            assert b"streamlit" not in ask(port, "/", host).body.lower()
            sockets = {
                origin: ask_socket(port, host, origin) for origin in (None, f"http://{host}", f"https://{host}", "null")
            }
            assert 101 not in sockets.values(), (host, sockets)
            assert lead_refused(port, host) in (401, 403), host
            typed = ask(
                port, "/enter", host, method="POST", body=b"code=x", Content_Type="application/x-www-form-urlencoded"
            )
            assert typed.status == 403, host
        assert ask(port, "/healthz", "desk.example.com").status == 200


@pytest.mark.parametrize("kind", ["nginx 1.1", "nginx 1.1, upgrade", "haproxy http", "haproxy tcp", "socat"])
def test_without_the_proof_they_would_see_everything(kind: str, tmp_path):
    """What `LOCAL_ACCESS=open` gives up, and the reason for the proof: these proxies look exactly like this machine."""
    with running_desk(**NOWHERE, LOCAL_ACCESS="open") as running, standing(kind, running.port, tmp_path) as port:
        assert ask(port, "/", f"localhost:{running.port}").status == 200


def test_the_desks_own_machine_is_served_meanwhile(desk: RunningDesk):
    """Without a proxy, and with the cookie that the console's link gives, the page and its live connection are there."""
    from tests.support.programs import local_cookies

    host, cookie = f"localhost:{desk.port}", "; ".join(f"{name}={value}" for name, value in local_cookies().items())
    assert ask(desk.port, "/", host).status == 403
    assert ask(desk.port, "/", host, Cookie=cookie).status == 200
    assert ask_socket(desk.port, host, f"http://{host}") == 403
    assert ask_socket(desk.port, host, f"http://{host}", Cookie=cookie) == 101


def test_the_console_shows_the_way_in(desk: RunningDesk):
    """Its link opens the desk once; the next stands on the console at once."""
    import re

    def links() -> list[str]:
        return re.findall(rf"http://localhost:{desk.port}(/enter/\S+)", desk.log())

    host, known = f"localhost:{desk.port}", links()
    entered = ask(desk.port, known[-1], host)
    assert (entered.status, entered.head["location"]) == (303, "/")
    cookie = entered.head["set-cookie"].partition(";")[0]
    assert ask(desk.port, "/", host, Cookie=cookie).status == 200
    assert ask(desk.port, known[-1], host).status == 403
    assert len(links()) == len(known) + 1
