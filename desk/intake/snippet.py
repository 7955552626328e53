"""The form ready to be pasted into a site: plain HTML for browsers without scripts, and a script for the rest.

Without the script the browser is led to a thank-you page, or to one that names the faults. With it the visitor stays
where they are, faults stand at their fields, and a repetition is recognised by its Idempotency-Key.

Browsers tell another origin only the site's domain (`strict-origin-when-cross-origin`), so the marks of an advertisement
cannot come with the `Referer`. The plain form has a few lines that put the page's address into a hidden field; where no
script runs, the form is sent all the same, without marks.
"""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from pathlib import Path

from desk.words import Words

FOLDER = Path(__file__).parent / "snippets"

PLACEHOLDER = "FORM_KEY"
"""Placeholder for the key, which is shown only once."""


def plain(say: Words, base_url: str, *, key: str = PLACEHOLDER, thanks_url: str = "") -> str:
    """The form, and the lines to tell its page. `base_url`: the desk's, as reachable for the site's visitors."""
    form = _filled(
        "plain",
        address=escape(f"{base_url}/api/crm"),
        key=escape(key),
        thanks=f' data-thanks="{escape(thanks_url)}"' if thanks_url else "",
        name=escape(say("new-name")),
        phone=escape(say("new-phone")),
        direction=escape(say("new-direction")),
        message=escape(say("new-message")),
        consent=escape(say("snippet-consent")),
        trap=escape(say("snippet-trap")),
        send=escape(say("snippet-send")),
    )
    return form + _template("page")


def scripted(say: Words, base_url: str, *, key: str = PLACEHOLDER, thanks_url: str = "") -> str:
    """The same and its script."""
    script = _filled("script", thank_you=_in_script(say("thanks-title")), failed=_in_script(say("snippet-failed")))
    return plain(say, base_url, key=key, thanks_url=thanks_url) + script


def _in_script(text: str) -> str:
    """A text inside a script's double quotes."""
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("<", "\\u003c")


def _filled(template: str, /, **values: str) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found.group(1)], _template(template))


@cache
def _template(name: str) -> str:
    return (FOLDER / f"{name}.html").read_text(encoding="utf-8")
