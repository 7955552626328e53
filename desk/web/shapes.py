"""The shape of requests and answers: patterns with one owner, and notes on types for the description.

Nothing here imports pydantic: only the description does (`openapi`), which few desks are ever asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

LEAD_ID = re.compile(r"[0-9a-f]{32}")

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
"""An Idempotency-Key: printable ASCII without spaces, as long as a header of its kind ever is."""


class Says:
    """A note on a type, `Annotated[str, Says(format="uri")]`: keywords of JSON Schema that the type alone does not tell."""

    def __init__(self, **keywords: Any) -> None:
        self._keywords = keywords

    def __get_pydantic_json_schema__(self, schema: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Add the keywords to a described type. The method's name is pydantic's."""
        return handler(schema) | self._keywords


def whole(pattern: re.Pattern[str]) -> str:
    """Return a pattern in JSON Schema's form, which is looked for anywhere in a text."""
    return f"^{pattern.pattern}$"
