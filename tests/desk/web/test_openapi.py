"""The description, played against the product: what it promises holds, and what it does not describe is refused.

schemathesis makes requests that fit the description and requests that do not, with all its checks on. The desk is
connected to a sandbox and the caller comes from elsewhere with the right keys.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import negative_data_rejection
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from desk import lead as lead_rules
from desk import phones
from desk.desk import Desk
from desk.intake.form_draft import FormDraft, ways_of
from desk.settings import PROJECT
from desk.web.api import build
from desk.web.lead_schema import KEPT
from desk.web.openapi import document
from sandbox.process import Sandbox
from tests.desk.web.conftest import ADMIN, INTAKE, client_of, no_hurry
from tests.support.desks import desk_for
from tests.support.programs import LOCAL_KEY

EXAMPLES = 500 if os.environ.get("DESK_SOAK") else 40
"""Made for each address and method, besides the description's own and those at its limits."""

WORDS = st.text(st.characters(categories=["L", "M", "N"], include_characters=" .,-()"), max_size=40)
NAMES = st.builds("{}{}".format, st.characters(categories=["Lu", "Ll", "Lo"]), WORDS)
PHONES = st.one_of(
    st.from_regex(r"(\+7|8)[ ]?\(?9[0-9]{2}\)?[ ]?[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2}", fullmatch=True),
    st.sampled_from(["+380 44 537 02 22", "+1 212 736 5000", "8 495 123-45-67 доб. 12", "８９９９１２３４５６７"]),
)
FORMATS = {
    "lead-name": NAMES,
    "lead-phone": PHONES,
    "lead-label": st.one_of(st.just(""), NAMES),
    "lead-message": st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), max_size=200),
}
"""Texts that fit the description's own formats, which JSON Schema has no words for."""

for name, strategy in FORMATS.items():
    schemathesis.openapi.format(name, strategy)


numbers = itertools.count()

opened: list[Desk] = []
"""The desk the application below serves: schemathesis wants the application before there are fixtures."""

api = build(lambda: opened[-1], no_hurry())


async def served(scope: Scope, receive: Receive, send: Send) -> None:
    """The application at /api, as the server has it; a mount would not pass on an address with a line break in it."""
    await api(scope if scope["type"] == "lifespan" else {**scope, "root_path": "/api"}, receive, send)


BY_ADDRESS = "/crm/in/{key}"
address_keys: list[str] = []
"""Of a form whose key may stand in the address; the newest desk's is the last."""

schema = schemathesis.openapi.from_asgi("/api/openapi.json", served)


@pytest.fixture(scope="module")
def connected_desk(shared_box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("described")
    shared_box.clear_faults()
    shared_box.reset(leads=60)
    with desk_for(shared_box, folder, ADMIN_API_KEY=ADMIN, INTAKE_API_KEY=INTAKE, LOCAL_KEY=LOCAL_KEY) as desk:
        opened.append(desk)
        form = desk.intake.forms.add(FormDraft("Вебхук", **ways_of("webhook")))
        address_keys.append(desk.intake.forms.new_key(form.id))
        yield desk


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_product_is_as_described(case, connected_desk):
    """Every answer is one of those described, in status, headers and content; what fits is taken, and what does not is not.

    But for the leads: there more is understood than is described (other names, other types), so that what does not fit may well be taken.
    """
    key = ADMIN if case.operation.path.startswith("/amocrm") else INTAKE
    if case.meta.generation.mode.is_positive and (given := case.headers.get("Idempotency-Key")):
        # Never the same one twice: a conflict with an earlier case would hide whether this one is taken.
        case.headers["Idempotency-Key"] = f"{given[:240]}{next(numbers)}"
    if case.operation.path == BY_ADDRESS and case.meta.generation.mode.is_positive:
        case.path_parameters["key"] = address_keys[-1]
    excluded = [negative_data_rejection] if case.operation.path.startswith("/crm") else []
    case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, excluded_checks=excluded)


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
