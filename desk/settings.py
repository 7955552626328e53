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
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

from crm.config import DOMAINS, Config, Secret, is_loopback
from crm.errors import SetupError
from desk import setting_values

PROJECT = Path(__file__).resolve().parent.parent
"""The folder of the clone: `.env` is looked for here, and relative paths start here, wherever one stands."""

MAX_RPS = 7.0
"""Requests a second AmoCRM allows an integration (sheet 4.1). Above the limit: 429, then a block of the account."""

LEAST_RPS = 0.1
"""A slower desk would not deliver a lead within a minute."""

KEY_LENGTH = 16
"""Least length of an API key: shorter keys can be guessed."""

CODE, OPEN = "code", "open"
"""Values of `LOCAL_ACCESS`: show a code once, or let in every browser that seems to be on this machine."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A wrong setting. `code` has its words in `locales/` (`setting-<code>`), `hint` fills them in."""

    name: str
    code: str
    hint: str = ""


class SettingsError(SetupError):
    """All faults of the settings, at once. Holds names and reasons, never values of secrets.

    `language`: what they say about it, as far as that is readable; "" where they say nothing.
    """

    def __init__(self, faults: list[Fault], language: str = "") -> None:
        super().__init__("settings_wrong")
        self.faults, self.language = faults, language

    def __str__(self) -> str:
        return "settings_wrong: " + ", ".join(f"{fault.name} ({fault.code})" for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Settings:
    """The checked settings of the environment. Made by `load`; every field is the setting of the same name."""

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
        """Settings of `crm`."""
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
        """Whether the desk may be reachable from outside: a public address, a trusted proxy, or a listener for a
        proxy."""
        host = urlsplit(self.base_url).hostname or ""
        return not is_loopback(host) or bool(self.trusted_proxies) or self.public_listen is not None

    @property
    def asks_for_proof(self) -> bool:
        """Whether a browser has to prove that it runs on this machine before it sees a page.

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


SETTINGS: dict[str, Callable[[str], Any]] = {
    "AMOCRM_SUBDOMAIN": setting_values.subdomain,
    "AMOCRM_DOMAIN": setting_values.one_of(*DOMAINS),
    "AMOCRM_CLIENT_ID": setting_values.plain,
    "AMOCRM_CLIENT_SECRET": setting_values.secret(1),
    "AMOCRM_REDIRECT_URI": setting_values.url,
    "AMOCRM_ACCESS_TOKEN": setting_values.secret(1),
    "AMOCRM_API_URL": setting_values.account_url,
    "AMOCRM_OAUTH_URL": setting_values.base_url,
    "AMOCRM_FIELD_PHONE": setting_values.number(int, 1, 2**53),
    "AMOCRM_FIELD_DIRECTION": setting_values.number(int, 1, 2**53),
    "AMOCRM_FIELD_SOURCE": setting_values.number(int, 1, 2**53),
    "AMOCRM_CONTACT_FIELD_PHONE": setting_values.number(int, 1, 2**53),
    "AMOCRM_MAX_RPS": setting_values.number(float, LEAST_RPS, MAX_RPS),
    "BASE_URL": setting_values.base_url,
    "DATABASE_URL": setting_values.database_url,
    "SECRET_KEY": setting_values.secret_keys,
    "ADMIN_API_KEY": setting_values.secret(KEY_LENGTH),
    "INTAKE_API_KEY": setting_values.secret(KEY_LENGTH),
    "INTAKE_ALLOWED_ORIGINS": setting_values.origins,
    "TRUSTED_PROXIES": setting_values.networks,
    "PUBLIC_LISTEN": setting_values.listen,
    "LOCAL_ACCESS": setting_values.one_of(CODE, OPEN),
    "LOCAL_KEY": setting_values.secret(setting_values.SECRET_LENGTH),
    "TIMEZONE": setting_values.timezone,
    "UI_LANGUAGE": setting_values.one_of("ru", "en"),
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
"""The settings that point at an account. With none of the settings the desk is a demo."""


def load(environ: Mapping[str, str] | None = None, folder: Path = PROJECT, *, port: int = 8501) -> Settings:
    """Read and check all settings. `port`: the desk's port, for a `BASE_URL` nobody set.

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


def _texts(environ: Mapping[str, str], folder: Path) -> tuple[dict[str, str], list[str], list[Fault]]:
    """Texts of the settings by name, unknown names, and faults of files that cannot be read.

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
            values[name.lower()] = check(setting_values.sound(text))
        except setting_values.UnfitText as wrong:
            faults.append(Fault(name, wrong.code, wrong.hint))
    return values, faults


def _gaps(values: Mapping[str, Any], faults: list[Fault], *, demo: bool) -> list[Fault]:
    """Faults for missing settings an account needs. A wrong setting is not reported a second time."""
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
    """Advice on settings: how the desk stands towards the internet."""
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
