"""The desk's settings: the only reader of the environment.

Three places, later wins: `.env`, `.env.local`, the environment of the process. Every setting is one line of
`SETTINGS` below: its name, what its text may be, and what holds when it is unset. All faults are found in
one go and raised together as `SettingsError`, each with the setting's name and what is wrong with it.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from crm.config import DOMAINS, Config, Secret, is_loopback
from crm.errors import SetupError

PROJECT = Path(__file__).resolve().parent.parent
"""The folder of the clone: `.env` is looked for here, and relative paths start here, wherever one stands."""

MAX_RPS = 7.0
"""Requests a second AmoCRM allows one integration (sheet 4.1). Above it: 429, then a block of the account."""

LEAST_RPS = 0.1
"""A slower desk would not deliver a lead within a minute."""

LONGEST = 4096
"""No setting needs more characters than this; a long-lived token takes about 1,200."""

KEY_LENGTH = 16
"""The least for an API key: shorter ones can be guessed."""

SECRET_LENGTH = 32
"""The least for `SECRET_KEY`, from which the encryption key of the tokens is made, and for `LOCAL_KEY`."""

TOP_PORT = 65535

CODE, OPEN = "code", "open"
"""What `LOCAL_ACCESS` may be: show a code once, or let in whoever seems to be on this machine."""

PLACEHOLDER = re.compile(
    r"""^(?: <.*> | \{.*\} | \[.*\] | \.{3} | … | \*+ | -+ | x[x-]{2,} | 0[0-]{5,}
        | (?:your|my)[-_ .]?(?:own[-_ .]?)?(?:sub|domain|account|company|client|secret|id|key|token|url|database|value|name).*
        | changeme | (?:put|insert|enter|paste|type|add|set|fill|replace|change)[-_ .](?:your|the|me|here|this|it|in|with|value).*
        | (?:ваш|мой|свой|вставьте|впишите|укажите|замените|введите).*
        | (?:todo|fixme|tbd|placeholder|example|none|null|undefined|subdomain|client[-_ ]?(?:id|secret))(?:[-_ .:].*)?
        )$""",
    re.IGNORECASE | re.VERBOSE,
)
"""Texts that stand where a value should: what people leave in from an example file."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One setting that is wrong. `code` has its words in `locales/` (`setting-<code>`), `hint` fills them in."""

    name: str
    code: str
    hint: str = ""


class SettingsError(SetupError):
    """All that is wrong with the settings, at once. Holds names and reasons, never values of secrets.

    `language`: what they say about it, as far as that is readable; "" where they say nothing.
    """

    def __init__(self, faults: list[Fault], language: str = "") -> None:
        super().__init__("settings_wrong")
        self.faults, self.language = faults, language

    def __str__(self) -> str:
        return "settings_wrong: " + ", ".join(f"{fault.name} ({fault.code})" for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, checked. Made by `load`; every field is the setting of the same name."""

    amocrm_subdomain: str | None = None
    amocrm_domain: str = "amocrm.ru"
    amocrm_client_id: str | None = None
    amocrm_client_secret: Secret | None = None
    amocrm_redirect_uri: str = ""
    amocrm_access_token: Secret | None = None
    amocrm_api_url: str = ""
    amocrm_oauth_url: str = ""
    amocrm_field_phone: int = 264911
    amocrm_field_direction: int = 264913
    amocrm_field_source: int = 264915
    amocrm_contact_field_phone: int = 264911
    amocrm_max_rps: float = 6.7
    base_url: str = "http://localhost:8501"
    database_url: str = field(default="", repr=False)  # may hold a password
    secret_key: Secret | None = None
    admin_api_key: Secret | None = None
    intake_api_key: Secret | None = None
    intake_allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    local_access: str | None = None
    local_key: Secret | None = None
    public_listen: tuple[str, int] | None = None
    timezone: str = "Europe/Moscow"
    ui_language: str = "ru"
    demo: bool = False
    folder: Path = PROJECT
    notes: tuple[Fault, ...] = field(default=())

    @property
    def zone(self) -> ZoneInfo:
        """The club's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def data_folder(self) -> Path:
        """Where the desk's own files are: the folder of its SQLite file, or `data/` where the database is on a server."""
        _, found, path = self.database_url.partition("sqlite:///")
        return Path(path).parent if found else self.folder / "data"

    @property
    def amocrm(self) -> Config:
        """What `crm` has to know."""
        return Config(
            api_url=self.amocrm_api_url,
            oauth_url=self.amocrm_oauth_url,
            client_id=self.amocrm_client_id,
            client_secret=self.amocrm_client_secret,
            redirect_uri=self.amocrm_redirect_uri,
            access_token=self.amocrm_access_token,
            subdomain=self.amocrm_subdomain,
        )

    @property
    def is_public(self) -> bool:
        """Whether somebody may stand before the desk: a public address, a trusted proxy, a listener for one."""
        host = urlsplit(self.base_url).hostname or ""
        return not is_loopback(host) or bool(self.trusted_proxies) or self.public_listen is not None

    @property
    def asks_for_proof(self) -> bool:
        """Whether a browser has to prove that it is on this machine before it sees a page.

        A demo holds invented people only, so it asks nobody, as long as nothing tells of a proxy.
        """
        if self.local_access is not None:
            return self.local_access == CODE
        return not self.demo or self.is_public

    @property
    def local_key_file(self) -> Path:
        """Where the made `LOCAL_KEY` lives: beside the database."""
        return self.data_folder / "local.key"

    @property
    def key_file(self) -> Path:
        """Where the made `SECRET_KEY` lives: beside the database."""
        return self.data_folder / "secret.key"


class _Wrong(ValueError):
    """A text a setting cannot have. Carries the fault's code and hint."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code)
        self.code, self.hint = code, hint


def _one_of(*choices: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text.lower() not in choices:
            raise _Wrong("choice", ", ".join(choices))
        return text.lower()

    return check


def _subdomain(text: str) -> str:
    bare = text.lower()
    if re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", bare):
        return bare
    found = re.match(rf"(?:https?://)?([a-z0-9-]+)\.(?:{'|'.join(map(re.escape, DOMAINS))})", bare)
    raise _Wrong("subdomain", found.group(1) if found else "")


def _plain(text: str) -> str:
    if re.search(r"\s", text):
        raise _Wrong("spaces")
    if not text.isascii():
        raise _Wrong("not_ascii")
    return text


def _secret(least: int) -> Callable[[str], Secret]:
    def check(text: str) -> Secret:
        if len(_plain(text)) < least:
            raise _Wrong("too_short", str(least))
        return Secret(text)

    return check


def _secret_keys(text: str) -> Secret:
    """One key, or the new one and former ones after it, separated by commas."""
    for phrase in text.split(","):
        _secret(SECRET_LENGTH)(phrase)
    return Secret(text)


def _number(kind: type, low: float, high: float) -> Callable[[str], Any]:
    def check(text: str) -> Any:
        try:
            number = kind(text)
        except ValueError:
            raise _Wrong("number") from None
        if not low <= number <= high:
            raise _Wrong("range", f"{low:g} … {high:g}")
        return number

    return check


def _url(text: str) -> str:
    """An http(s) address without user, query or fragment. Plain http only nearby: secrets travel on it."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _Wrong("url") from None
    if parts.scheme not in ("http", "https") or not host or port == 0 or re.search(r"[\s\\]", text):
        raise _Wrong("url")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _Wrong("url_extra")
    if parts.scheme == "http" and not _is_nearby(host):
        raise _Wrong("https")
    return text


def _base_url(text: str) -> str:
    return _url(text).rstrip("/")


def _account_url(text: str) -> str:
    """Where AmoCRM's API is: scheme, host, perhaps a port, and nothing behind."""
    if urlsplit(_url(text)).path not in ("", "/"):
        raise _Wrong("url_path")
    return _url(text).rstrip("/")


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part for part in re.split(r"[\s,]+", text) if part)
    for origin in origins:
        parts = urlsplit(_url(origin))
        if parts.path not in ("", "/"):
            raise _Wrong("origin", origin)
    return tuple(origin.rstrip("/").lower() for origin in origins)


def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    found = []
    for part in re.split(r"[\s,]+", text.strip(", ")):
        try:
            found.append(ipaddress.ip_network(part, strict=False))
        except ValueError:
            raise _Wrong("network", part) from None
    return tuple(found)


def _listen(text: str) -> tuple[str, int]:
    """An address of this machine and a port; a port alone is on loopback. Names are looked up by nobody."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isascii() or not port.isdecimal() or not 1 <= int(port) <= TOP_PORT:
        raise _Wrong("listen")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise _Wrong("listen") from None
    return host, int(port)


def _timezone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _Wrong("timezone") from None
    return text


def _database_url(text: str) -> str:
    text = re.sub(r"^postgres(?:ql)?(?:\+psycopg)?://", "postgresql+psycopg://", text)
    if not re.match(r"(sqlite:///|postgresql\+psycopg://).+", text):
        raise _Wrong("database")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _Wrong("database") from None
    if url.get_backend_name() == "sqlite" and url.query:
        raise _Wrong("database")
    if url.get_backend_name() == "postgresql" and find_spec("psycopg") is None:
        raise _Wrong("database_driver")
    return text


SETTINGS: dict[str, Callable[[str], Any]] = {
    "AMOCRM_SUBDOMAIN": _subdomain,
    "AMOCRM_DOMAIN": _one_of(*DOMAINS),
    "AMOCRM_CLIENT_ID": _plain,
    "AMOCRM_CLIENT_SECRET": _secret(1),
    "AMOCRM_REDIRECT_URI": _url,
    "AMOCRM_ACCESS_TOKEN": _secret(1),
    "AMOCRM_API_URL": _account_url,
    "AMOCRM_OAUTH_URL": _base_url,
    "AMOCRM_FIELD_PHONE": _number(int, 1, 2**53),
    "AMOCRM_FIELD_DIRECTION": _number(int, 1, 2**53),
    "AMOCRM_FIELD_SOURCE": _number(int, 1, 2**53),
    "AMOCRM_CONTACT_FIELD_PHONE": _number(int, 1, 2**53),
    "AMOCRM_MAX_RPS": _number(float, LEAST_RPS, MAX_RPS),
    "BASE_URL": _base_url,
    "DATABASE_URL": _database_url,
    "SECRET_KEY": _secret_keys,
    "ADMIN_API_KEY": _secret(KEY_LENGTH),
    "INTAKE_API_KEY": _secret(KEY_LENGTH),
    "INTAKE_ALLOWED_ORIGINS": _origins,
    "TRUSTED_PROXIES": _networks,
    "PUBLIC_LISTEN": _listen,
    "LOCAL_ACCESS": _one_of(CODE, OPEN),
    "LOCAL_KEY": _secret(SECRET_LENGTH),
    "TIMEZONE": _timezone,
    "UI_LANGUAGE": _one_of("ru", "en"),
}
"""Every setting and the check of its text. `.env.example` and the README list the same names; a test compares."""

ACCOUNT_SETTINGS = (
    "AMOCRM_SUBDOMAIN",
    "AMOCRM_CLIENT_ID",
    "AMOCRM_CLIENT_SECRET",
    "AMOCRM_REDIRECT_URI",
    "AMOCRM_ACCESS_TOKEN",
    "AMOCRM_API_URL",
    "AMOCRM_OAUTH_URL",
)
"""The settings that point at an account. With none of them the desk is a demo."""


def load(environ: Mapping[str, str] | None = None, folder: Path = PROJECT, *, port: int = 8501) -> Settings:
    """Read and check everything. `port`: where the desk listens, for a `BASE_URL` nobody set.

    Raises `SettingsError` with every fault, never only the first.
    """
    texts, strangers, faults = _texts(os.environ if environ is None else environ, folder)
    values, wrong = _checked(texts)
    faults += wrong
    demo = not any(name in texts for name in ACCOUNT_SETTINGS)
    faults += _gaps(values, faults, demo=demo)
    notes = _unknown(strangers)
    if faults:
        raise SettingsError(faults + notes, str(values.get("ui_language", "")))
    values.setdefault("base_url", f"http://localhost:{port}")
    settings = Settings(**_derived(values, demo, folder), demo=demo, folder=folder)
    if settings.is_public and not settings.asks_for_proof:
        raise SettingsError([Fault("LOCAL_ACCESS", "open_in_public"), *notes], settings.ui_language)
    return replace(settings, notes=(*notes, *_advice(settings)))


def _is_nearby(host: str) -> bool:
    """Loopback, a private address, or a name without a dot, as containers call each other."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return is_loopback(host) or "." not in host


def _texts(environ: Mapping[str, str], folder: Path) -> tuple[dict[str, str], list[str], list[Fault]]:
    """What is set, by name; names that are none of ours; files that cannot be read.

    An empty text counts as unset, as people leave `NAME=` in a file. In a file every name should be ours; the
    environment is everybody's, so there only what begins like ours is looked at.
    """
    layers: list[Mapping[str, str | None]] = []
    faults = []
    for file in (".env", ".env.local"):
        try:
            layers.append(dotenv_values(folder / file, interpolate=False))
        except (OSError, UnicodeDecodeError):
            faults.append(Fault(file, "file_unreadable"))
    strangers = {name for layer in layers for name in layer}
    strangers |= {name for name in environ if name.startswith(("AMOCRM_", "INTAKE_"))}
    merged = {name: text for layer in [*layers, environ] for name, text in layer.items()}
    texts = {name: text.strip() for name, text in merged.items() if name in SETTINGS and text and text.strip()}
    return texts, sorted(strangers - SETTINGS.keys()), faults


def _checked(texts: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, check in SETTINGS.items():
        text = texts.get(name)
        if text is None:
            continue
        try:
            values[name.lower()] = check(_sound(text))
        except _Wrong as wrong:
            faults.append(Fault(name, wrong.code, wrong.hint))
    return values, faults


def _sound(text: str) -> str:
    if len(text) > LONGEST:
        raise _Wrong("too_long", str(LONGEST))
    if not text.isprintable():
        raise _Wrong("control")
    if PLACEHOLDER.match(text):
        raise _Wrong("placeholder")
    return text


def _gaps(values: Mapping[str, Any], faults: list[Fault], *, demo: bool) -> list[Fault]:
    """What an account needs and nobody set. A setting that is set and wrong is not reported a second time."""
    if demo:
        return []
    wrong = {fault.name for fault in faults}
    needed = []
    if "amocrm_api_url" not in values:
        needed.append("AMOCRM_SUBDOMAIN")
    if "amocrm_access_token" not in values and "AMOCRM_ACCESS_TOKEN" not in wrong:
        needed += ["AMOCRM_CLIENT_ID", "AMOCRM_CLIENT_SECRET"]
    return [Fault(name, "missing") for name in needed if name.lower() not in values and name not in wrong]


def _derived(values: dict[str, Any], demo: bool, folder: Path) -> dict[str, Any]:
    subdomain, domain = values.get("amocrm_subdomain"), values.get("amocrm_domain", "amocrm.ru")
    if not demo:
        values.setdefault("amocrm_api_url", f"https://{subdomain}.{domain}")
        values.setdefault("amocrm_oauth_url", f"https://www.{domain}/oauth")
    values.setdefault("amocrm_redirect_uri", f"{values['base_url']}/api/amocrm/callback")
    # A demo keeps its made-up leads apart: whoever connects a real account tomorrow must not send them there.
    values.setdefault("database_url", f"sqlite:///data/{'demo' if demo else 'desk'}.db")
    values["database_url"] = re.sub(r"^sqlite:///(?!/)", f"sqlite:///{folder.as_posix()}/", values["database_url"])
    return values


def _advice(settings: Settings) -> list[Fault]:
    """What is allowed and better otherwise: how the desk stands towards the internet."""
    found = []
    if settings.is_public and settings.public_listen is None:
        found.append(Fault("PUBLIC_LISTEN", "listener_advised"))
    if settings.is_public and not settings.trusted_proxies:
        found.append(Fault("TRUSTED_PROXIES", "proxies_advised"))
    if not settings.demo and not settings.asks_for_proof:
        found.append(Fault("LOCAL_ACCESS", "open_noted"))
    return found


def _unknown(strangers: Iterable[str]) -> list[Fault]:
    """Names that are none of ours: most likely a slip of the pen."""
    return [Fault(name, "unknown", "".join(difflib.get_close_matches(name, SETTINGS, 1))) for name in strangers]
