"""What is installed: every package of the whole tree in one version, known by its content."""

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

from desk.settings import PROJECT

ROOMS = ("crm", "desk", "store", "wire", "ui", "pages", "sandbox")

PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;]+)", re.MULTILINE)


def name_of(text):
    return re.sub(r"[-_.]+", "-", text).lower()


def pinned(path):
    return {name_of(name): version for name, version in PINNED.findall(Path(PROJECT, path).read_text())}


def packages(lock):
    """The entries of a lock file: its first line and the hashes below it."""
    return re.split(r"\n(?=\S)", Path(PROJECT, lock).read_text().strip())


@pytest.mark.parametrize("kind", ["", "-dev"])
def test_the_lock_holds_what_was_chosen(kind):
    """Each line of requirements.txt stands in the lock beside it in the same version: `make lock` was run after a change."""
    locked = pinned(f"requirements{kind}.lock").items()
    assert pinned(f"requirements{kind}.txt").items() <= locked
    assert pinned("requirements.txt").items() <= locked


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_each_package_is_known_by_its_content(lock):
    """No entry is without a version and a hash, and nothing comes from an address of its own."""
    for entry in packages(lock):
        assert PINNED.match(entry), entry
        assert "--hash=sha256:" in entry, entry
        assert "://" not in entry


def test_both_locks_are_one_tree():
    """What the tests run with is what runs."""
    assert pinned("requirements.lock").items() <= pinned("requirements-dev.lock").items()


def test_only_hashed_packages_are_installed():
    """`make run` and `make test` ask for the hashes, and for wheels: none runs code of its own to be installed."""
    made = Path(PROJECT, "Makefile").read_text()
    assert "HASHED := --require-hashes --only-binary :all:" in made
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert f"$(HASHED) -r {lock}" in made
    assert re.findall(r"-r requirements[\w-]*\.txt", made) == []


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_everything_imported_was_chosen():
    """Each library the product imports stands in requirements.txt, and is not left to come along with another."""
    files = [PROJECT / "dashboard.py", *(path for room in ROOMS for path in sorted((PROJECT / room).rglob("*.py")))]
    ours = {*ROOMS, "dashboard"}
    modules = {name for path in files for name in imported(path)} - ours - sys.stdlib_module_names
    distributions = metadata.packages_distributions()
    chosen = pinned("requirements.txt").keys()
    assert [name for name in sorted(modules) if not chosen & {name_of(one) for one in distributions[name]}] == []
