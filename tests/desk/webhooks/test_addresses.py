"""The secret in the address: recognised, changed with an overlap, never stored readable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from crm.vault import Vault
from desk.intake.pace import HOOK_LOOK
from desk.webhooks.addresses import OVERLAP, Addresses
from store.tables import hook_secrets

BASE = "https://desk.fitzone.ru"
OLD, NEW = "o" * 40, "n" * 40


def opened(store, *phrases):
    return Addresses(store, Vault(lambda: list(phrases or (OLD,))), BASE)


def secret_of(address):
    return address.rpartition("/")[2]


def test_one_secret_for_all_processes(store):
    """Made once; every desk on the database has the same address, and the database does not show it."""
    number, address = opened(store).current()
    assert opened(store).current() == (number, address)
    assert address.startswith(f"{BASE}/api/amocrm/webhook/")
    assert len(secret_of(address)) == 43
    with store.read() as db:
        assert secret_of(address) not in str(db.execute(sa.select(hook_secrets)).all())


def test_a_wrong_secret(store):
    """Is none, whatever it is made of."""
    addresses = opened(store)
    right = secret_of(addresses.current()[1])
    assert addresses.is_open(right)
    wrong = [
        "",
        "x",
        "x" * 43,
        "x" * 100_000,
        "\udcff",
        "a/b",
        "é\x00",
        right[:-1],
        f"{right}x",
        right * 3,
        right.swapcase(),
    ]
    assert [secret for secret in wrong if addresses.is_open(secret)] == []


def test_made_up_secrets_do_not_keep_the_database_busy(store, monkeypatch):
    """A thousand of them at once are looked up fifty times; the right one is known without, and one just made elsewhere at once
    when somebody looks again."""
    moment = [0.0]
    addresses = Addresses(store, Vault(lambda: [OLD]), BASE, lambda: moment[0])
    right = secret_of(addresses.current()[1])
    assert addresses.is_open(right)
    looks, read = [], store.read

    def counted():
        looks.append(1)
        return read()

    monkeypatch.setattr(store, "read", counted)
    assert not any(addresses.is_open(f"{number}" * 43) for number in range(1000))
    assert len(looks) == HOOK_LOOK.burst
    assert addresses.is_open(right)
    assert len(looks) == HOOK_LOOK.burst
    opened(store).renew()
    newest = secret_of(opened(store).current()[1])
    assert not addresses.is_open(newest)
    moment[0] = 0.1
    assert addresses.is_open(newest)


def test_rotation_overlaps(store):
    """The former works without an end until AmoCRM knows the new one, and then for the overlap."""
    addresses = opened(store)
    _, former = addresses.current()
    addresses.renew()
    number, new = addresses.current()
    assert new != former
    far = datetime.now(UTC) + timedelta(days=300)
    assert addresses.is_open(secret_of(former), far)
    assert addresses.former_end() is None
    addresses.took_over(number)
    assert addresses.former_end() is not None
    assert addresses.is_open(secret_of(former))
    assert addresses.is_open(secret_of(former), datetime.now(UTC) + OVERLAP - timedelta(minutes=1))
    assert not addresses.is_open(secret_of(former), datetime.now(UTC) + OVERLAP + timedelta(minutes=1))
    assert addresses.is_open(secret_of(new), far)
    assert addresses.is_ours(former)


def test_whose_destination_it_is(store):
    """The desk's address with any secret, and an address the desk had before, by its secret; nobody else's."""
    addresses = opened(store)
    _, address = addresses.current()
    assert addresses.is_ours(f"{BASE}/api/amocrm/webhook/of-a-lost-database")
    assert addresses.is_ours(f"https://old.example/api/amocrm/webhook/{secret_of(address)}")
    assert not addresses.is_ours("https://other.example/hook")
    assert not addresses.is_ours(f"{BASE}/another/hook")


def test_another_key(store):
    """Sealed anew it opens with the new key alone; one that no key opens gives way to a new secret."""
    addresses = opened(store)
    _, address = addresses.current()
    opened(store, NEW, OLD).reseal()
    assert opened(store, NEW).current()[1] == address
    _, other = opened(store, OLD).current()
    assert other != address
    assert opened(store, OLD).is_open(secret_of(address))


def test_old_ones_are_forgotten(store):
    """What ended a month ago; never the present one."""
    addresses = opened(store)
    addresses.current()
    addresses.renew()
    number, address = addresses.current()
    addresses.took_over(number)
    with store.write() as db:
        ended = hook_secrets.c.ends_at.is_not(None)
        db.execute(hook_secrets.update().where(ended).values(ends_at=datetime.now(UTC) - timedelta(days=31)))
    addresses.prune()
    with store.read() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(hook_secrets)) == 1
    assert addresses.current()[1] == address
