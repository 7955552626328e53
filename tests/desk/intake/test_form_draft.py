"""A form as somebody describes it: cleaned, or each fault at its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.intake import form_draft
from desk.intake.form_draft import DUPLICATE_S, LEAST_FILL_S, FormDraft, origin_of, site_of
from desk.words import words

GOOD = {
    "name": " Главная  страница ",
    "source": "Сайт",
    "origins": "fit.example\nhttps://www.fit.example/yoga, https://фитнес.рф",
    "thanks_url": "https://fit.example/thanks?a=1",
    "duplicate_s": 300,
    "least_fill_s": 1.5,
}


def faults(**changes):
    draft, found = form_draft.read(GOOD | changes, taken=["Акция"])
    assert (draft is None) == bool(found)
    for fault in found:
        assert words("ru").has(f"field-{fault.code}")
    return {fault.field: fault.code for fault in found}


def test_a_good_draft():
    """Sites are taken from any address of theirs, once each, as browsers spell them."""
    draft, found = form_draft.read(GOOD)
    assert found == []
    origins = ("https://fit.example", "https://www.fit.example", "https://xn--e1afprck.xn--p1ai")
    assert draft == FormDraft("Главная страница", "Сайт", origins, "https://fit.example/thanks?a=1", 300, 1.5)


def test_a_name_is_enough():
    """The rest has defaults: no site, our own thank-you page, ten minutes, two seconds."""
    assert form_draft.read({"name": "Акция"}) == (FormDraft("Акция", "", (), "", DUPLICATE_S, LEAST_FILL_S), [])


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "missing"), ("name", "<b>", "markup"), ("name", "x" * 61, "too_long"), ("name", "АКЦИЯ", "taken"), ("name", 5, "not_text"),
        ("source", "=1", "formula"), ("source", "x" * 121, "too_long"),
        ("origins", "not a site!", "not_a_site"), ("origins", "*", "not_a_site"), ("origins", "ftp://fit.example", "not_a_site"),
        ("origins", " ".join(f"s{number}.example" for number in range(21)), "too_many"),
        ("thanks_url", "javascript:alert(1)", "not_an_address"), ("thanks_url", "/thanks", "not_an_address"),
        ("thanks_url", "https://fit.example/\nx", "not_an_address"), ("thanks_url", f"https://fit.example/{'x' * 500}", "too_long"),
        ("thanks_url", "https://", "not_an_address"), ("duplicate_s", -1, "out_of_range"), ("duplicate_s", 86_401, "out_of_range"),
        ("duplicate_s", None, "not_a_number"), ("duplicate_s", True, "not_a_number"), ("duplicate_s", float("nan"), "not_a_number"),
        ("least_fill_s", 61, "out_of_range"), ("least_fill_s", "2", "not_a_number"),
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_faults(field, value, code):
    """Each fault is told at its field."""
    assert faults(**{field: value}) == {field: code}


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("fit.example", "https://fit.example"), ("HTTPS://Fit.Example/", "https://fit.example"), ("http://localhost:8080/x", "http://localhost:8080"),
        ("https://fit.example:443", "https://fit.example"), ("https://fit.example:8443", "https://fit.example:8443"), ("http://[::1]:80", "http://[::1]"),
        ("https://user:pw@fit.example", "https://fit.example"), ("", None), ("https://", None), ("a b", None), ("fit.example:99999", None),
        ("https://a..b", None), ("-", None), ("data:text/html,x", None), ("*.fit.example", None),
    ],
)  # fmt: skip
def test_sites(text, origin):
    """The address of a page, with or without https://, names its site; what is no web address names none."""
    assert origin_of(text) == origin


def test_a_russian_domain_reads_russian():
    """People see it as they wrote it."""
    assert site_of("https://xn--e1afprck.xn--p1ai") == "https://фитнес.рф"
    assert site_of("https://xn--\ud800") == "https://xn--\ud800"


ANYTHING = st.one_of(st.text(), st.none(), st.integers(), st.floats(), st.booleans(), st.lists(st.text()))


@given(st.dictionaries(st.sampled_from([*GOOD]), ANYTHING))
def test_no_input_makes_it_fail(raw):
    """Whatever is typed, it is a draft or faults."""
    draft, found = form_draft.read(raw)
    assert (draft is None) == bool(found)
