"""docs/sandbox.md names everything there is."""

from __future__ import annotations

import json
import re

import pytest

from sandbox.__main__ import parser
from sandbox.config import NAMES
from sandbox.control import TABLE
from sandbox.control.people import ACTIONS as EDITS
from sandbox.faults import ACTIONS, GARBAGE, MATCHES, OPTIONS
from sandbox.options import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_REDIRECT_URI, SECRET_VARIABLE
from sandbox.process import ROOT, Sandbox

PAGE = (ROOT / "docs" / "sandbox.md").read_text()
OPTION_STRINGS = [string for action in parser()._actions for string in action.option_strings if string.startswith("--")]


@pytest.mark.parametrize(
    "name",
    [
        *NAMES,
        *(option for option in OPTION_STRINGS if option != "--help"),
        *ACTIONS,
        *GARBAGE,
        *MATCHES,
        *OPTIONS,
        *EDITS,
        SECRET_VARIABLE,
        DEFAULT_CLIENT_SECRET,
    ],
)
def test_every_name_is_explained(name: str) -> None:
    """Each switch, option, fault and deed stands in the page, in the form one types it."""
    assert re.search(rf"[`\"]{re.escape(name)}[`\"]", PAGE), name


@pytest.mark.parametrize(("method", "path"), sorted(TABLE))
def test_every_control_route_has_its_line(method: str, path: str) -> None:
    """Each control request is in the table."""
    assert re.search(rf"`{method}[^|]*/_sandbox/{re.escape(path)}", PAGE), (method, path)


def test_defaults_are_as_said() -> None:
    """The constants in the page are the program's."""
    assert DEFAULT_CLIENT_ID in PAGE
    assert DEFAULT_REDIRECT_URI in PAGE


def test_control_examples_work(box: Sandbox) -> None:
    """Every example of a control request with a body is accepted by a running sandbox."""
    examples = re.findall(r"curl -s -X (POST|PATCH) \$BOX/_sandbox/([\w/]+)(?: -d '([^']*)')?", PAGE)
    assert len(examples) > 12
    lead = str(box.entities("leads", limit=1)[0]["id"])
    for method, path, body in examples:
        data = json.loads((body or "{}").replace("38473001", lead))
        if path == "reset":
            data["leads"] = 5
        if "hook_url" in data:
            data["hook_url"] = "http://127.0.0.1:9/x"
        box.control(method, path, data)
        lead = str(box.entities("leads", limit=1)[0]["id"])
