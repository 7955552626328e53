"""The scripts of a page, each always the same to the letter: the variable part stands in its data.

So the server can name them by their hashes, and a browser runs these and no other that got into a page
(`Content-Security-Policy`, see `desk.web.headers`).
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

KEEP_COOKIE = (
    "{const told=document.currentScript.dataset;"
    "document.cookie=`${told.name}=${told.value};path=/;max-age=${told.seconds};samesite=lax`}"
)
"""Only a script in the page can set a cookie after the page has loaded."""

FOCUS_SOON_MS = 50
"""Wait before setting the cursor again, if the page's other script is not there yet: they come in any order."""

FOCUS = (
    "{const told=document.currentScript.dataset;(function look(){window.callDesk?"
    f"callDesk.focus(told.place,told.opening==='1'):setTimeout(look,{FOCUS_SOON_MS})"
    "})()}"
)

CALL_DESK = (Path(__file__).parent.parent / "frame" / "assets" / "call_desk.js").read_text(encoding="utf-8")

ALL = (KEEP_COOKIE, FOCUS, CALL_DESK)


def run(script: str, **told: str | int) -> None:
    """Put a script of ours into the page. `told`: the script's data; new data runs the script anew."""
    data = "".join(f' data-{name}="{escape(str(value))}"' for name, value in told.items())
    st.html(f"<script{data}>{script}</script>", unsafe_allow_javascript=True)
