"""Secrets at rest: only the right key and purpose open them."""

import pytest

from crm.errors import SetupError
from crm.vault import Vault, fingerprint

OLD, NEW = "a" * 40, "b" * 40


def test_what_is_sealed_opens_again():
    """Any text comes back, and the sealed one does not contain it."""
    vault = Vault(lambda: [NEW])
    sealed = vault.seal("def502-токен", "grant")
    assert vault.open(sealed, "grant") == "def502-токен"
    assert "def502" not in sealed


def test_a_new_key_opens_what_an_old_one_sealed():
    """With both keys in the ring old texts open and new ones are sealed with the first."""
    sealed = Vault(lambda: [OLD]).seal("token", "grant")
    ring = Vault(lambda: [NEW, OLD])
    assert ring.open(sealed, "grant") == "token"
    assert ring.seal("x", "grant").split(".")[1] == Vault(lambda: [NEW]).key_id


@pytest.mark.parametrize("spoil", [
    lambda text: text[:-6] + "AAAA" + text[-2:], lambda text: "v2" + text[2:], lambda text: text.replace(".", "", 1),
    lambda text: "", lambda text: text[:20],
])  # fmt: skip
def test_a_changed_text_does_not_open(spoil):
    """Cut, altered or renamed: refused, never half opened."""
    vault = Vault(lambda: [NEW])
    with pytest.raises(SetupError) as raised:
        vault.open(spoil(vault.seal("token" * 10, "grant")), "grant")
    assert raised.value.code == "secret_key_wrong"


def test_another_key_or_purpose_does_not_open():
    """A wrong SECRET_KEY is said so, and a text moved to another place is worthless."""
    sealed = Vault(lambda: [OLD]).seal("token", "grant")
    for vault, purpose in ((Vault(lambda: [NEW]), "grant"), (Vault(lambda: [OLD]), "webhook")):
        with pytest.raises(SetupError):
            vault.open(sealed, purpose)


def test_nothing_shows_a_key():
    """A repr of the vault holds the key's id and no key; a fingerprint does not hold its token."""
    assert OLD[:8] not in repr(Vault(lambda: [OLD]))
    assert fingerprint("def50200abcdef") not in "def50200abcdef"
    assert len(fingerprint("x")) == 12
