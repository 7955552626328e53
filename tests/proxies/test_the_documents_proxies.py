"""The proxies that README and docs show, started from the very text: they let in what is public and nothing else."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from desk.settings import PROJECT
from tests.proxies.standing import NGINX, started
from tests.proxies.test_no_evidence import INTAKE, NOWHERE
from tests.support.programs import RunningDesk, free_port, running_desk

PAGES = ("README.md", "README.ru.md", "docs/webhooks.md")
NAME = "desk.example.com"

BLOCKS = [
    (page, program, text)
    for page in PAGES
    for program, text in re.findall(r"^```(nginx|caddy|haproxy)\n(.*?)^```", (PROJECT / page).read_text(), re.M | re.S)
]


@pytest.fixture(scope="module")
def desk() -> Iterator[tuple[RunningDesk, int]]:
    """A desk with the settings that stand beside the proxies, and its public port."""
    public = free_port()
    settings = dict(
        line.partition(" ")[0].split("=", 1)
        for line in re.search(r"```ini\n(BASE_URL.*?)```", (PROJECT / "README.md").read_text(), re.S)[1].splitlines()
    )
    settings["PUBLIC_LISTEN"] = settings["PUBLIC_LISTEN"].replace("8502", str(public))
    with running_desk(**NOWHERE, **settings, INTAKE_API_KEY=INTAKE) as running:
        yield running, public


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key in one file, as HAProxy wants them and nginx takes them."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=36500)).sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


def as_it_stands(program: str, text: str, *, port: int, public: int, certificate: Path) -> str:
    """The document's text with this machine's ports and files in the place of the reader's, and nothing else changed."""
    text = re.sub(r"/etc/ssl/[\w.]+", str(certificate), text).replace("127.0.0.1:8502", f"127.0.0.1:{public}")
    if program == "caddy":
        return f"{{\n\tadmin off\n}}\n{text.replace(NAME, f'http://127.0.0.1:{port}', 1)}"
    return text.replace("listen 443", f"listen 127.0.0.1:{port}").replace("bind :443", f"bind 127.0.0.1:{port}")


def test_there_are_such_documents():
    """Each README shows nginx, and the page on webhooks all three."""
    assert sorted((page, program) for page, program, _ in BLOCKS) == [
        ("README.md", "nginx"), ("README.ru.md", "nginx"),
        ("docs/webhooks.md", "caddy"), ("docs/webhooks.md", "haproxy"), ("docs/webhooks.md", "nginx"),
    ]  # fmt: skip


def test_the_documents_agree():
    """The same proxy is shown everywhere, but for the language of its comment, and the same settings beside it."""
    shown = {re.sub(r"#.*", "", text) for _, program, text in BLOCKS if program == "nginx"}
    assert len(shown) == 1
    assert all("proxy_pass http://127.0.0.1:8501" not in (PROJECT / page).read_text() for page in PAGES)


@pytest.mark.parametrize(("page", "program", "text"), BLOCKS, ids=[f"{page}-{program}" for page, program, _ in BLOCKS])
def test_what_the_documents_proxies_let_in(desk, certificate: Path, page: str, program: str, text: str, tmp_path: Path):
    """A lead with its key, AmoCRM's calls and health pass; pages, live connections and keyless leads do not exist there."""
    running, public = desk
    port = free_port()
    config = as_it_stands(program, text, port=port, public=public, certificate=certificate)
    if program == "nginx":
        config = NGINX.format(folder=tmp_path, servers=config)
    scheme = "http" if program == "caddy" else "https"
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    with started(program, config, tmp_path, port), requests.Session() as outside:
        outside.trust_env, outside.verify = False, False  # the certificate was made a moment ago
        outside.headers["Host"] = f"127.0.0.1:{port}" if program == "caddy" else NAME
        base = f"{scheme}://127.0.0.1:{port}"
        lead, key = {"name": "Пётр", "phone": "+79161234567"}, {"Authorization": f"Bearer {INTAKE}"}
        assert outside.post(f"{base}/api/crm", json=lead, headers=key, timeout=20).status_code == 202
        assert outside.post(f"{base}/api/crm", json=lead, timeout=20).status_code == 401
        assert outside.get(f"{base}/healthz", timeout=20).json() == {"status": "ok"}
        assert outside.post(f"{base}/api/amocrm/webhook/wrong", timeout=20).json()["code"] == "no_such_address"
        callback = outside.get(f"{base}/api/amocrm/callback?code=x&state=x", timeout=20, allow_redirects=False)
        assert callback.headers["location"].startswith("/connection?result=")
        for path in (
            "/",
            "/new",
            "/connection",
            "/_stcore/health",
            "/_stcore/stream",
            "/enter/x",
            "/static/x.js",
            "/api/openapi.json",
        ):
            for host in (None, f"localhost:{running.port}", "localhost"):
                answer = outside.get(base + path, headers={"Host": host} if host else {}, timeout=20)
                assert answer.status_code == 404 or "desk" not in answer.text.lower(), path
                assert "streamlit" not in answer.text.lower()
