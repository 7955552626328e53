"""The two small pages a plain HTML form may lead to: thanks, and a refusal with a way back.

For visitors of the site, so without anything of the desk's, and without a word of what they typed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from starlette.responses import HTMLResponse

from desk.words import Words

STYLE = (
    "body{font:17px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.25rem;color:#1d2724;background:#fff}"
    "h1{font-size:1.6rem;line-height:1.25}li{margin:.4em 0}"
    "button{font:inherit;padding:.6em 1.2em;border:0;border-radius:8px;background:#0b6e4f;color:#fff;cursor:pointer}"
    "@media(prefers-color-scheme:dark){body{color:#e6efeb;background:#101715}button{background:#3ecf9a;color:#101715}}"
)
BACK = "document.getElementById('back').onclick=function(){history.back()}"
"""A browser that goes back shows the form as it was left, which no address of the form could do."""


def _print_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src {_print_of(STYLE)}; script-src {_print_of(BACK)}",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def thanks(say: Words) -> HTMLResponse:
    return _page(say, say("thanks-title"), f"<p>{escape(say('thanks-text'))}</p>")


def problem(say: Words, status: int, title: str, text: str, faults: Iterable[tuple[str, str]] = ()) -> HTMLResponse:
    """The page of a refusal, with a way back to the form. `faults`: (field, sentence)."""
    found = "".join(f"<li><b>{escape(field)}</b>: {escape(sentence)}</li>" for field, sentence in faults)
    content = f"<ul>{found}</ul>" if found else f"<p>{escape(text)}</p>"
    content += f'<p><button id="back" type="button">{escape(say("problem-back"))}</button></p>'
    content += f"<noscript><p>{escape(say('problem-back-by-hand'))}</p></noscript><script>{BACK}</script>"
    return _page(say, title, content, status)


def _page(say: Words, title: str, content: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="{say.language}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{content}</html>",
        status_code=status,
        headers=HEADERS,
    )
