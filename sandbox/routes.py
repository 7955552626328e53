"""The table of addresses: the answering function of each, and whether a token is needed.

An address that exists for another method only is 405 with an empty body; one that does not exist at all is a JSON
404 below `/api` and AmoCRM's own page elsewhere (sheet 4.3, L).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import compile_path

from sandbox import screens
from sandbox.answers import Answer
from sandbox.api import (
    account,
    card_reading,
    card_writing,
    contacts,
    custom_fields,
    deletion,
    events,
    field_groups,
    links,
    loss_reasons,
    notes,
    pipelines,
    sources,
    tags,
    tasks,
    unsorted,
    webhooks,
)
from sandbox.api import complex as complex_leads
from sandbox.call import Call
from sandbox.oauth import consent, endpoint
from sandbox.store.schema import CARDS

Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """One address. `fixed`: parameters the address implies; `prepare`: slow outside work done before the database is held."""

    path: str
    methods: Mapping[str, Handler]
    open: bool = False
    """Whether the address is answered without a Bearer token."""
    fixed: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[Call], None] | None = None

    def __post_init__(self) -> None:
        regex, _, convertors = compile_path(self.path)
        object.__setattr__(self, "_regex", regex)
        object.__setattr__(self, "_convertors", convertors)

    def match(self, path: str) -> dict[str, Any] | None:
        """The parameters of a path that is this address."""
        found = self._regex.match(path)  # type: ignore[attr-defined]
        if found is None:
            return None
        convertors = self._convertors  # type: ignore[attr-defined]
        given = {name: convertors[name].convert(text) for name, text in found.groupdict().items()}
        return self.fixed | {name: _bounded(value) for name, value in given.items()}


def _bounded(value: Any) -> Any:
    """No id is so great that SQLite cannot compare the number."""
    return min(value, 2**62) if isinstance(value, int) else value


def _cards(kind: str) -> Iterator[Route]:
    """The routes common to leads, contacts and companies."""
    base, fixed = f"/api/v4/{kind}", {"kind": kind}
    for path, methods in {
        "": {"GET": card_reading.read_list, "POST": card_writing.create, "PATCH": card_writing.update},
        "/{id:int}": {"GET": card_reading.read_one, "PATCH": card_writing.update_single},
        "/{id:int}/links": {"GET": links.read_of_card},
        "/{id:int}/link": {"POST": links.link_to_card},
        "/{id:int}/unlink": {"POST": links.unlink_from_card},
        "/links": {"GET": links.read_mass},
        "/link": {"POST": links.link_to_card},
        "/unlink": {"POST": links.unlink_from_card},
        "/tags": {"GET": tags.read_list, "POST": tags.create},
        "/custom_fields": {
            "GET": custom_fields.read_list,
            "POST": custom_fields.create,
            "PATCH": custom_fields.update_list,
        },
        "/custom_fields/{id:int}": {
            "GET": custom_fields.read_one,
            "PATCH": custom_fields.update_one,
            "DELETE": custom_fields.delete,
        },
        "/custom_fields/groups": {"GET": field_groups.read_list, "POST": field_groups.create},
        "/custom_fields/groups/{group}": {
            "GET": field_groups.read_one,
            "PATCH": field_groups.update,
            "DELETE": field_groups.delete,
        },
        "/notes": {"GET": notes.read_list, "POST": notes.create, "PATCH": notes.update},
        "/{id:int}/notes": {"GET": notes.read_list, "POST": notes.create, "PATCH": notes.update},
        "/notes/{note_id:int}": {"GET": notes.read_one, "PATCH": notes.update_single},
        "/{id:int}/notes/{note_id:int}": {"GET": notes.read_one, "PATCH": notes.update_single},
        "/notes/{note_id:int}/pin": {"POST": notes.pin},
        "/notes/{note_id:int}/unpin": {"POST": notes.pin},
    }.items():
        yield Route(base + path, methods, fixed=fixed)
    yield Route(f"/{kind}/detail/{{id:int}}", {"GET": screens.card}, open=True, fixed=fixed)
    yield Route(f"/ajax/{kind}/multiple/delete/", {"POST": deletion.delete_cards}, fixed=fixed)


_PIPELINE = "/api/v4/leads/pipelines/{id:int}"
_UNSORTED = "/api/v4/leads/unsorted"

ROUTES: tuple[Route, ...] = (
    Route("/", {"GET": screens.start}, open=True),
    Route("/oauth", {"GET": consent.page, "POST": consent.decide}, open=True),
    Route("/oauth2/access_token", {"POST": endpoint.access_token}, open=True),
    Route("/oauth2/exchange_api_key", {"POST": endpoint.exchange_api_key}, open=True),
    Route("/oauth2/account/subdomain", {"GET": endpoint.domain_by_access_token}, open=True),
    Route("/oauth2/account/current/subdomain", {"GET": endpoint.domain_by_refresh_token}, open=True),
    Route("/api/v4/account", {"GET": account.read}),
    Route("/api/v4/customers", dict.fromkeys(("GET", "POST", "PATCH"), account.feature_off)),
    Route("/api/v4/customers/{rest:path}", dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), account.feature_off)),
    Route("/api/v4/users", {"GET": account.read_users, "POST": account.add_users}),
    Route("/api/v4/users/activate", {"POST": account.activate}),
    Route("/api/v4/users/deactivate", {"POST": account.deactivate}),
    Route("/api/v4/users/{id:int}", {"GET": account.read_user}),
    Route("/api/v4/leads/complex", {"POST": complex_leads.create}),
    Route(
        "/api/v4/leads/loss_reasons",
        {"GET": loss_reasons.read_list, "POST": loss_reasons.create, "PATCH": loss_reasons.update},
    ),
    Route(
        "/api/v4/leads/loss_reasons/{id:int}",
        {"GET": loss_reasons.read_one, "PATCH": loss_reasons.update_one, "DELETE": loss_reasons.delete},
    ),
    Route("/api/v4/leads/pipelines", {"GET": pipelines.read_list, "POST": pipelines.create}),
    Route(_PIPELINE, {"GET": pipelines.read_one, "PATCH": pipelines.update, "DELETE": pipelines.delete}),
    Route(f"{_PIPELINE}/statuses", {"GET": pipelines.read_statuses, "POST": pipelines.create_statuses}),
    Route(
        f"{_PIPELINE}/statuses/{{status_id:int}}",
        {"GET": pipelines.read_status, "PATCH": pipelines.update_status, "DELETE": pipelines.delete_status},
    ),
    Route(_UNSORTED, {"GET": unsorted.read_list}),
    Route(f"{_UNSORTED}/summary", {"GET": unsorted.summary}),
    Route(f"{_UNSORTED}/forms", {"POST": unsorted.create}, fixed={"category": "forms"}),
    Route(f"{_UNSORTED}/sip", {"POST": unsorted.create}, fixed={"category": "sip"}),
    Route(f"{_UNSORTED}/{{uid}}", {"GET": unsorted.read_one}),
    Route(f"{_UNSORTED}/{{uid}}/accept", {"POST": unsorted.accept}),
    Route(f"{_UNSORTED}/{{uid}}/decline", {"DELETE": unsorted.decline}),
    Route(f"{_UNSORTED}/{{uid}}/link", {"POST": unsorted.link}),
    Route("/api/v4/contacts/chats", {"GET": contacts.read_chats, "POST": contacts.link_chats}),
    *(route for kind in CARDS for route in _cards(kind)),
    Route("/api/v4/calls", {"POST": notes.add_calls}),
    Route("/api/v4/tasks", {"GET": tasks.read_list, "POST": tasks.create, "PATCH": tasks.update}),
    Route("/api/v4/tasks/{id:int}", {"GET": tasks.read_one, "PATCH": tasks.update_single, "DELETE": tasks.delete}),
    Route("/api/v4/events", {"GET": events.read_list}),
    Route("/api/v4/events/types", {"GET": events.read_types}),
    Route("/api/v4/events/{event_id}", {"GET": events.read_one}),
    Route(
        "/api/v4/webhooks",
        {"GET": webhooks.read_list, "POST": webhooks.subscribe, "DELETE": webhooks.unsubscribe},
        prepare=webhooks.look_up_destination,
    ),
    Route(
        "/api/v4/sources",
        {"GET": sources.read_list, "POST": sources.create, "PATCH": sources.update, "DELETE": sources.delete},
    ),
    Route(
        "/api/v4/sources/{id:int}",
        {"GET": sources.read_one, "PATCH": sources.update_one, "DELETE": sources.delete_one},
    ),
    Route("/private/notes/edit2.php", {"POST": deletion.delete_note_or_task}),
)


def plain_path(path: str) -> str:
    """The path for looking a route up: without the slash some clients put behind `/oauth…`, or double in front."""
    if path.startswith("//"):
        path = path[1:]
    return path.rstrip("/") if path.startswith("/oauth") else path


def find(method: str, path: str) -> tuple[Route | None, dict[str, Any], set[str]]:
    """(the route, its parameters, methods the address has) for a request; no route if the method is none of these."""
    allowed: set[str] = set()
    for route in ROUTES:
        parameters = route.match(path)
        if parameters is not None:
            if method in route.methods or (method == "HEAD" and "GET" in route.methods):
                return route, parameters, set(route.methods)
            allowed |= set(route.methods)
    return None, {}, allowed
