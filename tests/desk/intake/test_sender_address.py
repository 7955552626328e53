"""Whose request it is, behind proxies that are trusted and others that are not."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.intake.sender_address import address_of, client_address, households

OURS = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("2001:db8::/32"))
ALICE, MALLORY = "203.0.113.9", "198.51.100.66"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (ALICE, [], ALICE),
        (ALICE, [MALLORY], ALICE),  # an untrusted peer may write what it likes
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [ALICE], ALICE),
        ("10.0.0.1", [f"{MALLORY}, {ALICE}"], ALICE),  # whatever Alice wrote before the proxy added her
        ("10.0.0.1", [MALLORY, ALICE], ALICE),  # two headers are one list
        ("10.0.0.1", [f"{ALICE}, 10.0.0.7, 10.0.0.8"], ALICE),
        ("10.0.0.1", ["10.0.0.7"], "10.0.0.7"),
        ("10.0.0.1", ["garbage"], "10.0.0.1"),
        ("10.0.0.1", [f"{ALICE}, garbage, 10.0.0.7"], "10.0.0.7"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [f"{ALICE}:5000"], ALICE),
        ("2001:db8::1", ["[2001:4860::8]:443"], "2001:4860::8"),
        ("::ffff:10.0.0.1", [f"::ffff:{ALICE}"], ALICE),
        ("10.0.0.1", [f"{ALICE}{', 10.0.0.7' * 50}"], "10.0.0.7"),
        ("", [ALICE], None), ("testclient", [], None),
    ],
)  # fmt: skip
def test_read_from_the_right_as_long_as_they_are_trusted(peer, forwarded, client):
    """The address nearest to us that is none of our proxies counts."""
    assert client_address(peer, forwarded, OURS) == (client and ipaddress.ip_address(client))


@pytest.mark.parametrize("written", [ALICE, f"{MALLORY}, {ALICE}", f"{ALICE}:5000"])
def test_a_proxy_on_this_machine_is_believed_only_where_it_is_trusted(written):
    """uvicorn puts the forwarded address in the place of a loopback peer before we see it; that alone convinces nobody."""
    assert client_address(ALICE, [written], OURS) == ipaddress.ip_address(ALICE)
    assert client_address(ALICE, [written], ()) == ipaddress.ip_address("127.0.0.1")
    assert client_address(ALICE, [written], (ipaddress.ip_network("::1"),)) == ipaddress.ip_address(ALICE)


def test_nobody_becomes_this_machine_by_naming_himself():
    """On a connection that did not come over loopback the peer is the peer, whatever its header repeats."""
    for trusted in ((), OURS):
        assert client_address(ALICE, [ALICE], trusted, is_rewritten=False) == ipaddress.ip_address(ALICE)


def test_garbage_in_the_place_of_a_loopback_peer():
    """What uvicorn took over from a header and is no address leaves the loopback peer that sent it."""
    assert client_address("garbage", ["garbage"], ()) == ipaddress.ip_address("127.0.0.1")


@pytest.mark.parametrize(
    ("address", "whole"),
    [
        (ALICE, (ALICE,)), ("2001:4860:1:2:3:4:5:6", ("2001:4860:1:2::/64", "2001:4860:1::/48")),
        ("2001:4860:1:2:ffff::", ("2001:4860:1:2::/64", "2001:4860:1::/48")), ("::ffff:203.0.113.9", (ALICE,)), ("nobody", ("None",)),
    ],
)  # fmt: skip
def test_who_is_counted_together(address, whole):
    """One IPv4 address; one /64 of IPv6, and the /48 around it; those without an address all together."""
    assert households(address_of(address)) == whole


@given(st.text(), st.lists(st.text()))
def test_no_header_makes_it_fail(peer, forwarded):
    """Whatever is written there, an address or none comes out."""
    client_address(peer, forwarded, OURS)
