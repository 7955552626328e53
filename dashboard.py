"""The server: pages, /api and background work in one process, started by `streamlit run dashboard.py`.

The only place that ties `desk`, `ui` and, for the demo, `sandbox` together.
"""

from __future__ import annotations

import gc
import logging
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, urlsplit

import streamlit as st
from starlette.middleware import Middleware
from streamlit import cli_util, config

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # whatever folder it is started from

from crm.errors import SetupError  # noqa: E402
from desk import console, privacy  # noqa: E402
from desk.desk import Desk, install, the_desk  # noqa: E402
from desk.settings import Secret, Settings, SettingsError, is_loopback, load  # noqa: E402
from desk.web import closed as pages_for_strangers  # noqa: E402 - after the path above
from desk.web import connections  # noqa: E402
from desk.web.gate import Gate  # noqa: E402
from desk.web.headers import Headers  # noqa: E402
from desk.web.listener import Listener, listen  # noqa: E402
from desk.web.routes import routes  # noqa: E402
from desk.web.screen_pop import ScreenPop  # noqa: E402
from desk.web.sockets import Sockets, keep_calm  # noqa: E402
from sandbox.options import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET  # noqa: E402
from sandbox.process import start as start_sandbox  # noqa: E402
from ui.frame.frame import show_error  # noqa: E402
from ui.streamlit_gaps import scripts, sent  # noqa: E402

DEMO_PORT = 8900
"""The sandbox's own port; a free one instead if taken."""

INDEX = Path(st.__file__).parent / "static" / "index.html"
"""The page that every address of Streamlit's is; its scripts are let run by their hashes."""

PORT = int(config.get_option("server.port"))
"""Where this desk listens."""

DEMO_LEADS = 3000
DEMO_LATENCY_MS = 40
"""Enough to feel that AmoCRM is elsewhere."""

COLLECT_EVERY_S = 20.0
"""Seconds between collections of garbage. A page leaves a few megabytes behind in this time for each clicking person."""

log = logging.getLogger("dashboard")


def open_desk() -> tuple[Desk, Demo | None, socket.socket | None]:
    """Open the desk, with an AmoCRM for a demo and a public port if set; or end, with every fault of the settings on the
    console."""
    try:
        settings = load(port=PORT)
        console.tell_notes(settings.notes, settings.ui_language)
        privacy.keep_new_files_private()
        console.tell_rights(*privacy.mend(settings), settings.ui_language)
        public = listen(*settings.public_listen) if settings.public_listen else None
        demo = Demo(settings) if settings.demo else None
        return Desk(demo.settings if demo else settings), demo, public
    except SettingsError as error:
        console.refuse_settings(error)
    except SetupError as error:
        console.refuse_setup(error)
    sys.exit(console.WRONG_SETTINGS)


class Demo:
    """An AmoCRM of our own for a desk that has no account: started, filled and really connected."""

    def __init__(self, settings: Settings) -> None:
        """Begin to start the sandbox, beside the desk: filling a club takes as long as the desk's own start up to `connect`.

        Raises `SetupError("demo_runs_already")`: two of them in one folder would share leads and not their AmoCRM.
        """
        self._lock = _lock(settings.data_folder / "demo.lock")
        port = _free_port(DEMO_PORT)
        url = f"http://127.0.0.1:{port}"
        self._helper = ThreadPoolExecutor(1, "demo")
        self._box = self._helper.submit(
            start_sandbox,
            port=port,
            db=settings.data_folder / "demo-amocrm.db",
            leads=DEMO_LEADS,
            latency_ms=DEMO_LATENCY_MS,
            redirect_uri=settings.amocrm_redirect_uri,
        )
        self.settings = replace(
            settings,
            amocrm_api_url=url,
            amocrm_oauth_url=f"{url}/oauth",
            amocrm_client_id=DEFAULT_CLIENT_ID,
            amocrm_client_secret=Secret(DEFAULT_CLIENT_SECRET),
        )

    def connect(self, desk: Desk) -> None:
        """Act as an admin in a browser: open the consent page, press "allow", come back."""
        try:
            box = self._box.result()
            if not desk.connection.status().connected:
                answer = parse_qs(urlsplit(box.approve(desk.connection.begin())).query)
                desk.connection.finish(code=answer["code"][0], state=answer["state"][0], referer=answer["referer"][0])
        except Exception:
            log.exception("the demo could not be connected")
        finally:
            desk.ready.set()

    def stop(self) -> None:
        self._helper.shutdown()
        if self._box.exception() is None:
            self._box.result().stop()


def _lock(path: Path) -> IO[bytes]:
    """A file that one process at a time holds, until the process ends."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    held = path.open("wb")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SetupError("demo_runs_already") from None
    return held


def _free_port(wanted: int) -> int:
    """The port wanted, or any other where that is taken."""
    for port in (wanted, 0):
        with suppress(OSError), socket.socket() as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # a desk stopped a moment ago leaves it half closed
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    return wanted


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Begin the background work, and end desk, demo and listener in order."""
    console.set_up()
    keep_calm()
    install(desk)
    if demo:
        desk.ready.clear()
        threading.Thread(target=demo.connect, args=(desk,), name="demo", daemon=True).start()
    desk.start()
    _show_the_door()
    listener = Listener(app, public, room) if public is not None else None
    if listener is not None:
        listener.start()
    ending = threading.Event()
    threading.Thread(target=_keep_quick, args=(ending,), name="keep-quick", daemon=True).start()
    try:
        yield
    finally:
        ending.set()
        if listener is not None:
            await listener.stop()
        desk.close()
        install(None)
        if demo:
            demo.stop()


def _show_the_door() -> None:
    """Tell the console how a browser gets in, and open a browser if Streamlit is told to (`server.headless = false`)."""
    base = desk.settings.base_url
    home = base if is_loopback(urlsplit(base).hostname or "") else f"http://localhost:{PORT}"
    doorway = desk.doorway
    if not doorway.is_open:
        doorway.on_new_code = lambda path: console.tell_link(home + path, desk.settings.ui_language)
        doorway.on_new_code(doorway.path)
    if not config.get_option("server.headless"):
        cli_util.open_browser(home if doorway.is_open else home + doorway.path)


def _keep_quick(ending: threading.Event) -> None:
    """Warm up, then collect garbage until the server ends, which Streamlit would do after every run of a page.

    What is there after the warm-up stays as long as the server; leaving it out of each collection saves tens of milliseconds.
    """
    _warm_up()
    gc.collect()
    gc.freeze()
    while not ending.wait(COLLECT_EVERY_S):
        gc.collect()


def _warm_up() -> None:
    """Import the needs of the first page and the first request while the browser is still loading its scripts."""
    import ui.leads.table

    ui.leads.table.warm_up()


def closed(languages: Iterable[str]) -> str:
    """The page for browsers elsewhere."""
    return pages_for_strangers.closed(languages, desk.settings.ui_language, PORT)


def locked(languages: Iterable[str]) -> str:
    """The page for browsers that have not proved to be on this machine."""
    return pages_for_strangers.locked(languages, desk.settings.ui_language, PORT)


def script_error(error: Exception) -> bool:
    """The last resort behind `ui.frame.frame.guard`: errors of callbacks, which run before any frame."""
    show_error(error, framed=False)
    return True


sent.keep_all()
room = connections.Room(connections.raise_files())
connections.keep(room)
desk, demo, public = open_desk()
app = st.App(
    ROOT / "pages" / "navigation.py",
    routes=routes(the_desk),
    middleware=[
        Middleware(Headers, page=INDEX.read_bytes(), scripts=scripts.ALL),
        Middleware(Gate, doorway=desk.doorway, closed=closed, locked=locked),
        Middleware(ScreenPop, desk=the_desk),
        Middleware(Sockets),
    ],
    lifespan=lifespan,
    on_script_error=script_error,
)
