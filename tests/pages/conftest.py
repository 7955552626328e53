"""Pages run by Streamlit's own `AppTest`, over a desk whose AmoCRM is the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.testing.v1 import AppTest, local_script_runner
from streamlit.testing.v1.element_tree import ElementTree, parse_tree_from_messages

from desk.desk import Desk, install
from desk.settings import PROJECT
from sandbox.process import Sandbox, running_sandbox
from tests.support.desks import desk_for

RUN_S = 60


@pytest.fixture(scope="session")
def shared_box() -> Iterator[Sandbox]:
    with running_sandbox(leads=400, rps=1000) as running:
        yield running


@pytest.fixture
def box(shared_box: Sandbox) -> Sandbox:
    """The sandbox, as new: nothing goes wrong unless the test says so."""
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


class Said:
    """What the last run told the browser to draw, and where."""

    def __init__(self) -> None:
        self.messages: list[ForwardMsg] = []

    def paths(self) -> set[tuple[int, ...]]:
        return {tuple(message.metadata.delta_path) for message in self.messages}

    def parts(self) -> dict[str, tuple[int, ...]]:
        """The block of each part that runs by itself."""
        places: dict[str, tuple[int, ...]] = {}
        for message in self.messages:
            path, part = tuple(message.metadata.delta_path), message.delta.fragment_id
            if part and (part not in places or len(path) < len(places[part])):
                places[part] = path
        return places

    def inner_parts(self) -> set[tuple[int, ...]]:
        """The blocks of those that stand within another one."""
        all_ = set(self.parts().values())
        return {inner for inner in all_ if any(inner != outer == inner[: len(outer)] for outer in all_)}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    """Listens to every run of a page."""
    heard = Said()

    def parse(messages: list[ForwardMsg]) -> ElementTree:
        heard.messages = [message for message in messages if message.HasField("delta")]
        return parse_tree_from_messages(messages)

    monkeypatch.setattr(local_script_runner, "parse_tree_from_messages", parse)
    return heard


def shown(app: AppTest) -> str:
    """Everything a page says, in one text."""
    parts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.success]
    return "\n".join(str(part.value) for part in [*parts, *app.text, *app.metric])
