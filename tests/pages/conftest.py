"""Pages run by Streamlit's own `AppTest`, over a desk whose AmoCRM is the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from crm.desk import Desk, install
from crm.settings import PROJECT
from sandbox.testing import Sandbox, running_sandbox
from tests.desks import desk_for

RUN_S = 60


@pytest.fixture(scope="session")
def shared_box() -> Iterator[Sandbox]:
    with running_sandbox(leads=400, rps=1000) as running:
        yield running


@pytest.fixture
def box(shared_box: Sandbox) -> Sandbox:
    """The sandbox, as new: nothing goes wrong unless the test says so."""
    shared_box.clear_faults()
    shared_box.reset(leads=400)
    return shared_box


@pytest.fixture
def desk(box: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    """A connected desk, installed as this process's."""
    with desk_for(box, tmp_path) as opened:
        install(opened)
        yield opened
        install(None)


@pytest.fixture
def unconnected(box: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    """A desk that nobody has connected yet."""
    with desk_for(box, tmp_path, connected=False) as opened:
        install(opened)
        yield opened
        install(None)


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Open a page by its name, with what its address asks for, through the frame, as the server does."""

    def run(name: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT / "pages" / "navigation.py"), default_timeout=RUN_S).run()
        app.query_params.update(query)
        return app if name == "leads" else app.switch_page(f"{name}.py").run()

    return run


def shown(app: AppTest) -> str:
    """Everything a page says, in one text."""
    parts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.success]
    return "\n".join(str(part.value) for part in [*parts, *app.text, *app.metric])
