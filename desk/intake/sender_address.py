"""The network address of a sender, behind any proxies in between.

Pure. `X-Forwarded-For` is a list that each proxy appends to; whoever sends the request can write anything into its left
part. So it is read from the right, and only as long as those who wrote it are trusted (`TRUSTED_PROXIES`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK: tuple[Address, ...] = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))

IPV6_HOME = 64
"""Bits of an IPv6 address for a home or an office; its people may use any of the rest."""

IPV6_SITE = 48
"""Bits for a site: a provider's share for a company or a server, with 65,536 homes in it."""

MOST_HOPS = 20
"""Entries of `X-Forwarded-For` to be read. A real request passes two or three proxies."""


def client_address(
    peer: str, forwarded: Sequence[str], trusted: Sequence[Network], *, is_rewritten: bool = True
) -> Address | None:
    """The address of a request's sender; None if the peer has none (a socket file, a test).

    `forwarded`: the values of all `X-Forwarded-For` headers in their order. `is_rewritten`: the peer may be what uvicorn has
    put there, as it does on a connection over loopback alone.
    """
    hops = [_host(part) for value in forwarded for part in value.split(",")][-MOST_HOPS:]
    nearest = address_of(peer)
    if is_rewritten and hops and _host(peer) == _as_uvicorn_reads(hops):
        nearest = next((one for one in LOOPBACK if _is_in(one, trusted)), LOOPBACK[0])
    while nearest is not None and hops and _is_in(nearest, trusted):
        further = address_of(hops.pop())
        if further is None:
            break
        nearest = further
    return nearest


def _as_uvicorn_reads(hops: Sequence[str]) -> str:
    """Uvicorn's replacement for a loopback peer, made before any code of ours sees the request.

    Streamlit gives no way to switch that off, and uvicorn believes whoever is on this machine. A peer that is this very
    entry therefore came over loopback; whether that is to be believed is for `TRUSTED_PROXIES` to say.
    """
    return next((hop for hop in reversed(hops) if hop not in map(str, LOOPBACK)), hops[0])


def address_of(text: str) -> Address | None:
    """An address as spelled by proxies: bare, with a port, in brackets; IPv4 inside IPv6 comes out as IPv4."""
    try:
        address = ipaddress.ip_address(_host(text))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _host(text: str) -> str:
    text = text.strip()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def households(address: Address | None) -> tuple[str, ...]:
    """The networks counted as the same sender: an IPv4 address; the /64 of an IPv6 address, and its /48."""
    if isinstance(address, ipaddress.IPv6Address):
        return tuple(str(ipaddress.IPv6Network((address, bits), strict=False)) for bits in (IPV6_HOME, IPV6_SITE))
    return (str(address),)


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
