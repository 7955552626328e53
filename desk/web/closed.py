"""The pages for browsers that are not let in, or not yet: a few lines of HTML, without any part of the desk's."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from desk.words import LANGUAGES, Words, words

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:12vh auto;padding:0 1rem;color:#1d2724;background:#fff}"
    "code{background:#eef2f0;padding:.15em .4em;border-radius:4px}"
    "input,button{font:inherit;padding:.5em .7em;border:1px solid #b4c1bb;border-radius:8px}"
    "input{width:20rem;max-width:100%}button{background:#0b6e4f;color:#fff;border-color:#0b6e4f;cursor:pointer}"
    "@media(prefers-color-scheme:dark){body{color:#e6efeb;background:#101715}code{background:#202b27}"
    "input{background:#18211e;color:inherit}}"
)


def closed(languages: Iterable[str], default: str, port: int) -> str:
    """The page for a browser elsewhere: how to open the desk properly."""
    say = _words(languages, default)
    return _page(
        say,
        say("closed-title"),
        f"<p>{escape(say('closed-why'))}</p><p>{escape(say('closed-how'))}</p>"
        f"<p><code>ssh -L {port}:localhost:{port} {escape(say('closed-host'))}</code></p>"
        f"<p>{escape(say('closed-then', url=f'http://localhost:{port}'))}</p>",
    )


def locked(languages: Iterable[str], default: str, port: int, *, is_wrong: bool = False) -> str:
    """The page for a browser that seems to be on this machine without a proof: where the link is, and a field for a code."""
    say = _words(languages, default)
    wrong = f'<p role="alert"><b>{escape(say("locked-wrong"))}</b></p>' if is_wrong else ""
    return _page(
        say,
        say("locked-title"),
        f"{wrong}<p>{escape(say('locked-why'))}</p><p>{escape(say('locked-how'))}<br>"
        f"<code>http://localhost:{port}/enter/…</code></p>"
        f'<form method="post" action="/enter"><p><label>{escape(say("locked-code"))}<br>'
        '<input name="code" type="password" autocomplete="off" autofocus required></label> '
        f"<button>{escape(say('locked-open'))}</button></p></form>",
    )


def _words(languages: Iterable[str], default: str) -> Words:
    return words(next((code for code in languages if code in LANGUAGES), default))


def _page(say: Words, title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="{say.language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Lead Desk</title>'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{content}</html>"
    )
