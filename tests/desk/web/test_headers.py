"""The headers of every answer: what a browser may load and run, who may frame it, what it keeps."""

import re

import pytest

from desk.web.headers import ALWAYS, NONE, Headers, hashed, policy
from tests.support.loops import in_a_loop
from ui.streamlit_gaps import scripts

INDEX = b"<html><script>\n  window.ready = false\n</script><script src='x.js'></script></html>"


def answered(path, *given, status=200, host=b"localhost:8501"):
    """The headers of an answer that says `given` of itself."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": list(given)})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": [(b"host", host)], "method": "GET"}
    in_a_loop(Headers(app, INDEX, scripts.ALL), scope, None, send)
    names = [name for name, _ in sent[0]["headers"]]
    assert len(names) == len(set(names))
    return dict(sent[0]["headers"])


PAGE = (b"content-type", b"text/html; charset=utf-8")


def test_a_pages_policy_names_no_foreign_origin():
    """Everything comes from the server itself; inline scripts are those whose hash is known, and nobody frames it."""
    told = answered("/", PAGE)[b"content-security-policy"].decode()
    parts = dict(part.partition(" ")[::2] for part in told.split("; "))
    sources = " ".join(parts.values())
    assert set(re.findall(r"\S*://\S*", sources)) == {"ws://localhost:8501", "wss://localhost:8501"}
    assert "*" not in sources
    assert "unsafe-inline" not in parts["script-src"]
    assert "unsafe-eval" not in sources
    assert parts["default-src"] == parts["frame-ancestors"] == parts["object-src"] == "'none'"
    inline = ("\n  window.ready = false\n", *scripts.ALL)
    assert [one for one in inline if hashed(one) not in parts["script-src"]] == []


@pytest.mark.parametrize("host", ["evil.example", "localhost:8501; script-src *", "", "localhost:1 *"])
def test_no_host_gets_into_the_policy(host):
    """What is typed for a host and is none of this machine's changes nothing."""
    assert policy(host, ()) == policy("", ())
    assert b"evil" not in answered("/", PAGE, host=host.encode())[b"content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/", "/new", "/api/crm", "/media/x.csv", "/static/js/x.js", "/readyz", "/_stcore/host-config", "/x"]
)
def test_every_answer_has_them(path):
    """Whatever it is, nobody guesses its kind, frames it or learns where one came from; it has a policy and a word on keeping."""
    told = answered(path)
    assert [name for name, value in ALWAYS if told[name] != value] == []
    assert b"frame-ancestors 'none'" in told[b"content-security-policy"]
    assert told[b"cache-control"]


@pytest.mark.parametrize(
    "path", ["/media/x.csv", "/api/crm/abc", "/api/amocrm/callback", "/connection/start", "/enter/x"]
)
def test_what_is_personal_is_kept_nowhere(path):
    """Whatever the answer says of itself."""
    assert answered(path, (b"Cache-Control", b"public, max-age=31536000"))[b"cache-control"] == b"no-store"


def test_what_an_answer_says_of_itself_stands():
    """Streamlit's files stay cached, and a page with a policy of its own keeps it."""
    told = answered(
        "/static/js/x.js", (b"Cache-Control", b"public, immutable"), (b"Content-Security-Policy", b"sandbox")
    )
    assert (told[b"cache-control"], told[b"content-security-policy"]) == (b"public, immutable", b"sandbox")


def test_not_modified_takes_no_page_its_policy():
    """A browser puts the headers of a 304 in the place of those it has kept with the page."""
    assert (
        answered("/", status=304)[b"content-security-policy"] == answered("/", PAGE)[b"content-security-policy"] != NONE
    )


def test_sites_may_read_the_intakes_answers():
    """What a site's page asks `/api` for is not kept from it; everything else is."""
    assert b"cross-origin-resource-policy" not in answered("/api/crm")
    assert answered("/media/x")[b"cross-origin-resource-policy"] == b"same-origin"


def test_a_fault_is_answered_with_them_too():
    """An application that breaks is answered for by us, and the fault goes on to where it is told."""
    sent = []

    async def broken(scope, receive, send):
        raise RuntimeError

    async def send(message):
        sent.append(message)

    with pytest.raises(RuntimeError):
        in_a_loop(Headers(broken, b"", ()), {"type": "http", "path": "/", "headers": []}, None, send)
    assert sent[0]["status"] == 500
    assert dict(sent[0]["headers"])[b"content-security-policy"] == NONE


@pytest.mark.parametrize(
    ("is_accepted", "kind"), [(True, "websocket.accept"), (False, "websocket.http.response.start")]
)
def test_a_live_connections_handshake_has_them(is_accepted, kind):
    """Opened or refused."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "websocket.accept"} if is_accepted else {"type": "websocket.close", "code": 1008})

    async def send(message):
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [], "extensions": {"websocket.http.response": {}}}
    in_a_loop(Headers(app, b"", ()), scope, None, send)
    assert sent[0]["type"] == kind
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]
