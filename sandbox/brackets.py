"""PHP's way of putting a tree into a query string: `filter[id][]=1&filter[price][from]=2`.

Reads query strings and forms, and writes webhook bodies. Both directions follow PHP (`parse_str`,
`http_build_query`), because AmoCRM is written in it (sheet 4.4, 7.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus, unquote_plus

MAX_INDEX_DIGITS = 18
"""A longer number is a name to PHP, not an index."""

Tree = dict[str, Any]
"""PHP's array: string keys, values either `str` or another tree. `[]` counts from "0"."""

MAX_VARIABLES = 1000
"""PHP's `max_input_vars`: further variables are dropped without a word."""

MAX_DEPTH = 64
"""PHP's `max_input_nesting_level`: a deeper variable is dropped without a word."""


class Array(dict[str, Any]):
    """A tree being read; like PHP's arrays the tree remembers the next index of `[]`."""

    next_index = 0


def parse(text: str) -> Tree:
    """The tree a query string or a form body spells. Never fails: PHP reads any text."""
    tree = Array()
    for number, pair in enumerate(part for part in text.split("&") if part):
        if number >= MAX_VARIABLES:
            break
        name, _, value = pair.partition("=")
        keys = split_key(unquote_plus(name))
        if keys and len(keys) <= MAX_DEPTH:
            _put(tree, keys, unquote_plus(value))
    return tree


def split_key(name: str) -> list[str]:
    """`a[b][]` → `["a", "b", ""]`; an empty list where PHP would ignore the variable."""
    name = name.lstrip(" ")
    head, bracket, rest = name.partition("[")
    if not head:
        return []
    if bracket and "]" not in rest:
        return [_plain(name)]
    keys = [_plain(head)]
    while bracket:
        inside, closed, rest = rest.partition("]")
        if not closed:
            break
        keys.append(inside)
        if not rest.startswith("["):
            break
        rest = rest[1:]
    return keys


def _plain(name: str) -> str:
    """The outermost name, in which PHP allows neither dots, spaces nor an open bracket."""
    return name.replace(".", "_").replace(" ", "_").replace("[", "_")


def _put(tree: Array, keys: list[str], value: str) -> None:
    for position, key in enumerate(keys):
        key = key or str(tree.next_index)
        if key.isascii() and key.isdecimal() and len(key) < MAX_INDEX_DIGITS:
            tree.next_index = max(tree.next_index, int(key) + 1)
        if position == len(keys) - 1:
            tree[key] = value
            return
        below = tree.get(key)
        if not isinstance(below, Array):
            below = tree[key] = Array()
        tree = below


def scalars(node: Any) -> list[str]:
    """The values of a filter however it was written: `x`, `x,y`, `[]`, `[0]`. Nested trees have none."""
    if isinstance(node, str):
        return [part.strip() for part in node.split(",") if part.strip()]
    if isinstance(node, dict):
        return [value for value in node.values() if isinstance(value, str) and value]
    return []


def build(tree: Any) -> str:
    """A form body. Values become strings in PHP's way: true → 1, false → 0, null is left out."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs(tree))


def pairs(node: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(`a[b][0]`, value) of every leaf, in order."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else None
    if children is not None:
        for key, below in children:
            yield from pairs(below, f"{prefix}[{key}]" if prefix else str(key))
    elif isinstance(node, bool):
        yield prefix, "1" if node else "0"
    elif node is not None:
        yield prefix, str(node)
