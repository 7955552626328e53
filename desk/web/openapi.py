"""The description of the API, exact: what is in it is promised, and a test plays it against the product.

Written out rather than derived, because what comes in is judged by `desk.lead` and `desk.intake` and by no model of
FastAPI's. A text that JSON Schema cannot describe (a phone, a name) has a `format` of our own, explained in words.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from desk import lead as lead_rules
from desk import phones
from desk.intake import KEY, tracking
from desk.intake.bodies import JSON, MULTIPART, URLENCODED
from desk.intake.signs import CONSENT, CONSENT_VERSION, FILL_MS, LONGEST_VERSION, TRAP

Schema = dict[str, Any]

DESCRIBED_DEPTH = 3
"""Levels of lists and objects that are described. More are read as well; a schema that named itself could not be played."""

ID = {"type": "string", "pattern": "^[0-9a-f]{32}$", "examples": ["5c2c7d1f4b7e4a0f9a1d6f0b2c3d4e5f"]}
MOMENT = {"type": "string", "format": "date-time", "examples": ["2026-03-08T09:30:15.250000+00:00"]}

NAME = "A name. Missing, a dash or a number: a lead without a name."
LABEL = "One line. What cannot stay in it (markup, what is too long) goes into the note as it was said."
PHONE = "A phone as people write it: 8…, +7…, brackets, words, an extension; other countries with their +code. The only thing wanted."
MESSAGE = "Free text."

KEPT = "x-kept-characters"
"""How much of a text its field keeps. Of a phone: how much of it is looked at."""

LOOKED_AT = (
    f"The first {phones.LONGEST_INPUT} characters are looked at. A number of JSON is read too, and a list of several."
)

UNDERSTOOD = (
    " Other names are understood too: those of the common builders and plug-ins, capital letters, Russian labels, names in brackets,"
    " values beside their names, JSON inside a field, and what a form was taught on the page Site forms; docs/intake.md has them."
)

KEY_IN_PATH = {"name": "key", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}

EXAMPLE = {
    "name": "Иван Иванов",
    "phone": "+7 (999) 123-45-67",
    "direction": "Йога",
    "message": "Хочу записаться на тренировку",
    "utm_source": "yandex",
    "page": "https://fit.example/yoga?utm_campaign=spring",
    "consent": True,
    "consent_version": "2026-01",
}


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
                "Lead": _lead(),
                "LeadForm": _lead_form(),
                "Accepted": _accepted(),
                "Progress": _progress(),
                "Connection": _connection(),
                "Error": _error(),
                **_anything(),
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A form's key, or INTAKE_API_KEY."},
                "admin": {"type": "http", "scheme": "bearer", "description": "ADMIN_API_KEY."},
            },
        },
    }


# /crm


def _accept() -> Schema:
    kinds = {JSON: "Lead", URLENCODED: "LeadForm", MULTIPART: "LeadForm"}
    form = {name: value for name, value in EXAMPLE.items() if name != "consent"} | {"consent": "on", "key": "desk_…"}
    examples = {JSON: EXAMPLE, URLENCODED: form, MULTIPART: form}
    return {
        "operationId": "accept",
        "summary": "Accept a lead",
        "description": "The lead is on the disk when this answers, and goes to AmoCRM from there. A program on the desk's"
        " own machine needs no key. A plain HTML form is answered with 303, and errors of it with a page, unless it accepts"
        " JSON. A slash at the end of the address changes nothing." + UNDERSTOOD,
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Made by the sender, one for each submission. Repeated with the same content within 48 hours"
                " it gets the first answer and makes no second lead.",
                "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
                "example": "4f1c1f4e-7a55-4f0e-8b0e-6f3d1c9a7e55",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": _ref(name), "examples": {"lead": {"value": examples[kind]}}}
                for kind, name in kinds.items()
            },
        },
        "responses": _outcomes(),
        "security": [{}, {"bearer": []}],
    }


def _accept_by_address() -> Schema:
    kinds = {JSON: "Lead", URLENCODED: "LeadForm", MULTIPART: "LeadForm"}
    return {
        "operationId": "accept_by_address",
        "summary": "Accept a lead from a sender that can be told an address and nothing else",
        "description": "The form's key stands in the address, which the form has to allow. Otherwise as POST /crm. Without a body, or"
        " with a builder's `test=test`, it is a look whether the address is right." + UNDERSTOOD,
        "parameters": [KEY_IN_PATH],
        "requestBody": {"required": True, "content": {kind: {"schema": _ref(name)} for kind, name in kinds.items()}},
        "responses": _outcomes(),
        "security": [{}],
    }


def _accept_query() -> Schema:
    texts = {name: schema for name, schema in _lead_form()["properties"].items() if name in lead_rules.OWN_FIELDS}
    return {
        "operationId": "accept_query",
        "summary": "The same for a sender that says everything in the address",
        "description": "Without a query it is a look whether the address is right." + UNDERSTOOD,
        "parameters": [
            KEY_IN_PATH,
            *(
                {"name": name, "in": "query", "required": name == "phone", "schema": schema}
                for name, schema in texts.items()
            ),
        ],
        "responses": _outcomes(),
        "security": [{}],
    }


def _outcomes() -> Schema:
    """What may become of a submission, wherever it came in."""
    text = {"text/plain": {"schema": {"type": "string"}}, JSON: {"schema": {"type": "object"}}}
    return {
        "200": {
            "description": "Accepted, for a sender that wants this; or the address was tried out.",
            "content": text,
        },
        "202": _json("Accepted, or accepted before.", _ref("Accepted")),
        "303": {
            "description": "The same, for a plain HTML form: to the form's thank-you page.",
            "headers": {"Location": {"required": True, "schema": {"type": "string"}}},
        },
        "400": _problem("The body or the Idempotency-Key is not well formed."),
        "401": _problem("No key, a wrong one, or one that has ended.", **_header("WWW-Authenticate")),
        "403": _problem(
            "The form is paused, not open to this site or to keys in the address; or no key is set at all."
        ),
        "408": _problem("The body has not come within ten seconds."),
        "409": _problem("This Idempotency-Key came with other content before."),
        "413": _problem("More than 64 KB."),
        "415": _problem("Neither JSON nor an HTML form, or compressed in a way that is not known."),
        "422": _problem("There is no phone, or a field is faulty that the form's owner wants: `errors` names each."),
        **_busy(),
    }


def _thanks() -> Schema:
    return {
        "operationId": "thanks",
        "summary": "The thank-you page of forms that have none of their own",
        "responses": {"200": {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}},
    }


def _where() -> Schema:
    return {
        "operationId": "where",
        "summary": "Where an accepted lead is",
        "description": "A key is told of what came through its own form, for 90 days. A form's key stands on a page, so all that it is told"
        " is that it was accepted, also of what was put aside or was the same phone again; `INTAKE_API_KEY` without sites of its own, and"
        " programs on the desk's machine, are told how far it is.",
        "parameters": [{"name": "lead_id", "in": "path", "required": True, "schema": ID}],
        "responses": {
            "200": _json("How far it is.", _ref("Progress")),
            "401": _json("No key, a wrong one, or one that has ended.", _ref("Error"), **_header("WWW-Authenticate")),
            "403": _json("The form is paused or not open to this site; or no key is set at all.", _ref("Error")),
            "404": _json("No such lead, or another form's.", _ref("Error")),
            **{
                status: _json(answer["description"], _ref("Error"), **answer["headers"])
                for status, answer in _busy().items()
            },
        },
        "security": [{}, {"bearer": []}],
    }


def _lead() -> Schema:
    """The body as JSON."""
    optional = {"type": ["string", "null"], "default": ""}
    texts = {
        "name": _text(lead_rules.LONGEST_NAME, "lead-name", NAME) | optional,
        "phone": _text(phones.LONGEST_INPUT, "lead-phone", PHONE, minLength=1)
        | {"description": f"{PHONE} {LOOKED_AT}"},
        "direction": _text(lead_rules.LONGEST_LABEL, "lead-label", LABEL) | optional,
        "source": _text(lead_rules.LONGEST_LABEL, "lead-label", f"{LABEL} Unset: the form's own.") | optional,
        "message": _text(lead_rules.LONGEST_MESSAGE, "lead-message", MESSAGE) | optional,
    }
    return {
        "type": "object",
        "required": ["phone"],
        "properties": texts | {name: _welcome(about) for name, about in _welcomed().items()},
        "additionalProperties": _ref(_level(DESCRIBED_DEPTH - 1)),
        "example": EXAMPLE,
    }


def _lead_form() -> Schema:
    """The body as an HTML form sends it: the same, all of it text."""
    texts = {
        name: {key: value for key, value in schema.items() if key != "default"} | {"type": "string"}
        for name, schema in _lead()["properties"].items()
        if "format" in schema
    }
    welcomed = {name: {"type": "string", "description": about} for name, about in _welcomed().items()}
    return {
        "type": "object",
        "required": ["phone"],
        "properties": texts | welcomed,
        "additionalProperties": {"type": "string"},
    }


def _welcomed() -> dict[str, str]:
    """What is taken where it makes sense and never a reason to refuse a lead."""
    cut = f"Cut at {tracking.LONGEST} characters; what is no text is left out."
    return {
        **{name: f"AmoCRM's tracking field {name.upper()}. {cut}" for name in tracking.NAMES},
        tracking.PAGE: "The landing page's address. Marks in its query count where they are not given by themselves.",
        CONSENT: 'Consent to the processing of personal data: true, "on", "yes" or "1". Anything else is none.',
        CONSENT_VERSION: f"Which text was consented to. Cut at {LONGEST_VERSION} characters.",
        FILL_MS: "Milliseconds from the form's appearing to its sending.",
        TRAP: "Leave it empty: who fills it in is taken for a program.",
        KEY: "The form's key, where no Authorization header can be sent.",
    }


def _welcome(about: str) -> Schema:
    return _ref(_level(DESCRIBED_DEPTH - 1)) | {"description": about}


def _text(longest: int, kind: str, about: str, **more: Any) -> Schema:
    """A text of any length. `longest`: characters of it that the field keeps; no limit of JSON Schema's, because more is taken."""
    kept = f"{about} The field keeps {longest:,} characters; a longer text, or what is none, goes into the note as it was said."
    return {"type": "string", KEPT: longest, "format": kind, "description": kept, **more}


def _anything() -> dict[str, Schema]:
    """Any JSON, as deep as is described."""
    plain: Schema = {"type": ["string", "number", "boolean", "null"]}
    levels = {_level(0): plain}
    for depth in range(1, DESCRIBED_DEPTH):
        inner = _ref(_level(depth - 1))
        nested = [{"type": "array", "items": inner}, {"type": "object", "additionalProperties": inner}]
        levels[_level(depth)] = {"anyOf": [plain, *nested]}
    return levels


def _level(depth: int) -> str:
    return f"Anything{depth}"


def _accepted() -> Schema:
    address = {"type": "string", "format": "uri", "description": "Ask here how far it is."}
    return _object({"id": ID, "status": {"const": "accepted"}, "status_url": address})


def _progress() -> Schema:
    return _object(
        {
            "id": ID,
            "status": {
                "type": "string",
                "description": "`delivered` is in AmoCRM. A form's key is told `queued` or `delivered`, of what was put aside too.",
                "examples": ["queued", "delivered"],
            },
            "accepted_at": MOMENT,
            "settled_at": MOMENT | {"type": ["string", "null"]},
            "reason": {"type": ["string", "null"], "description": "Why it waits or was refused: an error code."},
            "amocrm_lead_id": {"type": ["integer", "null"], "description": "Told to programs alone."},
            "attempts": {"type": "integer", "minimum": 0},
        }
    )


# /amocrm


def _auth() -> Schema:
    address = {"type": "string", "format": "uri"}
    return {
        "operationId": "auth",
        "summary": "Where to send an admin's browser to connect AmoCRM",
        "responses": {"200": _json("An address, good for 20 minutes.", _object({"auth_url": address})), **_admins()},
        "security": [{"admin": []}],
    }


def _callback() -> Schema:
    query = {
        "code": "AmoCRM's authorization code.",
        "state": "What the connection was begun with.",
        "referer": "The account's address.",
        "error": "`access_denied` where access was not allowed.",
    }
    return {
        "operationId": "callback",
        "summary": "AmoCRM's answer in the admin's browser; without a query the connection's status",
        "parameters": [
            {"name": name, "in": "query", "description": about, "schema": {"type": "string"}}
            for name, about in query.items()
        ],
        "responses": {
            "200": _json("Without a query.", _ref("Connection")),
            "303": {
                "description": "With `code` or `error`: to the page that says what came of it. Needs no key.",
                "headers": {"Location": {"required": True, "schema": {"type": "string"}}},
            },
            **_admins(),
        },
        "security": [{}, {"admin": []}],
    }


def _refresh() -> Schema:
    token = {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": 4096,
        "pattern": "^[\\x00-\\x7f]*$",
        "description": "A refresh token to spend instead of the stored one.",
    }
    confirm = {
        "type": "boolean",
        "description": "Refresh although the stored token was renewed, or tried in vain, a short while ago.",
    }
    wait = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}}
    return {
        "operationId": "refresh",
        "summary": "Refresh the connection now",
        "description": "Each refresh spends a token that works once. A second one within five minutes wants `confirm`,"
        " and so does one within ten seconds after one that failed; within ten seconds after a good one none is made.",
        "requestBody": {
            "required": False,
            "content": {
                JSON: {"schema": {"type": "object", "properties": {"refresh_token": token, "confirm": confirm}}}
            },
        },
        "responses": {
            "200": _json("Refreshed.", _ref("Connection")),
            "400": _json("This is not JSON.", _ref("Error")),
            **_admins(),
            "408": _json("The body has not come within ten seconds.", _ref("Error")),
            "409": _json("Not connected, or AmoCRM does not let us in.", _ref("Error")),
            "413": _json("More than 64 KB.", _ref("Error")),
            "415": _json("JSON is wanted.", _ref("Error")),
            "422": _json("`refresh_token` is no text, `confirm` is no yes or no, or AmoCRM refused it.", _ref("Error")),
            "429": _problem("Refreshed, or tried, a short while ago; `confirm` insists.", **wait),
            "502": _json("AmoCRM cannot be reached, or does not keep its word.", _ref("Error")),
            "503": _json("Come again later.", _ref("Error")),
        },
        "security": [{"admin": []}],
    }


def _disabled() -> Schema:
    signed = ("client_uuid", "account_id", "signature")
    return {
        "operationId": "disabled",
        "summary": "AmoCRM's signed call that its admin has switched the integration off",
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in signed],
        "responses": {"200": _json("Whatever it was.", _object({"status": {"const": "ok"}}))},
    }


def _webhook() -> Schema:
    return {
        "operationId": "webhook",
        "summary": "What AmoCRM tells of leads and contacts by itself",
        "description": "AmoCRM is given this address by the desk. What is told is only a hint: the desk fetches those leads"
        " and contacts. A body that is none of AmoCRM's, or too large, is put aside and answered alike.",
        "parameters": [
            {"name": "secret", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        ],
        "requestBody": {
            "required": False,
            "content": {URLENCODED: {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}},
        },
        "responses": {
            "200": _json("On the disk.", _object({"status": {"const": "ok"}})),
            "404": _json("No such address: the secret is wrong or has ended.", _ref("Error")),
            "503": _json(
                "The database is away.",
                _ref("Error"),
                **{"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}},
            ),
        },
    }


def _connection() -> Schema:
    text, moment = {"type": ["string", "null"]}, MOMENT | {"type": ["string", "null"]}
    account = _object({"name": text, "subdomain": text, "url": {"type": "string"}})
    return _object(
        {
            "connected": {"type": "boolean"},
            "state": {"type": "string"},
            "mode": {"type": "string"},
            "trouble": text,
            "account": {"anyOf": [account, {"type": "null"}]},
            "connected_by": text,
            "connected_at": moment,
            "expires_at": moment,
            "refreshed_at": moment,
        }
    )


# What all share


def _error() -> Schema:
    text = {"type": "string", "minLength": 1}
    fault = _object({"field": text, "code": text, "message": text})
    return {
        "type": "object",
        "required": ["code", "message", "remedy"],
        "properties": {
            "code": text,
            "message": text | {"description": "What happened, for people."},
            "remedy": text | {"description": "What to do about it."},
            "errors": {"type": "array", "items": fault, "minItems": 1},
        },
        "additionalProperties": False,
    }


def _admins() -> Schema:
    return {
        "401": _json("No key, or a wrong one.", _ref("Error"), **_header("WWW-Authenticate")),
        "403": _json("ADMIN_API_KEY is not set.", _ref("Error")),
    }


def _busy() -> dict[str, Schema]:
    wait = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}}
    return {
        "429": _problem("Too many at once.", **wait),
        "503": _problem("The database is away.", **wait),
    }


def _problem(about: str, **headers: Schema) -> Schema:
    """An error under /crm: JSON, or a page for the sender of a plain HTML form."""
    page = {"text/html": {"schema": {"type": "string"}}}
    return {"description": about, "headers": headers, "content": {JSON: {"schema": _ref("Error")}, **page}}


def _json(about: str, schema: Schema, **headers: Schema) -> Schema:
    return {"description": about, "headers": headers, "content": {JSON: {"schema": schema}}}


def _header(name: str) -> dict[str, Schema]:
    return {name: {"required": True, "schema": {"type": "string"}}}


def _object(properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
