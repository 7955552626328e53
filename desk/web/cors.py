"""The headers that tell browsers which sites' pages may talk to the desk. Pure.

A preflight shows no key, so it is answered for any form that allows the site; the submission itself is then held
against its own form.
"""

from __future__ import annotations

REMEMBER_S = 600
"""How long a browser need not ask again; a site taken off the list is refused by the submission itself meanwhile."""

SENT = "authorization, content-type, idempotency-key"
"""Headers a page's script may send."""

READ = "retry-after"
"""Headers a page's script may read besides those every script may."""


def headers_for(origin: str | None, *, allowed: bool) -> dict[str, str]:
    """Return the headers of every answer, errors too: without these headers a script cannot read why it was refused."""
    if origin is None or not allowed:
        return {"Vary": "Origin"}
    return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": READ}


def preflight_headers(method: str) -> dict[str, str]:
    """For the answer to a preflight of an allowed site, besides those above."""
    return {
        "Access-Control-Allow-Methods": method,
        "Access-Control-Allow-Headers": SENT,
        "Access-Control-Max-Age": str(REMEMBER_S),
    }
