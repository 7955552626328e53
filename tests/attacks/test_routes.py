"""Every address the server has: which methods, who may, which headers. One that is not in the table fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from starlette.routing import Mount, Route, WebSocketRoute

from desk.settings import PROJECT
from desk.web.api import build
from desk.web.headers import ALWAYS
from desk.web.routes import routes
from tests.proxies.asking import Answer, ask, ask_socket
from tests.proxies.test_no_evidence import INTAKE, NOWHERE
from tests.support.programs import RunningDesk, free_port, local_cookies, running_desk

EVERYBODY, HERE, ENTRANCE, PROVED, NOBODY = "everybody", "here", "entrance", "proved", "nobody"
"""Who may: anybody (who then shows a key, a secret or a state, or learns nothing worth hiding); whoever seems to be on this
machine; the same, to prove it; whoever has proved it; nobody at all."""

ANY = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"}
READ, ASK = {"GET", "HEAD"}, {"OPTIONS"}

TABLE: dict[tuple[str, frozenset[str]], tuple[str, str]] = {
    (path, frozenset(methods)): (who, example)
    for path, methods, who, example in (
        ("/healthz", READ, EVERYBODY, "/healthz"),
        ("/readyz", READ, EVERYBODY, "/readyz"),
        ("/enter/{code}", READ, ENTRANCE, "/enter/x"),
        ("/enter", {"POST"}, ENTRANCE, "/enter"),
        ("/connection/start", READ, PROVED, "/connection/start"),
        ("/api/openapi.json", READ, PROVED, "/api/openapi.json"),
        ("/api/amocrm/auth", {"GET"}, EVERYBODY, "/api/amocrm/auth"),
        ("/api/amocrm/callback", {"GET"}, EVERYBODY, "/api/amocrm/callback"),
        ("/api/amocrm/callback", {"POST"}, EVERYBODY, "/api/amocrm/callback"),
        ("/api/amocrm/disabled", {"GET"}, EVERYBODY, "/api/amocrm/disabled"),
        ("/api/amocrm/webhook/{secret}", {"POST"}, EVERYBODY, "/api/amocrm/webhook/x"),
        ("/api/crm", {"POST"}, EVERYBODY, "/api/crm"),
        ("/api/crm", ASK, EVERYBODY, "/api/crm"),
        ("/api/crm/in/{key}", {"POST"}, EVERYBODY, "/api/crm/in/x"),
        ("/api/crm/in/{key}", {"GET"}, EVERYBODY, "/api/crm/in/x"),
        ("/api/crm/in/{key}", ASK, EVERYBODY, "/api/crm/in/x"),
        ("/api/crm/thanks", {"GET"}, EVERYBODY, "/api/crm/thanks"),
        ("/api/crm/{lead_id}", {"GET"}, EVERYBODY, "/api/crm/x"),
        ("/api/crm/{lead_id}", ASK, EVERYBODY, "/api/crm/x"),
        # Streamlit's
        ("/_stcore/health", READ, HERE, "/_stcore/health"),
        ("/_stcore/health", ASK, HERE, "/_stcore/health"),
        ("/_stcore/host-config", READ, PROVED, "/_stcore/host-config"),
        ("/_stcore/stream", {"socket"}, PROVED, "/_stcore/stream"),
        ("/media/{file_id:path}", READ, PROVED, "/media/x.csv"),
        ("/media/{file_id:path}", ASK, PROVED, "/media/x.csv"),
        ("/{files}", {"files"}, PROVED, "/favicon.png"),
        ("/_stcore/metrics", READ, NOBODY, "/_stcore/metrics"),
        ("/_stcore/metrics", ASK, NOBODY, "/_stcore/metrics"),
        ("/_stcore/upload_file/{session_id}/{file_id}", {"PUT"}, NOBODY, "/_stcore/upload_file/a/b"),
        ("/_stcore/upload_file/{session_id}/{file_id}", {"DELETE"}, NOBODY, "/_stcore/upload_file/a/b"),
        ("/_stcore/upload_file/{session_id}/{file_id}", ASK, NOBODY, "/_stcore/upload_file/a/b"),
        ("/component/{path:path}", READ, NOBODY, "/component/x/index.html"),
        ("/component/{path:path}", ASK, NOBODY, "/component/x/index.html"),
        ("/_stcore/bidi-components/{path:path}", READ, NOBODY, "/_stcore/bidi-components/x"),
        ("/_stcore/bidi-components/{path:path}", ASK, NOBODY, "/_stcore/bidi-components/x"),
        ("/auth/login", READ, NOBODY, "/auth/login"),
        ("/auth/logout", READ, NOBODY, "/auth/logout"),
        ("/oauth2callback", READ, NOBODY, "/oauth2callback"),
        ("/_stcore/agent/interact", ANY, NOBODY, "/_stcore/agent/interact"),
        ("/_stcore/agent/openapi.json", ANY, NOBODY, "/_stcore/agent/openapi.json"),
        ("/_stcore/agent/mcp", ANY, NOBODY, "/_stcore/agent/mcp"),
    )
}  # fmt: skip
"""(address, methods): who may, and an address to try."""

NOT_LET_IN, NOTHING_THERE = {403}, {404}


def served() -> Iterator[tuple[str, frozenset[str]]]:
    """What the server really has, Streamlit's own included."""
    app = st.App(PROJECT / "pages" / "navigation.py", routes=routes(lambda: None))  # type: ignore[arg-type, return-value]
    for route in app._build_starlette_app().routes:
        match route:
            case Mount(path="/api"):
                api = build(lambda: None)  # type: ignore[arg-type, return-value]
                yield from ((f"/api{one.path}", frozenset(one.methods)) for one in api.routes if isinstance(one, Route))
            case Mount(path=""):
                yield "/{files}", frozenset({"files"})
            case WebSocketRoute():
                yield route.path, frozenset({"socket"})
            case Route():
                yield route.path, frozenset(route.methods or ())
            case _:
                raise AssertionError(f"an address of another kind: {route}")


def test_every_address_is_in_the_table():
    """None is served that nobody has decided about, and none is in the table that is gone."""
    assert set(served()) == set(TABLE)


@pytest.fixture(scope="module")
def desk() -> Iterator[tuple[RunningDesk, int]]:
    public = free_port()
    with running_desk(**NOWHERE, PUBLIC_LISTEN=str(public), INTAKE_API_KEY=INTAKE) as running:
        yield running, public


def callers(running: RunningDesk, public: int, path: str, method: str) -> dict[str, Answer | int]:
    """What each kind of caller gets."""
    home, cookie = f"localhost:{running.port}", "; ".join(f"{name}={value}" for name, value in local_cookies().items())
    if method == "socket":
        return {
            "stranger": ask_socket(running.port, "desk.example.com", path=path),
            "unproved": ask_socket(running.port, home, f"http://{home}", path=path),
            "proved": ask_socket(running.port, home, f"http://{home}", path=path, Cookie=cookie),
            "public": ask_socket(public, home, f"http://{home}", path=path, Cookie=cookie),
        }
    return {
        "stranger": ask(running.port, path, "desk.example.com", method=method),
        "unproved": ask(running.port, path, home, method=method),
        "proved": ask(running.port, path, home, method=method, Cookie=cookie),
        "public": ask(public, path, home, method=method, Cookie=cookie),
    }


@pytest.mark.parametrize(
    ("path", "methods"), TABLE, ids=lambda one: one if isinstance(one, str) else ",".join(sorted(one))
)
def test_who_may_and_with_which_headers(desk, path: str, methods: frozenset[str]):
    """Each address lets in those it is for and nobody else, by every method, and has the headers of every answer."""
    who, example = TABLE[path, methods]
    for method in ["GET"] if methods == {"files"} else sorted(methods):
        told = callers(*desk, example, method)
        status = {name: answer if isinstance(answer, int) else answer.status for name, answer in told.items()}
        shut = {name for name, code in status.items() if code in NOT_LET_IN | NOTHING_THERE}
        match who:
            case "everybody":
                assert "text/html" not in told["stranger"].head.get("content-type", "") or path == "/api/crm/thanks"
                assert status["stranger"] == status["public"]
            case "here":
                assert (status["stranger"], status["public"]) == (403, 404)
                assert {"unproved", "proved"}.isdisjoint(shut)
            case "entrance":
                assert (status["stranger"], status["public"]) == (403, 404)
                assert method == "POST" or status["proved"] == 303
            case "proved":
                assert (status["stranger"], status["unproved"]) == (403, 403)
                assert status["public"] == 404
                assert status["proved"] not in NOT_LET_IN
            case "nobody":
                assert (status["stranger"], status["unproved"], status["proved"], status["public"]) == (
                    403,
                    403,
                    404,
                    404,
                )
        for answer in told.values():
            if isinstance(answer, Answer):
                other = [name for name, value in ALWAYS if answer.head.get(name.decode()) != value.decode()]
                assert other == [] or (other, answer.head["referrer-policy"]) == ([b"referrer-policy"], "no-referrer")
                assert (
                    "frame-ancestors 'none'" in answer.head["content-security-policy"]
                    or "default-src 'none'" in answer.head["content-security-policy"]
                )
                assert answer.head["cache-control"]


def test_only_the_files_of_streamlit_are_kept(desk):
    """What a proved browser may keep is Streamlit's own bundle; the page itself is asked about each time."""
    running, _ = desk
    home, cookie = f"localhost:{running.port}", "; ".join(f"{name}={value}" for name, value in local_cookies().items())
    script = next(Path(st.__file__).parent.glob("static/static/js/index.*.js")).name
    kept = {
        path: ask(running.port, path, home, Cookie=cookie).head["cache-control"]
        for path in ("/", "/new", f"/static/js/{script}", "/media/x")
    }
    assert kept["/"] == kept["/new"] == "no-cache"
    assert "immutable" in kept[f"/static/js/{script}"]
    assert kept["/media/x"] == "no-store"
