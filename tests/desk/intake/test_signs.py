"""Signs of a program, and consent."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.intake.signs import LONGEST_VERSION, consent_of, sign_of

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
ANYTHING = st.one_of(st.text(), st.none(), st.integers(), st.floats(), st.booleans(), st.lists(st.text()))


@pytest.mark.parametrize(
    ("raw", "sign"),
    [
        ({}, None), ({"homepage": ""}, None), ({"homepage": "  "}, None), ({"homepage": None}, None), ({"homepage": False}, None),
        ({"homepage": 0}, None), ({"homepage": "http://buy.example"}, "trap"), ({"homepage": True}, "trap"), ({"homepage": []}, "trap"),
        ({"fill_ms": 5000}, None), ({"fill_ms": "5000"}, None), ({"fill_ms": 1999}, "too_fast"), ({"fill_ms": "120"}, "too_fast"),
        ({"fill_ms": 0}, "too_fast"), ({"fill_ms": -1}, None), ({"fill_ms": ""}, None), ({"fill_ms": "soon"}, None),
        ({"fill_ms": True}, None), ({"fill_ms": "nan"}, None), ({"fill_ms": 10**400}, None), ({"fill_ms": []}, None),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_signs(raw, sign):
    """The trap filled in, or the form sent faster than anybody types; a time that is missing or none says nothing."""
    assert sign_of(raw, 2.0) == sign


def test_no_least_time_is_no_sign():
    """A form that does not ask how long it took takes the fastest."""
    assert sign_of({"fill_ms": 0}, 0.0) is None


@pytest.mark.parametrize(
    "given_as", [True, "on", "yes", "1", 1, 1.0, " Да ", "TRUE", ["on"], ["1"], "checked", "✔️", "Согласен"]
)
def test_a_consent(given_as):
    """Every spelling of a ticked box is a consent, with the text's version, our time, the address and the form."""
    raw = {"consent": given_as, "consent_version": " 2026-01\n"}
    consent = consent_of(raw, given_at=NOW, ip="203.0.113.9", form="Главная")
    assert (consent.text_version, consent.given_at, consent.ip, consent.form) == (
        "2026-01",
        NOW,
        "203.0.113.9",
        "Главная",
    )


@pytest.mark.parametrize("given_as", [None, False, "", "off", "no", "0", 0, 2, [], {}, "нет", "on" * 500])
def test_no_consent(given_as):
    """Anything else is none; a version alone consents to nothing."""
    assert consent_of({"consent": given_as, "consent_version": "1"}, given_at=NOW, ip=None, form="x") is None


@given(ANYTHING)
def test_any_version_will_do(version):
    """A version is cut or empty, never a fault."""
    consent = consent_of({"consent": True, "consent_version": version}, given_at=NOW, ip=None, form="x")
    assert len(consent.text_version) <= LONGEST_VERSION
    assert "203.0.113.9" not in repr(consent_of({"consent": True}, given_at=NOW, ip="203.0.113.9", form="x"))
