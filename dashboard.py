"""The server: pages, /api and background work in one process. `streamlit run dashboard.py` starts it all.

The only place that ties `crm`, `ui` and, for the demo, `sandbox` together.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import streamlit as st
from starlette.middleware import Middleware
from streamlit import config

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # whatever folder it is started from

from crm import console  # noqa: E402 - after the path above
from crm.access import Gate  # noqa: E402
from crm.api import routes  # noqa: E402
from crm.desk import Desk, install, the_desk  # noqa: E402
from crm.settings import Secret, Settings, SettingsError, load  # noqa: E402
from crm.words import LANGUAGES, words  # noqa: E402
from ui.frame import show_error  # noqa: E402

log = logging.getLogger("crm.dashboard")


def read_settings() -> Settings:
    """The settings, or the end: with all that is wrong with them on the console."""
    try:
        return load(port=config.get_option("server.port"))
    except SettingsError as error:
        console.refuse_to_start(error)
        sys.exit(console.WRONG_SETTINGS)


class Demo:
    """An AmoCRM of our own for a desk that has no account: started, filled and really connected."""

    def __init__(self, settings: Settings) -> None:
        from sandbox import testing as sandbox  # only a demo needs it

        self._box = sandbox.start(
            db=ROOT / "data" / "demo-amocrm.db", redirect_uri=settings.amocrm_redirect_uri, wait=False
        )
        self.settings = replace(
            settings,
            amocrm_api_url=self._box.url,
            amocrm_oauth_url=f"{self._box.url}/oauth",
            amocrm_client_id=self._box.client_id,
            amocrm_client_secret=Secret(self._box.client_secret),
        )

    def connect(self, desk: Desk) -> None:
        """What an admin would do in a browser: open the consent page, press "allow", come back."""
        self._box.wait_ready()
        if not desk.connection.status().connected:
            answer = parse_qs(urlsplit(self._box.approve(desk.connection.begin())).query)
            desk.connection.finish(code=answer["code"][0], state=answer["state"][0], referer=answer["referer"][0])

    def stop(self) -> None:
        self._box.stop()


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Open the desk, begin the background work, and end both in order."""
    console.set_up()
    demo = Demo(settings) if settings.demo else None
    desk = Desk(demo.settings if demo else settings)
    install(desk)
    if demo:
        threading.Thread(target=_connect_demo, args=(demo, desk), name="demo", daemon=True).start()
    desk.start()
    try:
        yield
    finally:
        desk.close()
        install(None)
        if demo:
            demo.stop()


def _connect_demo(demo: Demo, desk: Desk) -> None:
    try:
        demo.connect(desk)
        desk.fields.refresh(desk.client)
    except Exception:
        log.exception("the demo could not be connected")


def refusal(languages: Iterable[str]) -> str:
    """The page for those the desk does not serve: how to open it properly."""
    say = words(next((code for code in languages if code in LANGUAGES), settings.ui_language))
    return (
        f'<!doctype html><html lang="{say.language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Lead Desk</title>'
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:12vh auto;padding:0 1rem;color:#1d2724}"
        "code{background:#eef2f0;padding:.15em .4em;border-radius:4px}</style>"
        f"<h1>{say('closed-title')}</h1><p>{say('closed-why')}</p><p>{say('closed-how')}</p>"
        f"<p><code>ssh -L 8501:localhost:8501 {say('closed-host')}</code></p><p>{say('closed-then')}</p>"
    )


def script_error(error: Exception) -> bool:
    """The last resort behind `ui.frame.guard`: errors of callbacks, which run before any frame."""
    show_error(error, framed=False)
    return True


settings = read_settings()
app = st.App(
    ROOT / "pages" / "navigation.py",
    routes=routes(the_desk),
    middleware=[Middleware(Gate, refusal=refusal)],
    lifespan=lifespan,
    on_script_error=script_error,
)
