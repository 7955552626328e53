"""Ids of events: a time, and a part that cannot be guessed."""

from __future__ import annotations

import base64

RFC_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ULID_LETTERS = b"0123456789abcdefghjkmnpqrstvwxyz"
TO_ULID = bytes.maketrans(RFC_LETTERS, ULID_LETTERS)
ID_LENGTH = 26


def event_id(milliseconds: int, noise: int) -> str:
    """26 characters that sort by time, like a ULID in lower case. `noise`: up to 80 bits."""
    # 26 letters of 5 bits are 130; 30 more make the 160 that base32 can write without padding.
    number = (milliseconds << 80 | noise) << 30
    return base64.b32encode(number.to_bytes(20, "big"))[:ID_LENGTH].translate(TO_ULID).decode()
