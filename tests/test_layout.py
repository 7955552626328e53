"""The walls of the house: which file may import which. Every import counts, late and type-only ones too."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from desk.settings import PROJECT

ROOMS = ("pages", "ui", "desk", "crm", "store", "wire", "sandbox")
MAY_IMPORT = {
    "pages": {"ui", "desk"},
    "ui": {"desk", "crm", "store"},
    "desk": {"crm", "store"},
    "crm": {"store", "wire"},
    "store": set(),
    "wire": set(),
    "sandbox": set(),
}
"""Of ours, besides itself."""

UI_MAY_IMPORT_OF = {
    "crm": {f"crm.{name}" for name in ("errors", "leads", "connection", "journal", "pipelines", "custom_fields")},
    "store": {"store", "store.clock"},
}
"""Errors, the connection's state, lines of the journal, an address of a lead, a field: what a screen draws. Nothing that asks."""

LONGEST_THIN = 4000
"""Lines of `crm`, which is to be a thin package underneath."""

LONGEST_FILE, LONGEST_FUNCTION = 400, 40
"""Lines; of a function without its docstring."""

Edge = tuple[str, str]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


@cache
def modules() -> dict[str, Path]:
    return {module_of(path): path for room in ROOMS for path in sorted((PROJECT / room).rglob("*.py"))}


def named(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """(module, name) of each thing a file of ours imports; the name is None for a whole module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def target_of(module: str, name: str | None) -> Edge | None:
    """The module an import leads to, and what it takes there; None for a module of somebody else's."""
    if f"{module}.{name}" in modules():
        return f"{module}.{name}", ""
    return (module, name or "") if module in modules() else None


@cache
def imports() -> dict[str, list[Edge]]:
    """Module → (module, name) of all it imports of ours."""
    found = {}
    for module, path in modules().items():
        targets = (target_of(*one) for one in named(ast.parse(path.read_text())))
        found[module] = [target for target in targets if target is not None and target[0] != module]
    return found


def circles(edges: Iterable[Edge]) -> list[list[str]]:
    """Sets of places of which each can be reached from each."""
    ahead: dict[str, set[str]] = {}
    for start, end in edges:
        ahead.setdefault(start, set()).add(end)

    def reach(place: str) -> set[str]:
        seen: set[str] = set()
        waiting = [place]
        while waiting:
            for end in ahead.get(waiting.pop(), ()):
                if end not in seen:
                    seen.add(end)
                    waiting.append(end)
        return seen

    reached = {place: reach(place) for place in ahead}
    found = {
        frozenset({place, *(other for other in reached[place] if place in reached.get(other, ()))})
        for place in ahead
        if place in reached[place]
    }
    return [sorted(circle) for circle in found]


def room_of(module: str) -> str:
    """A folder directly under a storey, or a loose file there."""
    return ".".join(module.split(".")[:2])


@cache
def faces() -> dict[str, set[str]]:
    """Package → the names of its `__all__`, for those that have one."""
    found = {}
    for module, path in modules().items():
        for node in ast.parse(path.read_text()).body if path.name == "__init__.py" else ():
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                found[module] = set(ast.literal_eval(node.value))
    return found


def stepped_past(module: str, target: str, name: str) -> str | None:
    """The package whose face an import passes by; None if it comes through the door."""
    for package, public in faces().items():
        is_inside = module == package or module.startswith(f"{package}.")
        if is_inside or not (target == package or target.startswith(f"{package}.")):
            continue
        first = target.removeprefix(package).removeprefix(".").split(".")[0] or name
        if first and first not in public:
            return package
    return None


def test_no_arrow_leads_upwards():
    """pages → ui → desk → crm → store; the sandbox is reached over HTTP alone."""
    wrong = [
        f"{module} imports {target}"
        for module, edges in imports().items()
        for target, _ in edges
        if (room := target.split(".")[0]) != (own := module.split(".")[0]) and room not in MAY_IMPORT[own]
    ]
    assert wrong == []


def test_screens_know_little_of_what_lies_deep():
    """Of `crm` and the store a screen imports a few values; everything else it asks the desk."""
    wrong = [
        f"{module} imports {target}"
        for module, edges in imports().items()
        for target, name in edges
        if module.startswith("ui.")
        and (allowed := UI_MAY_IMPORT_OF.get(target.split(".")[0])) is not None
        and target not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("of", [lambda module: module, room_of], ids=["files", "rooms"])
def test_there_is_no_circle(of):
    """Neither of files nor of rooms."""
    edges = {(of(module), of(target)) for module, targets in imports().items() for target, _ in targets}
    assert circles((start, end) for start, end in edges if start != end) == []


def test_nothing_steps_past_a_face():
    """What a package's `__all__` does not name is its own affair."""
    wrong = [
        f"{module} takes {name or target} past {package}"
        for module, edges in imports().items()
        for target, name in edges
        if (package := stepped_past(module, target, name)) is not None
    ]
    assert wrong == []


def test_crm_is_thin():
    """AmoCRM and nothing else."""
    assert sum(len(path.read_text().splitlines()) for path in (PROJECT / "crm").rglob("*.py")) <= LONGEST_THIN


def test_no_file_is_too_long():
    """A file is read in one go. Steps of migration are written once and never read again."""
    counted = {path: len(path.read_text().splitlines()) for path in modules().values() if "versions" not in path.parts}
    assert {path.name: lines for path, lines in counted.items() if lines > LONGEST_FILE} == {}


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    told = function.body[0] if ast.get_docstring(function) else None
    return _span(function) - (_span(told) if told else 0)


def _span(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_function_is_too_long():
    """A function is seen at a glance."""
    wrong = [
        f"{module}.{node.name}: {lines_of(node)}"
        for module, path in modules().items()
        if "versions" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of(node) > LONGEST_FUNCTION
    ]
    assert wrong == []


def test_a_wrong_arrow_would_be_found():
    """The test of the tests: circles, arrows and steps past a face, as somebody might write them."""
    assert circles([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]) == [["a", "b", "c"]]
    assert circles([("a", "b"), ("b", "c")]) == []
    late = ast.parse("def f():\n    from desk.settings import load\nif TYPE_CHECKING:\n    import ui.frame.words")
    assert [target_of(*one) for one in named(late)] == [("desk.settings", "load"), ("ui.frame.words", "")]
    assert stepped_past("ui.new.form", "desk.delivery.job", "new_lead") == "desk.delivery"
    assert stepped_past("ui.new.form", "desk.delivery", "Outbox") is None
    assert stepped_past("desk.delivery.carry", "desk.delivery.job", "new_lead") is None
