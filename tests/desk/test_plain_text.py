"""Texts made harmless: one list of signs, for leads and for files."""

import pytest

from desk.plain_text import CERTAIN_SIGNS, FORMULA, NUMBER_SIGNS, may_be_formula, plain_name, without_markup


@pytest.mark.parametrize("sign", CERTAIN_SIGNS)
def test_a_sign_of_a_formula_is_one_everywhere(sign):
    """Each sign that alone makes a formula is taken out of a lead's text, and marked in a file; of full width too."""
    assert FORMULA.match(f"{sign}SUM(A1)")
    assert without_markup(f"{sign}SUM(A1)") == "SUM(A1)"
    assert may_be_formula(f" {sign}SUM(A1)")


@pytest.mark.parametrize("sign", NUMBER_SIGNS)
def test_a_sign_of_a_number_is_looked_at(sign):
    """A file marks every text that begins with plus or minus; of a lead's text only a calculation loses the sign."""
    assert may_be_formula(f"{sign} бассейн")
    assert not FORMULA.match(f"{sign} бассейн")
    assert without_markup(f"{sign} бассейн") == f"{sign} бассейн"
    assert without_markup(f"{sign}1+1") == "1+1"
    assert without_markup(f"{sign}SUM(A1)") == "SUM(A1)"


def test_a_name_is_plain():
    """A name has no markup, no control signs and single blanks; a longer one is not cut here."""
    assert plain_name("  Анна\t\x07 <b>Ёлкина\u200b ", 40) == "Анна bЁлкина"
    assert len(plain_name("а" * 60, 40)) == 60
