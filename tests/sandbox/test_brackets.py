"""PHP's bracket notation, read and written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import brackets

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="[]. "), min_size=1, max_size=6).filter(
    lambda name: not name.isdecimal()
)
LEAVES = st.text(st.characters(codec="utf-8"), max_size=8)
TREES = st.recursive(
    st.dictionaries(NAMES, LEAVES, min_size=1, max_size=4),
    lambda inner: st.dictionaries(NAMES, LEAVES | inner, min_size=1, max_size=4),
    max_leaves=12,
)


@given(TREES)
def test_what_is_built_is_read_back(tree: dict[str, Any]) -> None:
    """Any tree of texts survives the way into a form body and back."""
    assert brackets.parse(brackets.build(tree)) == tree


@given(st.lists(LEAVES, min_size=1, max_size=12))
def test_lists_count_from_zero(values: list[str]) -> None:
    """`a[]` repeated and a list built give the same numbered array."""
    numbered = {str(position): value for position, value in enumerate(values)}
    assert brackets.parse(brackets.build({"a": values})) == {"a": numbered}


@given(st.text())
def test_anything_can_be_read(text: str) -> None:
    """No query string, however broken, raises: PHP reads anything."""
    assert isinstance(brackets.parse(text), dict)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2", {"a": "2"}),
        ("a[]=1&a[]=2", {"a": {"0": "1", "1": "2"}}),
        ("a[5]=1&a[]=2", {"a": {"5": "1", "6": "2"}}),
        ("a[x][]=1&a[x][]=2", {"a": {"x": {"0": "1", "1": "2"}}}),
        ("a[]=1&a=2", {"a": "2"}),
        ("a=1&a[b]=2", {"a": {"b": "2"}}),
        ("a[]=1&a=2&c[]=3", {"a": "2", "c": {"0": "3"}}),
        ("filter%5Bid%5D%5B%5D=1", {"filter": {"id": {"0": "1"}}}),
        ("a.b c=1", {"a_b_c": "1"}),
        ("a[b=1", {"a_b": "1"}),
        ("a[b]c=1", {"a": {"b": "1"}}),
        ("[a]=1", {}),
        ("a", {"a": ""}),
        ("a=%D0%99+%D0%B9", {"a": "Й й"}),
        ("", {}),
    ],
)
def test_php_reads_it_so(text: str, tree: dict[str, Any]) -> None:
    """The odd corners of PHP's `parse_str`."""
    assert brackets.parse(text) == tree


def test_php_stops_at_a_thousand_variables_and_at_its_depth() -> None:
    """`max_input_vars` and the nesting limit drop the rest without a word."""
    many = brackets.parse("&".join(f"a[]={number}" for number in range(1200)))
    assert len(many["a"]) == brackets.MAX_VARIABLES
    assert brackets.parse("a" + "[b]" * 100 + "=1&c=2") == {"c": "2"}


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ("1", ["1"]),
        ("1,2", ["1", "2"]),
        ({"0": "1", "1": "2"}, ["1", "2"]),
        ({"a": {"b": "1"}}, []),
        (None, []),
        ("", []),
    ],
)
def test_filters_may_be_written_in_four_ways(node: Any, words: list[str]) -> None:
    """A scalar, a comma list and an array are the same filter; a nested tree is none."""
    assert brackets.scalars(node) == words


def test_php_spells_values_its_own_way() -> None:
    """True is 1, false is 0, null is left out, brackets are percent-encoded."""
    assert brackets.build({"a": [True, False, None, 5]}) == "a%5B0%5D=1&a%5B1%5D=0&a%5B3%5D=5"
