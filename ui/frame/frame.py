"""The frame around every page: the person, the menu, the state of the desk, the language.

    frame.draw() ─► navigation and sidebar ─► the page, inside `guard`

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

from crm.errors import Declined, DeskError, SetupError
from desk.connection import needs_attention, warn_days
from desk.desk import the_desk
from desk.readiness import PEOPLE
from desk.settings import SettingsError
from desk.words import words
from store import is_away
from ui.frame import formats, health
from ui.frame.person import ask_name
from ui.frame.words import error_words, language, say, switch
from ui.streamlit_gaps.incoming import make_fit

ASSETS = Path(__file__).parent / "assets"
PAGES = Path(__file__).parent.parent.parent / "pages"

NOTICE = "frame.notice"

DEMO_START_S = 30.0

LIGHTS_EVERY_S = 5.0
"""How often the sidebar looks by itself."""

STYLE = """<style>
[data-testid="InputInstructions"] { display: none }
span.stMarkdownBadge { white-space: normal !important }
</style>"""
"""Hides Streamlit's hint "Press Enter to submit form": in English only, and the forms say their keys themselves.

And lets a badge's sentence wrap: Streamlit cuts the sentence off in a narrow place, and a state is read whole.
"""

DARK = '<style>button:is([kind="primary"], [kind="primaryFormSubmit"]) { color: #06281c }</style>'
"""Dark text on buttons: white on the light green of the dark theme is hard to read."""

SIDEBAR_PX = 250
"""Wide enough for the longest menu entry in both languages; the tables want the rest."""

CONNECTION_CODES = frozenset({"not_connected", "token_rejected", "person_switched_off", "switched_off"})
"""Errors mended on the connection page, besides the errors about the grant."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Screen:
    """A page of the desk. `section`: the key of its heading in the menu, "" for none."""

    name: str
    path: str
    icon: str
    section: str = ""


SCREENS = (
    Screen("leads", "", ":material/group:"),
    Screen("new", "new", ":material/add_call:"),
    Screen("overview", "overview", ":material/bar_chart:"),
    Screen("deliveries", "deliveries", ":material/outbox:"),
    Screen("forms", "forms", ":material/dynamic_form:"),
    Screen("connection", "connection", ":material/link:", "menu-amocrm"),
    Screen("fields", "fields", ":material/tune:", "menu-amocrm"),
    Screen("activity", "activity", ":material/history:", "menu-amocrm"),
)
"""The menu, in its order. Every file in `pages/` besides `navigation.py` is here; a test compares."""


def draw() -> None:
    """Draw the frame and the page inside. Every page passes through here."""
    make_fit()
    st.set_page_config(
        page_title="Lead Desk", page_icon=str(ASSETS / "icon.svg"), layout="wide", initial_sidebar_state=SIDEBAR_PX
    )
    st.logo(str(ASSETS / "logo.svg"), size="large", icon_image=str(ASSETS / "icon.svg"))
    st.html(STYLE)
    if st.context.theme.type == "dark":
        st.html(DARK)
    with guard():
        page = st.navigation(_menu())
        _wait_for_demo()
        with st.sidebar:
            _lights(page.url_path == "connection")
            ask_name()
            switch()
        _banners()
        st.title(page.title, anchor=False)
        notice()
        page.run()


@contextmanager
def guard() -> Iterator[None]:
    """Turn any error inside into words and a remedy on the screen, and a traceback in the console."""
    try:
        yield
    except Exception as error:
        show_error(error)


def fragment(*, is_inner: bool = False, **options: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`st.fragment` with the guard inside, and alone in its place.

    A fragment that reruns by itself has no frame around it, and so carries the guard.

    A block that was not drawn again is taken away by the browser, which closes the gap: what is then drawn by its place comes
    over the fragment's neighbour, so it has none. Whoever draws an inner one gives it a place, `st.container()`, that each
    of its runs draws at the same position: a place which the browser does not know breaks the whole page.
    """

    def decorate(draw_part: Callable[..., None]) -> Callable[..., None]:
        @wraps(draw_part)
        def guarded(*args: Any, **values: Any) -> None:
            with guard():
                make_fit()
                draw_part(*args, **values)

        run = st.fragment(guarded, **options)

        @wraps(draw_part)
        def placed(*args: Any, **values: Any) -> None:
            with st.container():
                run(*args, **values)

        return run if is_inner else placed

    return decorate


def attempt(action: Callable[[], object], done: str) -> None:
    """Carry out a button's action, in a callback; the page then says `done`, or the error."""
    try:
        action()
        st.session_state[NOTICE] = done
        the_desk().watch.now()  # the sidebar tells at once what has changed
    except Exception as error:
        st.session_state[NOTICE] = error


def say_notice(key: str) -> None:
    """For callbacks: a sentence the page then says."""
    st.session_state[NOTICE] = key


def say_error(code: str) -> None:
    """Note an error that happened before the page was drawn; the page then tells the words of its code, and the remedy."""
    st.session_state[NOTICE] = DeskError(code)


def say_declined(code: str) -> None:
    """Note, in a callback, why a wish was not carried out; the page then tells the reason."""
    st.session_state[NOTICE] = Declined(code)


def forget_notice(code: str | None) -> None:
    """Drop the notice of an error already told by the page itself."""
    notice = st.session_state.get(NOTICE)
    if isinstance(notice, DeskError) and notice.code == code:
        del st.session_state[NOTICE]


def show_error(error: Exception, *, framed: bool = True) -> None:
    """Show an error: its meaning, the remedy, details for support. Never a stack trace, a body or a token.

    A `Declined` is a notice: nothing is broken, so there is nothing to tell support.
    """
    if is_away(error):
        log.error("a page had no database: %s", type(error).__name__)
        error = SetupError("database_unreachable")
    elif not isinstance(error, DeskError):
        log.exception("a page failed", exc_info=error)
        error = SetupError("desk_failed")
    what, remedy = error_words(error.code)
    if isinstance(error, Declined):
        st.warning(f"**{what}**\n\n{remedy}", icon=":material/info:")
        return
    st.error(f"**{what}**\n\n{remedy}", icon=":material/error:")
    if isinstance(error, SettingsError):
        for fault in error.faults:
            st.write(
                f"**{formats.plain(fault.name)}**: {formats.plain(words(language()).setting(fault.code, fault.hint))}"
            )
    support = [error.code, error.status and f"HTTP {error.status}", error.request_id]
    st.caption(say("error-support", details=formats.plain(" · ".join(str(item) for item in support if item))))
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


def notice() -> None:
    """Show the result of the last button. A page made of a fragment calls `notice` itself."""
    told = st.session_state.pop(NOTICE, None)
    if isinstance(told, Exception):
        show_error(told)
    elif told is not None:
        st.success(say(told), icon=":material/check_circle:")


NOBODY_YET = ("orange", ":material/link_off:")
"""The look of a desk before its first connection in the sidebar; a broken connection is red."""


@fragment(run_every=LIGHTS_EVERY_S)
def _lights(on_connection_page: bool) -> None:
    """The state of the desk on every page: a word and a sign, then faults, since when, and consequences. Runs by itself.

    From memory: a database that keeps us waiting keeps no page waiting, and is told like any other trouble.
    """
    verdict = the_desk().watch.last()
    status = verdict.status
    if status is None:
        health.badge("red", ":material/error:", "health-database")
    elif status.state == "connected" and status.connected:
        health.headline(verdict)
    else:
        sign = NOBODY_YET if status.state == "not_connected" else ("red", ":material/error:")
        health.badge(*sign, f"connection-state-{status.state}")
    if status is not None and (days := warn_days(status)) is not None:
        st.caption(say("connection-long-lived-ends", days=days))
    elif status is not None and needs_attention(status) and status.state != "not_connected":
        st.caption(error_words(status.trouble or status.attempt_result or "clock_wrong")[0])
    health.lines(verdict)
    if not on_connection_page and (health.wants_connection(verdict) or (status and needs_attention(status))):
        st.page_link("connection.py", label=say("go-connection"), icon=":material/arrow_forward:")
    if people := verdict.of(PEOPLE).count:
        st.page_link("deliveries.py", label=say("deliveries-light", count=people), icon=":material/gavel:")


def _wait_for_demo() -> None:
    """Wait for a demo's AmoCRM, which takes a second to start, rather than say "not connected" on the first page."""
    desk = the_desk()
    if not desk.ready.is_set() and not desk.connection.status().connected:
        with st.spinner(say("demo-starting")):
            desk.ready.wait(DEMO_START_S)


def _banners() -> None:
    if the_desk().settings.demo:
        st.info(say("demo-banner"), icon=":material/science:")
