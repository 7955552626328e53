"""The description, played against the product: what it promises holds, and what it does not describe is refused.

What schemathesis makes of it is `described.py`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from desk import lead as lead_rules
from desk import phones
from desk.desk import Desk
from desk.settings import PROJECT
from desk.web.api import build
from desk.web.lead_schema import KEPT
from desk.web.openapi import document
from sandbox.process import Sandbox
from tests.desk.web.conftest import ADMIN, INTAKE, client_of, no_hurry
from tests.support.desks import desk_for
from tests.support.programs import LOCAL_KEY


@pytest.fixture(scope="module")
def connected_desk(shared_box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("described")
    shared_box.reset(leads=60)
    with desk_for(shared_box, folder, ADMIN_API_KEY=ADMIN, INTAKE_API_KEY=INTAKE, LOCAL_KEY=LOCAL_KEY) as desk:
        yield desk


CASES = Path(__file__).with_name("described.py")


@pytest.mark.slow
def test_the_product_is_as_described():
    """Every answer is one of those described; what fits is taken, and what does not is not. The cases: `described.py`."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(CASES)]
    done = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:]


def test_every_route_is_described():
    """Each address and method of the application is in the description, and no other."""
    routes = {
        (route.path, method.lower())
        for route in build(lambda: None).routes
        if isinstance(route, Route) and route.path != "/openapi.json"
        for method in route.methods - {"HEAD", "OPTIONS"}
    }
    assert routes == {(path, method) for path, methods in document()["paths"].items() for method in methods}


def test_only_the_description_costs_pydantic():
    """The server starts without the library that describes it; who asks for the description waits for that once."""
    asked = "import sys, desk.web.routes; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=PROJECT, check=False).returncode == 0


def test_the_limits_are_the_real_ones():
    """Lengths stand in the description as the intake keeps them, and as no limit: nothing but the phone refuses a lead."""
    for name in ("Lead", "LeadForm"):
        fields = document()["components"]["schemas"][name]["properties"]
        assert fields["name"][KEPT] == lead_rules.LONGEST_NAME
        assert fields["direction"][KEPT] == fields["source"][KEPT] == lead_rules.LONGEST_LABEL
        assert fields["message"][KEPT] == lead_rules.LONGEST_MESSAGE
        assert fields["phone"][KEPT] == phones.LONGEST_INPUT
        assert {own for own, field in fields.items() if "format" in field} == set(lead_rules.OWN_FIELDS)
        assert [own for own, field in fields.items() if "maxLength" in field] == []


@pytest.mark.parametrize("more", [
    {"message": "м" * (lead_rules.LONGEST_MESSAGE + 1)}, {"name": "И" * (lead_rules.LONGEST_NAME + 1)}, {"direction": "й" * (lead_rules.LONGEST_LABEL + 1)},
    {"source": ["а"] * 200}, {"name": {"a": 1}}, {"message": 5}, {"direction": None}, {"phone": "8 999 123-45-67" + " " * phones.LONGEST_INPUT},
    {"phone": 79991234567}, {"phone": ["8 999 123-45-67"]},
], ids=lambda more: str(more)[:24])  # fmt: skip
def test_what_is_longer_is_taken(connected_desk, more):
    """As the description says: what does not fit a field costs no lead."""
    client = client_of(connected_desk, pace=no_hurry())
    assert client.post("/api/crm", json={"phone": "+7 999 123-45-67", **more}).status_code == 202


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_the_examples_work(connected_desk, kind):
    """Whoever copies an example gets a lead."""
    content = document()["paths"]["/crm"]["post"]["requestBody"]["content"]
    example = content[kind]["examples"]["lead"]["value"]
    client = client_of(connected_desk, pace=no_hurry())
    if kind == "application/json":
        assert client.post("/api/crm", json=example).status_code == 202
    else:
        data = {name: value for name, value in example.items() if name != "key"}
        files = {"x": ("", b"")} if kind.startswith("multipart") else None
        assert client.post("/api/crm", data=data, files=files).status_code == 303
