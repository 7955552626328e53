"""What the documentation says exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crm.connection.decisions import FATAL
from desk.__main__ import parser
from desk.desk import Desk
from desk.intake import KEY, snippet, tracking
from desk.intake.signs import CONSENT, CONSENT_VERSION, FILL_MS, TRAP
from desk.lead import OWN_FIELDS
from desk.settings import PROJECT
from desk.web.refused import STATUS_OF_SUBMISSION
from desk.web.routes import routes
from desk.words import words

PAGES = [*sorted(PROJECT.glob("*.md")), *sorted(PROJECT.glob("docs/*.md"))]
FOR_BROWSERS = ("/connection/start", "/enter")
"""Addresses that a page or the console leads a browser to."""

READMES = [PROJECT / "README.md", PROJECT / "README.ru.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path):
    """A link to a file of the repository names one that is there."""
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_file_and_test_exists(page: Path):
    """Files, tests and make targets that a page names are there."""
    text = page.read_text()
    files = re.findall(r"`((?:tests|crm|desk|store|ui|pages|sandbox|benchmarks|scripts|locales)/[\w./]+\.\w+)`", text)
    assert [name for name in files if not (PROJECT / name).exists()] == []
    tests = set(re.findall(r"`(test_\w+)`", text))
    written = "\n".join(path.read_text() for path in PROJECT.glob("tests/**/*.py"))
    assert [name for name in tests if f"def {name}(" not in written] == []
    makefile = (PROJECT / "Makefile").read_text()
    assert [name for name in re.findall(r"`make (\w+)`", text) if f"\n{name}:" not in makefile] == []


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_readmes_commands_exist(page: Path):
    """Each `python -m desk …` of a README is one the command line takes."""
    commands = re.findall(r"python -m desk ([\w -]+?)(?:`|\s+#|\n)", page.read_text())
    assert commands
    for command in commands:
        parser().parse_args(command.split())


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_readmes_name_every_address(page: Path):
    """The addresses the server serves to programs stand in both READMEs."""
    from desk.web.openapi import document

    text = page.read_text()
    paths = {f"/api{path}" for path in document()["paths"]} | {
        route.path for route in routes(Desk) if hasattr(route, "endpoint") and not route.path.startswith(FOR_BROWSERS)
    }
    assert [path for path in sorted(paths) if path not in text and re.sub(r"\{\w+\}", "{id}", path) not in text] == []


def test_every_failure_of_the_connection_is_explained():
    """docs/connection.md says whose turn it is after each failure that a person has to mend."""
    text = (PROJECT / "docs" / "connection.md").read_text()
    assert [code for code in sorted(FATAL) if f"`{code}`" not in text] == []


def test_the_intake_is_documented():
    """docs/intake.md has the snippet as the page shows it, every field and every reason to be refused."""
    text = (PROJECT / "docs" / "intake.md").read_text()
    assert [block for block in _snippet_parts() if f"```html\n{block}```" not in text] == []
    names = {*OWN_FIELDS, *tracking.NAMES, tracking.PAGE, CONSENT, CONSENT_VERSION, FILL_MS, TRAP, KEY}
    codes = {*STATUS_OF_SUBMISSION, "too_many_requests", "database_unreachable"}
    assert [name for name in sorted(names | codes) if f"`{name}`" not in text] == []


def _snippet_parts() -> list[str]:
    say, url = words("en"), "https://desk.example.com"
    form = snippet.plain(say, url)
    return [form, snippet.scripted(say, url).removeprefix(form)]
