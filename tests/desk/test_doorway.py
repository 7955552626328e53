"""The proof of being on this machine: a link of one use, a cookie, a key that its owner alone can read."""

import stat
from dataclasses import replace
from datetime import timedelta

import pytest

from desk.doorway import LIFE_S, Doorway
from desk.settings import Secret, Settings, load
from desk.web.gate import Gate
from desk.web.proof import RENEWED_AFTER_S, is_local
from store import clock
from tests.support.loops import in_a_loop

KEY = "k" * 40


@pytest.fixture
def doorway():
    return Doorway(Settings(local_key=Secret(KEY)))


def scope(path="/", **headers):
    pairs = [
        (b"host", b"localhost:8501"),
        *((name.encode(), value.encode("latin-1")) for name, value in headers.items()),
    ]
    return {
        "type": "http",
        "path": path,
        "client": ("127.0.0.1", 5),
        "headers": pairs,
        "method": "GET",
        "scheme": "http",
    }


def with_cookie(doorway, value):
    return scope(cookie=f"_streamlit_xsrf=2|a|b|1; {doorway.cookie_name}={value}")


def test_a_link_opens_once(doorway):
    """The code in it is spent by its first use, and the console is told the next."""
    told = []
    doorway.on_new_code = told.append
    code = doorway.path.removeprefix("/enter/")
    assert doorway.spend(code)
    assert not doorway.spend(code)
    assert told == [doorway.path] != [f"/enter/{code}"]
    assert doorway.spend(told[0].removeprefix("/enter/"))


@pytest.mark.parametrize("code", ["", "x", "\u043a\u043e\u0434", "\ud800", KEY])
def test_other_codes_open_nothing(doorway, code):
    """Nor is the local key a code: it must not stand in an address."""
    assert not doorway.spend(code)


def test_a_cookie_is_known_for_a_month(doorway):
    """From the moment it was made until its time is over, also after a restart of the desk."""
    value = doorway.cookie()
    again = Doorway(Settings(local_key=Secret(KEY)))
    assert is_local(again, with_cookie(again, value))
    with clock.moved(timedelta(seconds=LIFE_S - 60)):
        assert is_local(again, with_cookie(again, value))
    with clock.moved(timedelta(seconds=LIFE_S + 60)):
        assert not is_local(again, with_cookie(again, value))


def test_forged_cookies_are_none(doorway):
    """A changed time, a changed signature, another desk's cookie, nothing, garbage: nobody is let in."""
    value = doorway.cookie()
    made, name, signature = value.split(".")
    other = Doorway(Settings(local_key=Secret("o" * 40))).cookie()
    forged = [
        f"{int(made) + 1}.{name}.{signature}", f"{made}.{name}.{signature[:-1]}", f"{made}.{name}x.{signature}", other, "", ".", "..",
        "9" * 300, f"{made}.{signature}", "\xff\xfe.x.y", f"\xb2.{name}.{signature}", value + "x",
    ]  # fmt: skip
    assert [one for one in forged if is_local(doorway, with_cookie(doorway, one))] == []
    assert not is_local(doorway, scope())


def test_a_second_cookie_of_the_name_hides_nothing(doorway):
    """Another program on this machine may have set one; ours counts beside it."""
    both = f"{doorway.cookie_name}=x; {doorway.cookie_name}={doorway.cookie()}"
    assert is_local(doorway, scope(cookie=both))


def test_a_program_shows_the_local_key(doorway):
    """As a bearer, whole, once; another key proves nothing."""
    assert is_local(doorway, scope(authorization=f"Bearer {KEY}"))
    assert not is_local(doorway, scope(authorization=f"Bearer {KEY}x"))
    assert not is_local(doorway, scope(authorization=KEY))
    twice = scope(authorization=f"Bearer {KEY}")
    twice["headers"].append((b"authorization", b"Bearer x"))
    assert not is_local(doorway, twice)


def test_a_proof_from_elsewhere_is_none(doorway):
    """The cookie and the key count on this machine alone."""
    for elsewhere in ((b"x-forwarded-for", b"1.2.3.4"), (b"origin", b"http://localhost:3000")):
        shown = scope(authorization=f"Bearer {KEY}")
        shown["headers"].append(elsewhere)
        assert not is_local(doorway, shown)


def test_the_key_file_is_made_once_and_for_its_owner(tmp_path):
    """Two desks of one folder know each other's browsers; others of this machine cannot read the key."""
    settings = load({"AMOCRM_SUBDOMAIN": "fitzone", "AMOCRM_ACCESS_TOKEN": "long-lived-token"}, tmp_path)
    first, second = Doorway(settings), Doorway(settings)
    file = settings.local_key_file
    assert is_local(second, with_cookie(second, first.cookie()))
    assert first.is_key(file.read_text().strip())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("spoilt", [b"", b"short", b"\xff\xfe"])
def test_a_spoilt_key_file_is_replaced(tmp_path, spoilt):
    """All it costs is that browsers show a link again."""
    settings = load({"AMOCRM_SUBDOMAIN": "fitzone", "AMOCRM_ACCESS_TOKEN": "long-lived-token"}, tmp_path)
    settings.local_key_file.parent.mkdir(parents=True)
    settings.local_key_file.write_bytes(spoilt)
    doorway = Doorway(settings)
    assert doorway.is_key(settings.local_key_file.read_text().strip())


def test_nothing_shows_a_secret(doorway):
    """Neither its repr nor the settings' tells the key or the code."""
    shown = f"{doorway!r} {Settings(local_key=Secret(KEY))!r}"
    assert KEY not in shown
    assert doorway.path.removeprefix("/enter/") not in shown


def test_an_ageing_cookie_is_renewed_on_the_way(doorway):
    """Whoever comes every day is never asked again; a fresh cookie is left alone."""

    async def cookies_set(value):
        sent = []

        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def send(message):
            sent.extend(text for name, text in message["headers"] if name == b"set-cookie")

        gate = Gate(app, doorway, closed=lambda _: "", locked=lambda _: "")
        await gate(with_cookie(doorway, value), None, send)
        return sent

    value = doorway.cookie()
    assert in_a_loop(cookies_set, value) == []
    with clock.moved(timedelta(seconds=RENEWED_AFTER_S + 60)):
        (header,) = in_a_loop(cookies_set, value)
        fresh = header.decode().partition("=")[2].partition(";")[0]
        assert is_local(doorway, with_cookie(doorway, fresh))
        assert b"HttpOnly; SameSite=Lax" in header


def test_who_is_asked_for_a_proof(tmp_path):
    """Every desk but a demo, and a demo too as soon as anything tells of a proxy; the setting decides before that."""
    real = {"AMOCRM_SUBDOMAIN": "fitzone", "AMOCRM_ACCESS_TOKEN": "long-lived-token"}
    public = ({"BASE_URL": "https://d.example.com"}, {"TRUSTED_PROXIES": "127.0.0.1"}, {"PUBLIC_LISTEN": "8502"})
    assert not load({}, tmp_path).asks_for_proof
    assert load({"LOCAL_ACCESS": "code"}, tmp_path).asks_for_proof
    assert load(real, tmp_path).asks_for_proof
    assert not load(real | {"LOCAL_ACCESS": "open"}, tmp_path).asks_for_proof
    assert all(load(one, tmp_path).asks_for_proof and load(real | one, tmp_path).asks_for_proof for one in public)
    assert replace(load(real, tmp_path), local_access=None).asks_for_proof
