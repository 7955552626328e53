"""The texts of settings, one reader for each kind of value. Each returns the value or raises `UnfitText`. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from crm.config import DOMAINS, Secret, is_loopback

LONGEST = 4096
"""Greatest length of a setting, characters; a long-lived token takes about 1,200."""

SECRET_LENGTH = 32
"""The least for `SECRET_KEY`, from which the encryption key of the tokens is made, and for `LOCAL_KEY`."""

TOP_PORT = 65535

PLACEHOLDER = re.compile(
    r"""^(?: <.*> | \{.*\} | \[.*\] | \.{3} | … | \*+ | -+ | x[x-]{2,} | 0[0-]{5,}
        | (?:your|my)[-_ .]?(?:own[-_ .]?)?(?:sub|domain|account|company|client|secret|id|key|token|url|database|value|name).*
        | changeme | (?:put|insert|enter|paste|type|add|set|fill|replace|change)[-_ .](?:your|the|me|here|this|it|in|with|value).*
        | (?:ваш|мой|свой|вставьте|впишите|укажите|замените|введите).*
        | (?:todo|fixme|tbd|placeholder|example|none|null|undefined|subdomain|client[-_ ]?(?:id|secret))(?:[-_ .:].*)?
        )$""",
    re.IGNORECASE | re.VERBOSE,
)
"""Placeholders left in a setting from an example file."""


class UnfitText(ValueError):
    """A text a setting cannot have. Carries the fault's code and hint."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code)
        self.code, self.hint = code, hint


def one_of(*choices: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text.lower() not in choices:
            raise UnfitText("choice", ", ".join(choices))
        return text.lower()

    return check


def subdomain(text: str) -> str:
    bare = text.lower()
    if re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", bare):
        return bare
    found = re.match(rf"(?:https?://)?([a-z0-9-]+)\.(?:{'|'.join(map(re.escape, DOMAINS))})", bare)
    raise UnfitText("subdomain", found.group(1) if found else "")


def plain(text: str) -> str:
    if re.search(r"\s", text):
        raise UnfitText("spaces")
    if not text.isascii():
        raise UnfitText("not_ascii")
    return text


def secret(least: int) -> Callable[[str], Secret]:
    def check(text: str) -> Secret:
        if len(plain(text)) < least:
            raise UnfitText("too_short", str(least))
        return Secret(text)

    return check


def secret_keys(text: str) -> Secret:
    """Read a key, or the new key and former keys after it, separated by commas."""
    for phrase in text.split(","):
        secret(SECRET_LENGTH)(phrase)
    return Secret(text)


def number(kind: type, low: float, high: float) -> Callable[[str], Any]:
    def check(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            raise UnfitText("number") from None
        if not low <= value <= high:
            raise UnfitText("range", f"{low:g} … {high:g}")
        return value

    return check


def url(text: str) -> str:
    """Read an http(s) address without user, query or fragment. Plain http only nearby: secrets travel on it."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UnfitText("url") from None
    if parts.scheme not in ("http", "https") or not host or port == 0 or re.search(r"[\s\\]", text):
        raise UnfitText("url")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UnfitText("url_extra")
    if parts.scheme == "http" and not _is_nearby(host):
        raise UnfitText("https")
    return text


def base_url(text: str) -> str:
    return url(text).rstrip("/")


def account_url(text: str) -> str:
    """Read the address of AmoCRM's API: scheme, host, perhaps a port, and no path."""
    if urlsplit(url(text)).path not in ("", "/"):
        raise UnfitText("url_path")
    return url(text).rstrip("/")


def origins(text: str) -> tuple[str, ...]:
    origins = tuple(part for part in re.split(r"[\s,]+", text) if part)
    for origin in origins:
        parts = urlsplit(url(origin))
        if parts.path not in ("", "/"):
            raise UnfitText("origin", origin)
    return tuple(origin.rstrip("/").lower() for origin in origins)


def networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    found = []
    for part in re.split(r"[\s,]+", text.strip(", ")):
        try:
            found.append(ipaddress.ip_network(part, strict=False))
        except ValueError:
            raise UnfitText("network", part) from None
    return tuple(found)


def listen(text: str) -> tuple[str, int]:
    """Read an address of this machine and a port; a port alone is on loopback. Names are refused, as none is looked
    up."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isascii() or not port.isdecimal() or not 1 <= int(port) <= TOP_PORT:
        raise UnfitText("listen")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise UnfitText("listen") from None
    return host, int(port)


def timezone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnfitText("timezone") from None
    return text


def database_url(text: str) -> str:
    text = re.sub(r"^postgres(?:ql)?(?:\+psycopg)?://", "postgresql+psycopg://", text)
    if not re.match(r"(sqlite:///|postgresql\+psycopg://).+", text):
        raise UnfitText("database")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise UnfitText("database") from None
    if url.get_backend_name() == "sqlite" and url.query:
        raise UnfitText("database")
    if url.get_backend_name() == "postgresql" and find_spec("psycopg") is None:
        raise UnfitText("database_driver")
    return text


def _is_nearby(host: str) -> bool:
    """Loopback, a private address, or a name without a dot, as containers call each other."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return is_loopback(host) or "." not in host


def sound(text: str) -> str:
    if len(text) > LONGEST:
        raise UnfitText("too_long", str(LONGEST))
    if not text.isprintable():
        raise UnfitText("control")
    if PLACEHOLDER.match(text):
        raise UnfitText("placeholder")
    return text
