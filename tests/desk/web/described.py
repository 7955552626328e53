"""Cases for `test_openapi`, which runs this file by itself: schemathesis makes hundreds of requests as it collects them, once is enough.

It makes requests that fit the description and requests that do not, with all its checks on. The desk is connected to a
sandbox and the caller comes from elsewhere with the right keys.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import negative_data_rejection
from starlette.types import Receive, Scope, Send

from desk.desk import Desk
from desk.intake.form_draft import FormDraft, ways_of
from desk.web.api import build
from sandbox.process import Sandbox
from tests.desk.web.conftest import ADMIN, INTAKE, no_hurry
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
    shared_box.reset(leads=60)
    with desk_for(shared_box, folder, ADMIN_API_KEY=ADMIN, INTAKE_API_KEY=INTAKE, LOCAL_KEY=LOCAL_KEY) as desk:
        opened.append(desk)
        form = desk.intake.forms.add(FormDraft("Вебхук", **ways_of("webhook")))
        address_keys.append(desk.intake.forms.new_key(form.id))
        yield desk


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
