"""The rules of the house that a program can check."""

import ast
import re
from pathlib import Path

import pytest

from desk.settings import PROJECT
from ui.frame.frame import SCREENS

ROOMS = ("crm", "desk", "store", "wire", "ui", "pages", "sandbox")
LIBRARIES = {
    "crm": {"streamlit", "pandas", "dotenv", "requests", "dashboard"},
    "desk": {"streamlit", "requests", "dashboard"},
    "store": {"streamlit", "requests", "dashboard"},
    "wire": {"streamlit", "sqlalchemy", "dashboard"},
    "ui": {"dashboard", "requests", "sqlalchemy"},
    "pages": {"dashboard", "requests", "sqlalchemy", "os"},
    "sandbox": {"streamlit", "dashboard"},
}
"""What no file of a room imports. Which room may import which is `test_layout`."""

FILES = [path for room in ROOMS for path in sorted(Path(PROJECT, room).rglob("*.py"))]


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_use_only_the_libraries_they_may(room):
    """Streamlit stays on the screen, AmoCRM's HTTP behind the door, SQL below the screens."""
    wrong = [
        f"{path.relative_to(PROJECT)} imports {module}"
        for path in sorted(Path(PROJECT, room).rglob("*.py"))
        for module in imports(path)
        if module.split(".")[0] in LIBRARIES[room]
    ]
    assert wrong == []


def test_only_settings_reads_the_environment():
    """`os.environ` stands in desk/settings.py; the console, which speaks before there are settings, asks for the language."""
    readers = {
        path.relative_to(PROJECT).as_posix() for path in FILES if re.search(r"os\.environ|getenv", path.read_text())
    }
    assert {path for path in readers if not path.startswith("sandbox/")} == {"desk/settings.py", "desk/console.py"}


def test_all_http_goes_through_one_door():
    """`requests` is imported by the wire under the door, and nowhere else."""
    users = {
        path.name
        for path in FILES
        if not path.is_relative_to(PROJECT / "sandbox") and "requests" in {m.split(".")[0] for m in imports(path)}
    }
    assert users == {"session.py"}


def test_texts_are_normalised_in_one_place():
    """`unicodedata.normalize` is called in desk/reading/texts.py alone: what it costs is bounded there."""
    found = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            is_asked = isinstance(node, ast.Attribute) and node.attr in ("normalize", "is_normalized")
            is_fetched = isinstance(node, ast.ImportFrom) and node.module == "unicodedata"
            if is_fetched or (is_asked and not ast.unparse(node).startswith("pd.")):
                found.add(path.relative_to(PROJECT).as_posix())
    assert found == {"desk/reading/texts.py"}


def test_every_page_is_in_the_menu():
    """A file in pages/ is a screen of the frame, and the other way round."""
    files = {path.stem for path in Path(PROJECT, "pages").glob("*.py")} - {"navigation"}
    assert files == {screen.name for screen in SCREENS}


@pytest.mark.parametrize("path", sorted(Path(PROJECT, "pages").glob("*.py")), ids=lambda path: path.name)
def test_pages_are_thin(path):
    """A page fetches, shapes and draws: at most 120 lines, no try, no cache, no class."""
    tree = ast.parse(path.read_text())
    assert len(path.read_text().splitlines()) <= 120
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Try | ast.ClassDef)]
    assert "cache" not in path.read_text()


def test_every_module_says_what_it_is():
    """A docstring opens each module, except generated migrations' and empty packages'."""
    texts = {path.relative_to(PROJECT): path.read_text().strip() for path in FILES}
    assert [path for path, text in texts.items() if text and not ast.get_docstring(ast.parse(text))] == []


def test_no_file_is_a_drawer():
    """No utils, helpers, common, manager: a module is named for what it holds."""
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers"}
    assert not [path for path in FILES if path.stem in drawers]


def test_tests_do_not_sleep():
    """No test waits by sleeping; it waits for a sign."""
    me = Path(__file__).name
    sleepers = [
        path for path in Path(PROJECT, "tests").rglob("*.py") if path.name != me and "time.sleep(" in path.read_text()
    ]
    assert not sleepers


def test_tests_do_not_share_a_loop():
    """No test runs an event loop on its own thread, where a browser that another test has opened may run one."""
    running = re.compile(r"(anyio|asyncio)\.run\(")
    assert not [path for path in Path(PROJECT, "tests").rglob("*.py") if running.search(path.read_text())]


def test_every_test_claims_something():
    """Each test has a sentence that states the behaviour."""
    silent = [
        f"{path.name}::{node.name}"
        for path in Path(PROJECT, "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert not silent


def test_the_clock_is_asked_in_one_place():
    """`datetime.now` and `time.time` stand in store/clock.py alone, so that the whole desk can be moved in time."""
    asking = re.compile(r"datetime\.now\(|datetime\.utcnow\(|date\.today\(|time\.time\(")
    rooms = [path for path in FILES if not path.is_relative_to(PROJECT / "sandbox")]
    found = {path.relative_to(PROJECT).as_posix() for path in rooms if asking.search(path.read_text())}
    assert found == {"store/clock.py"}


def test_what_tests_share_is_in_one_place():
    """Benchmarks, scripts and `tests/support` itself import of the tests only what is in `tests/support`."""
    sharing = [
        path for folder in ("benchmarks", "scripts", "tests/support") for path in (PROJECT / folder).rglob("*.py")
    ]
    wrong = [
        f"{path.relative_to(PROJECT)} imports {module}"
        for path in sharing
        for module in imports(path)
        if module.startswith("tests") and not module.startswith("tests.support")
    ]
    assert wrong == []
