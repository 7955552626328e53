"""The origin of a submission: campaign marks, click ids and addresses, for AmoCRM's tracking fields.

Pure. The names in a submission are AmoCRM's codes in small letters (`utm_source` → `UTM_SOURCE`, sheet 5.8). Marks that
were not named are taken from the query of the landing page's address. Nothing here ever refuses a lead: a value that is
no text is dropped, one that is too long is cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from desk.reading import texts

PAGE = "page"
"""The name of the landing page's address in a submission, kept by AmoCRM as `FROM`."""

NAMES = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "utm_referrer",
    "referrer",
    "from",
    "roistat",
    "gclientid",
    "gclid",
    "yclid",
    "fbclid",
    "_ym_uid",
    "_ym_counter",
    "openstat_service",
    "openstat_campaign",
    "openstat_ad",
    "openstat_source",
)
"""Every name of a mark besides `page`; in capitals, AmoCRM's code of the field (sheet 5.8)."""

IN_ADDRESSES = frozenset(NAMES) - {"referrer", "from"}
"""Names in a page's address that only advertisers append."""

LONGEST = 250
"""Characters of a value. AmoCRM's text fields take 256 (sheet 6)."""

LONGEST_ADDRESS = 4096
"""Characters of an address to be read: browsers and servers take hardly longer ones."""

MOST_IN_QUERY = 100


def tracking_of(raw: Mapping[str, Any]) -> dict[str, str]:
    """Marks by AmoCRM's code. `raw`: a submission's values of any type."""
    page, marks = _page(raw.get(PAGE))
    found = {name.upper(): text for name in NAMES if (text := clean(raw.get(name)) or clean(marks.get(name)))}
    if page:
        found.setdefault("FROM", page)
    return found


def clean(value: Any) -> str:
    """A line of text, at most `LONGEST` characters; "" for a value without text."""
    return texts.line(value, LONGEST)[0]


def _page(value: Any) -> tuple[str, Mapping[str, str]]:
    """The landing page's address without its marks, and the marks in its query."""
    if not isinstance(value, str) or len(value) > LONGEST_ADDRESS:
        return "", {}
    try:
        parts = urlsplit(texts.with_short_runs(value.strip()))  # which normalises the host
        query = parse_qsl(parts.query, max_num_fields=MOST_IN_QUERY)
        rest = urlencode([(name, text) for name, text in query if name.lower() not in IN_ADDRESSES])
    except ValueError:
        return "", {}
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return "", {}
    marks: dict[str, str] = {}
    for name, text in query:
        if name.lower() in IN_ADDRESSES:
            marks.setdefault(name.lower(), text)
    return clean(parts._replace(query=rest, fragment="").geturl()), marks
