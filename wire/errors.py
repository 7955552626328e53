"""The errors of an exchange.

WireError
├── Unsent        not one byte of the request left this machine: even a write may be repeated
├── Unanswered    the request left and no whole answer came: nobody knows what it did
└── Unusable      an answer came that cannot be taken
"""

from __future__ import annotations

TOO_LARGE, NOT_FINAL = "too_large", "not_final"
"""Codes of `Unusable`: longer than the caller takes; a 1xx, after which the answer proper would follow."""


class WireError(Exception):
    """The base of every failure of an exchange. `code` names the case."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Unsent(WireError):
    """Not a byte of the request left: "unreachable", "name_unknown" or "tls_failed"."""


class Unanswered(WireError):
    """The request left and no whole answer came: "too_slow" or "cut_off"."""


class Unusable(WireError):
    """An answer came in an unusable form: `TOO_LARGE` or `NOT_FINAL`."""
