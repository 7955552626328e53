"""The description of the API, exact: every line is a promise, and a test plays the description against the product.

Paths and their texts are written here. Shapes are generated: answers from the dataclasses that make them (`answers`), the
refresh from the one that reads it (`amocrm`), a lead from the rules of its fields (`lead_schema`).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue

from desk import lead as lead_rules
from desk.intake.bodies import JSON, MULTIPART, URLENCODED
from desk.web import amocrm, answers, lead_schema
from desk.web.amocrm import SIGNED
from desk.web.lead_schema import Schema, ref
from desk.web.shapes import IDEMPOTENCY_KEY, whole

UNDERSTOOD = (
    " Other names are understood too: those of the common builders and plug-ins, capital letters, Russian labels, names in brackets,"
    " values beside their names, JSON inside a field, and what a form was taught on the page Site forms; docs/intake.md has them."
)

NOT_EMPTY = {"type": "string", "minLength": 1}
WAIT = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}}
WHO = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}
LOCATION = {"Location": {"required": True, "schema": {"type": "string"}}}
PAGE = {"text/html": {"schema": {"type": "string"}}}


@cache
def document() -> Schema:
    """The whole description, OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lead Desk", "version": "1.0", "description": "docs/intake.md tells more of /crm."},
        "servers": [{"url": "/api"}],
        "paths": {
            "/crm": {"post": _accept()},
            "/crm/in/{key}": {"get": _accept_query(), "post": _accept_by_address()},
            "/crm/thanks": {"get": _thanks()},
            "/crm/{lead_id}": {"get": _where()},
            "/amocrm/auth": {"get": _auth()},
            "/amocrm/callback": {"get": _callback(), "post": _refresh()},
            "/amocrm/disabled": {"get": _disabled()},
            "/amocrm/webhook/{secret}": {"post": _webhook()},
        },
        "components": {
            "schemas": {
                "Lead": lead_schema.lead(),
                "LeadForm": lead_schema.lead_form(),
                **_generated(_Read, amocrm.Refresh),
                **_generated(_Sent, *SENT),
                **lead_schema.anything(),
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A form's key, or INTAKE_API_KEY."},
                "admin": {"type": "http", "scheme": "bearer", "description": "ADMIN_API_KEY."},
            },
        },
    }


# Shapes

SENT = (answers.Accepted, answers.Progress, answers.Connection, answers.Consent, answers.Done, answers.Error)


class _Read(GenerateJsonSchema):
    """Schemas of requests: more fields than are named may come along."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # pydantic would make titles of names, which tell nothing

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        return inner | {"type": [inner["type"], "null"]} if "type" in inner else super().nullable_schema(schema)

    def dataclass_schema(self, schema: Any) -> JsonSchemaValue:
        return {key: value for key, value in super().dataclass_schema(schema).items() if key != "title"}


class _Sent(_Read):
    """Schemas of answers: exactly the fields that are named."""

    def dataclass_schema(self, schema: Any) -> JsonSchemaValue:
        return super().dataclass_schema(schema) | {"additionalProperties": False}


def _generated(kind: type[GenerateJsonSchema], *models: type) -> dict[str, Schema]:
    """Generate the schemas of dataclasses and of the dataclasses inside, by name."""
    inputs: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]]
    inputs = [(model.__name__, "validation", TypeAdapter(model)) for model in models]
    _, found = TypeAdapter.json_schemas(inputs, ref_template=ref("{model}")["$ref"], schema_generator=kind)
    return found["$defs"]


def _lead_id() -> Schema:
    return TypeAdapter(answers.Id).json_schema(schema_generator=_Sent)


def _of(model: type) -> Schema:
    return ref(model.__name__)


# /crm


def _accept() -> Schema:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Made by the sender, one for each submission. Repeated with the same content within 48 hours"
        " it gets the first answer and makes no second lead.",
        "schema": {"type": "string", "pattern": whole(IDEMPOTENCY_KEY)},
        "example": "4f1c1f4e-7a55-4f0e-8b0e-6f3d1c9a7e55",
    }
    return {
        "operationId": "accept",
        "summary": "Accept a lead",
        "description": "The lead is on the disk when this answers, and goes to AmoCRM from there. A program on the desk's"
        " own machine needs no key. A plain HTML form is answered with 303, and errors of it with a page, unless it accepts"
        " JSON. A slash at the end of the address changes nothing." + UNDERSTOOD,
        "parameters": [key],
        "requestBody": _bodies(json=lead_schema.EXAMPLE, form=lead_schema.FORM_EXAMPLE),
        "responses": _outcomes(),
        "security": [{}, {"bearer": []}],
    }


def _accept_by_address() -> Schema:
    return {
        "operationId": "accept_by_address",
        "summary": "Accept a lead from a sender that can be told an address and nothing else",
        "description": "The form's key stands in the address, which the form has to allow. Otherwise as POST /crm. Without a body, or"
        " with a builder's `test=test`, it is a look whether the address is right." + UNDERSTOOD,
        "parameters": [_in_path("key", NOT_EMPTY)],
        "requestBody": _bodies(),
        "responses": _outcomes(),
        "security": [{}],
    }


def _accept_query() -> Schema:
    texts = lead_schema.own_texts()
    return {
        "operationId": "accept_query",
        "summary": "The same for a sender that says everything in the address",
        "description": "Without a query it is a look whether the address is right." + UNDERSTOOD,
        "parameters": [
            _in_path("key", NOT_EMPTY),
            *(_in_query(name, schema=texts[name], required=name == "phone") for name in lead_rules.OWN_FIELDS),
        ],
        "responses": _outcomes(),
        "security": [{}],
    }


def _bodies(**examples: Schema) -> Schema:
    """A submission's body in each kind that is read."""
    kinds = ((JSON, "Lead", "json"), (URLENCODED, "LeadForm", "form"), (MULTIPART, "LeadForm", "form"))
    content = {kind: {"schema": ref(name)} for kind, name, _ in kinds}
    for kind, _, example in kinds if examples else ():
        content[kind]["examples"] = {"lead": {"value": examples[example]}}
    return {"required": True, "content": content}


def _outcomes() -> Schema:
    """Every outcome of a submission, by any address."""
    text = {"text/plain": {"schema": {"type": "string"}}, JSON: {"schema": {"type": "object"}}}
    return {
        "200": {
            "description": "Accepted, for a sender that wants this; or the address was tried out.",
            "content": text,
        },
        "202": _json("Accepted, or accepted before.", answers.Accepted),
        "303": {
            "description": "The same, for a plain HTML form: to the form's thank-you page.",
            "headers": LOCATION,
        },
        "400": _problem("The body or the Idempotency-Key is not well formed."),
        "401": _problem("No key, a wrong one, or one that has ended.", WHO),
        "403": _problem(
            "The form is paused, not open to this site or to keys in the address; or no key is set at all."
        ),
        "408": _problem("The body has not come within ten seconds."),
        "409": _problem("This Idempotency-Key came with other content before."),
        "413": _problem("More than 64 KB."),
        "415": _problem("Neither JSON nor an HTML form, or compressed in a way that is not known."),
        "422": _problem("There is no phone, or a field is faulty that the form's owner wants: `errors` names each."),
        "429": _problem("Too many at once.", WAIT),
        "503": _problem("The database is away.", WAIT),
    }


def _thanks() -> Schema:
    return {
        "operationId": "thanks",
        "summary": "The thank-you page of forms that have none of their own",
        "responses": {"200": {"description": "A page.", "content": PAGE}},
    }


def _where() -> Schema:
    return {
        "operationId": "where",
        "summary": "Where an accepted lead is",
        "description": "A key is told of what came through its own form, for 90 days. A form's key stands on a page, so all that it is told"
        " is that it was accepted, also of what was put aside or was the same phone again; `INTAKE_API_KEY` without sites of its own, and"
        " programs on the desk's machine, are told how far it is.",
        "parameters": [_in_path("lead_id", _lead_id())],
        "responses": {
            "200": _json("How far it is.", answers.Progress),
            "401": _error("No key, a wrong one, or one that has ended.", WHO),
            "403": _error("The form is paused or not open to this site; or no key is set at all."),
            "404": _error("No such lead, or another form's."),
            "429": _error("Too many at once.", WAIT),
            "503": _error("The database is away.", WAIT),
        },
        "security": [{}, {"bearer": []}],
    }


# /amocrm


def _auth() -> Schema:
    return {
        "operationId": "auth",
        "summary": "Where to send an admin's browser to connect AmoCRM",
        "responses": {"200": _json("An address, good for 20 minutes.", answers.Consent), **_admins()},
        "security": [{"admin": []}],
    }


def _callback() -> Schema:
    return {
        "operationId": "callback",
        "summary": "AmoCRM's answer in the admin's browser; without a query the connection's status",
        "parameters": [
            _in_query("code", "AmoCRM's authorization code."),
            _in_query("state", "What the connection was begun with."),
            _in_query("referer", "The account's address."),
            _in_query("error", "`access_denied` where access was not allowed."),
        ],
        "responses": {
            "200": _json("Without a query.", answers.Connection),
            "303": {
                "description": "With `code` or `error`: to the page that says what came of it. Needs no key.",
                "headers": LOCATION,
            },
            **_admins(),
        },
        "security": [{}, {"admin": []}],
    }


def _refresh() -> Schema:
    return {
        "operationId": "refresh",
        "summary": "Refresh the connection now",
        "description": "Each refresh spends a token that works once. A second one within five minutes wants `confirm`,"
        " and so does one within ten seconds after one that failed; within ten seconds after a good one none is made.",
        "requestBody": {"required": False, "content": {JSON: {"schema": _of(amocrm.Refresh)}}},
        "responses": {
            "200": _json("Refreshed.", answers.Connection),
            "400": _error("This is not JSON."),
            **_admins(),
            "408": _error("The body has not come within ten seconds."),
            "409": _error("Not connected, or AmoCRM does not let us in."),
            "413": _error("More than 64 KB."),
            "415": _error("JSON is wanted."),
            "422": _error("`refresh_token` is no text, `confirm` is no yes or no, or AmoCRM refused it."),
            "429": _problem("Refreshed, or tried, a short while ago; `confirm` insists.", WAIT),
            "502": _error("AmoCRM cannot be reached, or does not keep its word."),
            "503": _error("Come again later."),
        },
        "security": [{"admin": []}],
    }


def _disabled() -> Schema:
    return {
        "operationId": "disabled",
        "summary": "AmoCRM's signed call that its admin has switched the integration off",
        "parameters": [_in_query(name) for name in SIGNED],
        "responses": {"200": _json("Whatever it was.", answers.Done)},
    }


def _webhook() -> Schema:
    form = {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
    return {
        "operationId": "webhook",
        "summary": "What AmoCRM tells of leads and contacts by itself",
        "description": "AmoCRM is given this address by the desk. What is told is only a hint: the desk fetches those leads"
        " and contacts. A body that is none of AmoCRM's, or too large, is put aside and answered alike.",
        "parameters": [_in_path("secret", NOT_EMPTY)],
        "requestBody": {"required": False, "content": {URLENCODED: form}},
        "responses": {
            "200": _json("On the disk.", answers.Done),
            "404": _error("No such address: the secret is wrong or has ended."),
            "503": _error("The database is away.", WAIT),
        },
    }


# Parts


def _admins() -> Schema:
    return {"401": _error("No key, or a wrong one.", WHO), "403": _error("ADMIN_API_KEY is not set.")}


def _in_path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(name: str, about: str = "", **more: Any) -> Schema:
    return (
        {"name": name, "in": "query", "schema": {"type": "string"}} | ({"description": about} if about else {}) | more
    )


def _json(about: str, model: type, headers: Schema | None = None) -> Schema:
    return {"description": about, "headers": headers or {}, "content": {JSON: {"schema": _of(model)}}}


def _error(about: str, headers: Schema | None = None) -> Schema:
    return _json(about, answers.Error, headers)


def _problem(about: str, headers: Schema | None = None) -> Schema:
    """An error under /crm: JSON, or a page for the sender of a plain HTML form."""
    told = _error(about, headers)
    return told | {"content": told["content"] | PAGE}
