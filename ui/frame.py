"""The frame every page stands in: who is here, which pages are theirs, what is wrong, in which language.

    frame.open() ─► navigation and sidebar ─► the page, inside `guard`

`guard` is the one place that turns an error into words and a remedy; fragments rerun without the frame, so
they carry it themselves (`frame.fragment`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import streamlit as st

from crm.desk import the_desk
from crm.errors import DeskError, SetupError
from crm.settings import SettingsError
from crm.words import words
from ui.words import error_words, language, say, switch

ASSETS = Path(__file__).parent / "assets"
PAGES = Path(__file__).parent.parent / "pages"

NOTICE = "frame.notice"

DEMO_START_S = 30.0

NO_ENGLISH_HINTS = '<style>[data-testid="InputInstructions"] { display: none }</style>'
"""Streamlit writes "Press Enter to submit form" into inputs, in English only. The forms say their keys themselves."""

SIDEBAR_PX = 250
"""Wide enough for the longest menu entry in both languages; the tables want the rest."""

CONNECTION_CODES = frozenset({"not_connected", "token_rejected"})
"""Errors that the connection page can mend besides those that name the grant."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Screen:
    """One page of the desk. `section`: the key of its heading in the menu, "" for none."""

    name: str
    path: str
    icon: str
    section: str = ""


SCREENS = (
    Screen("leads", "", ":material/group:"),
    Screen("new", "new", ":material/add_call:"),
    Screen("connection", "connection", ":material/link:", "menu-amocrm"),
    Screen("fields", "fields", ":material/tune:", "menu-amocrm"),
    Screen("activity", "activity", ":material/history:", "menu-amocrm"),
)
"""The menu, in its order. Every file in `pages/` besides `navigation.py` is here; a test compares."""


def draw() -> None:
    """Frame and page. Everything a page shows goes through here."""
    st.set_page_config(
        page_title="Lead Desk", page_icon=str(ASSETS / "icon.svg"), layout="wide", initial_sidebar_state=SIDEBAR_PX
    )
    st.logo(str(ASSETS / "logo.svg"), size="large", icon_image=str(ASSETS / "icon.svg"))
    st.html(NO_ENGLISH_HINTS)
    with guard():
        page = st.navigation(_menu())
        _wait_for_demo()
        with st.sidebar:
            _connection_light()
            switch()
        _banners()
        st.title(page.title, anchor=False)
        _notice()
        page.run()


@contextmanager
def guard() -> Iterator[None]:
    """Whatever goes wrong inside becomes words and a remedy on the screen, and a traceback in the console."""
    try:
        yield
    except Exception as error:
        show_error(error)


def fragment(**options: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`st.fragment` with the guard inside: a fragment that reruns by itself has no frame around it."""

    def decorate(draw_part: Callable[..., None]) -> Callable[..., None]:
        @wraps(draw_part)
        def guarded(*args: Any, **values: Any) -> None:
            with guard():
                draw_part(*args, **values)

        return st.fragment(guarded, **options)

    return decorate


def attempt(action: Callable[[], object], done: str) -> None:
    """For callbacks: carry out what a button asks for; the page then says `done` or what went wrong."""
    try:
        action()
        st.session_state[NOTICE] = done
    except Exception as error:
        st.session_state[NOTICE] = error


def forget_notice(code: str | None) -> None:
    """Drop the notice of an error that the page tells by itself."""
    notice = st.session_state.get(NOTICE)
    if isinstance(notice, DeskError) and notice.code == code:
        del st.session_state[NOTICE]


def show_error(error: Exception, *, framed: bool = True) -> None:
    """What happened, what to do, and what to tell support. Never a stack trace, a body or a token."""
    if not isinstance(error, DeskError):
        log.exception("a page failed", exc_info=error)
        error = SetupError("desk_failed")
    what, remedy = error_words(error.code)
    st.error(f"**{what}**\n\n{remedy}", icon=":material/error:")
    if isinstance(error, SettingsError):
        for fault in error.faults:
            st.write(f"`{fault.name}`: {words(language()).setting(fault.code, fault.hint)}")
    support = [error.code, error.status and f"HTTP {error.status}", error.request_id]
    st.caption(say("error-support", details=" · ".join(str(item) for item in support if item)))
    if framed and (error.code in CONNECTION_CODES or error.code.startswith("grant_")):
        st.page_link("connection.py", label=say("go-connection"), icon=":material/link:")


def _menu() -> dict[str, list[Any]]:
    menu: dict[str, list[Any]] = {}
    for screen in SCREENS:
        page = st.Page(
            PAGES / f"{screen.name}.py",
            title=say(f"{screen.name}-title"),
            icon=screen.icon,
            url_path=screen.path or screen.name,
            default=not screen.path,
            help=say(f"{screen.name}-help"),
        )
        menu.setdefault(say(screen.section) if screen.section else "", []).append(page)
    return menu


def _notice() -> None:
    """What came of the last button."""
    notice = st.session_state.pop(NOTICE, None)
    if isinstance(notice, Exception):
        show_error(notice)
    elif notice is not None:
        st.success(say(notice), icon=":material/check_circle:")


def _connection_light() -> None:
    """The connection in one word and sign, on every page."""
    status = the_desk().connection.status()
    color, icon = {
        "connected": ("green", ":material/check_circle:"),
        "not_connected": ("orange", ":material/link_off:"),
    }.get(status.state, ("red", ":material/error:"))
    st.badge(say(f"connection-state-{status.state}"), color=color, icon=icon)  # type: ignore[arg-type]


def _wait_for_demo() -> None:
    """A demo's AmoCRM takes a second to start; the page waits for it rather than say "not connected"."""
    desk = the_desk()
    if not desk.ready.is_set():
        with st.spinner(say("demo-starting")):
            desk.ready.wait(DEMO_START_S)


def _banners() -> None:
    if the_desk().settings.demo:
        st.info(say("demo-banner"), icon=":material/science:")
