"""The places in our code that an exception came from, for the log."""

from __future__ import annotations

import traceback
from pathlib import Path

ROOT = Path(__file__).parent.parent
"""What the places of an exception are told from."""

MOST_PLACES = 4


def places(error: BaseException) -> str:
    """Where in our code an exception came from, the innermost place first: "ValueError in desk/fields.py:341 encode < …".

    The exception's own text is left out: it may quote somebody's phone or a token.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(ROOT)]
    told = [f"{Path(one.filename).relative_to(ROOT)}:{one.lineno} {one.name}" for one in reversed(frames)]
    return " < ".join([f"{type(error).__name__} in {(told or ['?'])[0]}", *told[1:MOST_PLACES]])
