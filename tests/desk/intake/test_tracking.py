"""Campaign marks, click ids and addresses: taken where they make sense, never a reason to lose a lead."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.intake.tracking import LONGEST, LONGEST_ADDRESS, NAMES, tracking_of

PAGE = "https://fit.example/yoga"


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_amocrms_code_in_small_letters(name):
    """A named mark lands under AmoCRM's code."""
    assert tracking_of({name: "x"}) == {name.upper(): "x"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("yandex", "yandex"), ("  весна 2026 ", "весна 2026"), (1234567890123456789, "1234567890123456789"), (1.5, "1.5"),
        (1718000000.0, "1718000000"), ("", None), ("  ", None), (None, None), (True, None), ([], None), ({"a": 1}, None),
        ("a\x00b\r\nc\u200bd\ud800", "a b cd"), ("x" * 1000, "x" * LONGEST), (float("inf"), None), (float("nan"), None),
        (10**5000, None), ("<b>=1+1", "<b>=1+1"),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) else "number",
)  # fmt: skip
def test_values(value, kept):
    """Texts and numbers are cleaned and cut; what is neither is left out."""
    assert tracking_of({"utm_source": value}) == ({"UTM_SOURCE": kept} if kept else {})


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (PAGE, {"FROM": PAGE}),
        (f"{PAGE}#price", {"FROM": PAGE}),
        (f"{PAGE}?utm_source=vk&yclid=7", {"FROM": PAGE, "UTM_SOURCE": "vk", "YCLID": "7"}),
        (f"{PAGE}?id=5&UTM_Source=vk", {"FROM": f"{PAGE}?id=5", "UTM_SOURCE": "vk"}),
        (f"{PAGE}?utm_source=one&utm_source=two", {"FROM": PAGE, "UTM_SOURCE": "one"}),
        (f"{PAGE}?utm_term=%D0%B9%D0%BE%D0%B3%D0%B0", {"FROM": PAGE, "UTM_TERM": "йога"}),
        (f"{PAGE}?from=mail&referrer=x", {"FROM": f"{PAGE}?from=mail&referrer=x"}),
        ("https://фитнес.рф/", {"FROM": "https://фитнес.рф/"}),
        ("javascript:alert(1)", {}), ("/yoga", {}), ("yoga", {}), ("https://", {}), ("http://[::1", {}), (5, {}), (None, {}),
        (f"{PAGE}?{'a=1&' * 200}", {}), (f"{PAGE}?{'x' * LONGEST_ADDRESS}", {}),
        (f"{PAGE}?a=\ud800", {}),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_the_landing_pages_address(page, found):
    """It is kept as FROM without the marks, which are told apart; what is no web address is left out."""
    assert tracking_of({"page": page}) == found


def test_what_is_named_wins_over_the_address():
    """A mark given by itself, and `from`, count before those of the page."""
    raw = {"page": f"{PAGE}?utm_source=vk&utm_medium=cpc", "utm_source": "yandex", "from": "https://other.example"}
    assert tracking_of(raw) == {"UTM_SOURCE": "yandex", "UTM_MEDIUM": "cpc", "FROM": "https://other.example"}


def test_other_names_are_not_ours():
    """What AmoCRM has no tracking field for is no mark."""
    assert tracking_of({"utm_id": "1", "name": "Иван", "page_url": PAGE}) == {}


ANYTHING = st.one_of(st.text(), st.none(), st.integers(), st.floats(), st.booleans(), st.binary(), st.lists(st.text()))


@given(st.dictionaries(st.sampled_from([*NAMES, "page"]), ANYTHING))
def test_no_input_makes_it_fail(raw):
    """Whatever comes, there are short printable texts under known codes."""
    for code, text in tracking_of(raw).items():
        assert code.lower() in NAMES
        assert 0 < len(text) <= LONGEST
        assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in text)
