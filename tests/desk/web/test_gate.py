"""Who may in: this machine's own browser, by four signs at once and by a proof."""

import pytest

from desk.settings import Secret
from desk.web.caller import PUBLIC, Caller, caller_of
from desk.web.gate import key_verdict
from desk.web.gate import verdict as verdict_with


def scope(peer="127.0.0.1", host="localhost:8501", **headers):
    pairs = [(b"host", host.encode())] if host is not None else []
    pairs += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": "/", "client": (peer, 5000), "headers": pairs}


def verdict(path, caller):
    """For a caller with a proof: what keeps strangers out must not lean on their having none."""
    return verdict_with(path, caller, is_proved=True)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "127.0.0.2", "LocalHost:1"]
)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "127.0.0.9"])
def test_this_machine_is_let_in(peer, host):
    """Loopback peer, loopback host, nothing forwarded."""
    assert verdict("/", caller_of(scope(peer, host))) == "serve"


@pytest.mark.parametrize(
    "stranger",
    [
        scope(peer="10.0.0.5"), scope(peer=""), scope(host="desk.example.com"), scope(host="localhost.evil.com"),
        scope(host="evil.com@localhost"), scope(host="localhost/evil"), scope(host=""), scope(host=None),
        scope(host="127.0.0.1.nip.io"), scope(x_forwarded_for="127.0.0.1"), scope(forwarded="for=127.0.0.1"),
        scope(via="1.1 proxy"), scope(x_real_ip="127.0.0.1"), scope(x_forwarded_host="localhost"),
        scope(origin="https://evil.com"), scope(origin="null"), scope(origin="http://localhost:3000"),
        scope(origin="https://localhost:8501"), scope(origin="http://127.0.0.1:8501"), scope(origin="http://localhost"),
        scope(origin="http://evil.com\\@localhost:8501"), scope(host="[::1].evil"), scope(host="localhost.:8501"),
        scope(host="localhost..:8501"), scope(host="127.0.0.1:80:80"), scope(host="[::1%25eth0]:8501"),
        scope(host="localhost:99999"), scope(host="localhost:0"), scope(host="localhost:"), scope(host="127.0.0.1.:8501"),
        scope(host="127.1:8501"), scope(host="127.0.0.999:8501"), scope(host="2130706433"), scope(host="0.0.0.0:8501"),
        scope(host="a@localhost:8501"), scope(host=" localhost"), scope(host="localhost:8501\n"), scope(host="[::]:8501"),
        scope(sec_fetch_site="cross-site", sec_fetch_mode="no-cors", sec_fetch_dest="image"),
        scope(sec_fetch_site="same-site", sec_fetch_mode="no-cors", sec_fetch_dest="image"),
        scope(sec_fetch_site="cross-site", sec_fetch_mode="navigate", sec_fetch_dest="iframe"),
        scope(sec_fetch_site="cross-site", sec_fetch_mode="navigate", sec_fetch_dest="document") | {"method": "POST"},
        scope() | {PUBLIC: True},
    ],
    ids=str,
)  # fmt: skip
def test_everybody_else_is_kept_out(stranger):
    """One sign against it is enough: another peer, another name, a proxy, a page from elsewhere, another port's page."""
    assert verdict("/", caller_of(stranger)) in ("refuse", "nothing")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/", "locked"), ("/new", "locked"), ("/_stcore/stream", "locked"), ("/media/x.xlsx", "locked"), ("/connection/start", "locked"),
     ("/api/openapi.json", "locked"), ("/_stcore/health", "own_check"), ("/enter/x", "own_check"), ("/enter", "own_check"),
     ("/enter/x/y", "locked"), ("/api/crm", "own_check"), ("/readyz", "own_check"), ("/_stcore/metrics", "locked")],
)  # fmt: skip
def test_no_evidence_is_no_permission(path, expected):
    """Whoever seems to be on this machine and proves nothing gets no page, only the way to prove it."""
    assert verdict_with(path, caller_of(scope()), is_proved=False) == expected


@pytest.mark.parametrize("headers", [{"origin": "http://localhost:8501"}, {"sec_fetch_site": "none"},
                                     {"sec_fetch_site": "same-origin", "sec_fetch_mode": "websocket"},
                                     {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}])  # fmt: skip
def test_the_desks_own_pages_and_links_to_it_are_let_in(headers):
    """The desk's own origin, an address typed, and a link that a person follows from anywhere."""
    assert verdict("/", caller_of(scope(**headers))) == "serve"


@pytest.mark.parametrize(
    "path",
    ["/_stcore/upload_file/a/b", "/_stcore/metrics", "/_stcore/agent/mcp", "/_stcore/agent", "/component/x.y/index.html",
     "/_stcore/bidi-components/x", "/auth/login", "/oauth2callback", "/_stcore/script-health-check"],
)  # fmt: skip
def test_what_no_page_needs_is_served_to_nobody(path):
    """Uploads, figures, the agent API, components and Streamlit's sign-in are shut on this machine too."""
    assert verdict(path, caller_of(scope())) == "nothing"


@pytest.mark.parametrize(
    "path", ["/", "/new", "/enter", "/enter/x", "/_stcore/stream", "/_stcore/health", "/api/openapi.json", "/x"]
)
def test_the_public_listener_serves_nothing_else(path):
    """Whatever a request there looks like, it gets intake, AmoCRM's way in and health, or nothing."""
    here = caller_of(scope() | {PUBLIC: True})
    assert verdict(path, here) == "nothing"
    assert verdict("/api/crm", here) == "own_check"
    assert verdict("/readyz", here) == "own_check"


def test_two_host_headers_are_no_host():
    """Whoever sends two names is not believed either."""
    doubled = scope()
    doubled["headers"].append((b"host", b"evil.com"))
    assert not caller_of(doubled).seems_local


def test_two_origins_are_none_of_ours():
    """Nor is whoever names two pages."""
    doubled = scope(origin="http://localhost:8501")
    doubled["headers"].append((b"origin", b"http://localhost:8501"))
    assert not caller_of(doubled).seems_local


def test_header_names_in_any_case():
    """A forwarding header is noticed however it is spelled."""
    forwarded = scope()
    forwarded["headers"].append((b"X-Forwarded-For", b"127.0.0.1"))
    assert not caller_of(forwarded).seems_local


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "refuse"), ("/new", "refuse"), ("/connection/start", "refuse"), ("/_stcore/stream", "refuse"),
        ("/api/crm", "own_check"), ("/api/crm/abc", "own_check"), ("/api/amocrm/callback", "own_check"),
        ("/healthz", "own_check"), ("/readyz", "own_check"), ("/healthz/x", "refuse"), ("/api/crmx", "refuse"),
        ("/api/openapi.json", "refuse"), ("/apis/amocrm/", "refuse"), ("/x/api/crm", "refuse"), ("/enter/x", "refuse"),
        ("/_stcore/health", "refuse"), ("/api/crm\n", "refuse"), ("/api/amocrm/a\nb", "refuse"),
    ],
)  # fmt: skip
def test_what_strangers_may_ask_for(path, expected):
    """Only the addresses that check their callers themselves pass the gate."""
    assert verdict(path, Caller("8.8.8.8", "desk.example.com", forwarded=False)) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer right-key-0123456", "ok"), ("bearer right-key-0123456", "ok"), ("Bearer wrong", "wrong"),
        ("Basic right-key-0123456", "wrong"), ("right-key-0123456", "wrong"), ("", "wrong"), (None, "wrong"),
        ("Bearer ", "wrong"), ("Bearer ключ", "wrong"),
    ],
)  # fmt: skip
def test_keys(header, expected):
    """Only the whole key, as a bearer, opens."""
    assert key_verdict(Secret("right-key-0123456"), header) == expected


def test_without_a_key_set_nobody_gets_in():
    """An unset key is not an empty key."""
    assert key_verdict(None, "Bearer ") == "no_key_set"


@pytest.mark.parametrize("name", ["host", "origin"])
@pytest.mark.parametrize("value", [b"[::1", b"http://[", b"\xff\xfe", b"["])
def test_a_malformed_header_is_nobodys(name, value):
    """A host or origin that is none makes no traceback: whoever sends it is not local."""
    headers = [(b"host", b"localhost:8501"), (name.encode(), value)]
    headers = headers[1:] if name == "host" else headers
    caller = caller_of({"headers": headers, "client": ("127.0.0.1", 5)})
    assert verdict("/", caller) == "refuse"


@pytest.mark.parametrize(
    "header",
    ["x-client-ip", "true-client-ip", "x-forwarded-server", "x-original-forwarded-for", "x-cluster-client-ip", "cf-connecting-ip",
     "x-real-ip", "forwarded", "via", "x-forwarded-port", "x-original-host", "cf-connecting-ipv6", "client-ip", "wl-proxy-client-ip",
     "x-envoy-external-address", "x-azure-clientip", "cdn-loop", "cf-ray", "tailscale-user-login", "x-varnish",
     "cloudfront-viewer-address", "fly-client-ip", "x-appengine-user-ip", "x-amzn-trace-id"],
)  # fmt: skip
def test_whatever_a_proxy_adds_means_not_local(header):
    """One header that only a proxy writes, and the browser is not on this machine."""
    headers = [(b"host", b"127.0.0.1:8501"), (header.encode(), b"1")]
    assert verdict("/", caller_of({"headers": headers, "client": ("127.0.0.1", 5)})) == "refuse"


def test_a_proxy_that_adds_nothing_speaks_an_old_tongue():
    """nginx as it comes: HTTP/1.0, its own address as the host, no header that tells."""
    scope = {"headers": [(b"host", b"127.0.0.1:8501")], "client": ("127.0.0.1", 5)}
    assert verdict("/", caller_of(scope | {"http_version": "1.0"})) == "refuse"
    assert verdict("/", caller_of(scope | {"http_version": "1.1"})) == "serve"
