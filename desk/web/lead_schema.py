"""The body of a submission, described: `Lead` for JSON, `LeadForm` for an HTML form.

Composed of the rules themselves (`desk.lead`, `desk.phones`, `desk.intake`) instead of a model, because the readers there take
nearly any shape: a schema can only tell what is best sent. A text that JSON Schema cannot describe (a phone, a name) has a
`format` of our own, explained in words.
"""

from __future__ import annotations

from typing import Any

from desk import lead as lead_rules
from desk import phones
from desk.intake import KEY, tracking
from desk.intake.signs import CONSENT, CONSENT_VERSION, FILL_MS, LONGEST_VERSION, TRAP

Schema = dict[str, Any]

DESCRIBED_DEPTH = 3
"""Levels of lists and objects that are described. More are read as well; a schema that named itself could not be played."""

NAME = "A name. Missing, a dash or a number: a lead without a name."
LABEL = "One line. What cannot stay in it (markup, what is too long) goes into the note as it was said."
PHONE = "A phone as people write it: 8…, +7…, brackets, words, an extension; other countries with their +code. The only thing wanted."
MESSAGE = "Free text."

KEPT = "x-kept-characters"
"""How many characters of a text its field keeps. Of a phone: how many are looked at."""

LOOKED_AT = (
    f"The first {phones.LONGEST_INPUT} characters are looked at. A number of JSON is read too, and a list of several."
)

EXAMPLE = {
    "name": "Иван Иванов",
    "phone": "+7 (999) 123-45-67",
    "direction": "Йога",
    "message": "Хочу записаться на тренировку",
    "utm_source": "yandex",
    "page": "https://fit.example/yoga?utm_campaign=spring",
    CONSENT: True,
    CONSENT_VERSION: "2026-01",
}

FORM_EXAMPLE = {name: text for name, text in EXAMPLE.items() if name != CONSENT} | {CONSENT: "on", KEY: "desk_…"}


def lead() -> Schema:
    """The body as JSON."""
    return {
        "type": "object",
        "required": ["phone"],
        "properties": _own_fields() | {name: _any(about) for name, about in _welcomed().items()},
        "additionalProperties": ref(_level(DESCRIBED_DEPTH - 1)),
        "example": EXAMPLE,
    }


def lead_form() -> Schema:
    """The body sent by an HTML form: the same fields, each as text."""
    welcomed = {name: {"type": "string", "description": about} for name, about in _welcomed().items()}
    return {
        "type": "object",
        "required": ["phone"],
        "properties": own_texts() | welcomed,
        "additionalProperties": {"type": "string"},
    }


def own_texts() -> dict[str, Schema]:
    """The fields of a lead sent by a form or in a query."""
    return {
        name: {key: value for key, value in schema.items() if key != "default"} | {"type": "string"}
        for name, schema in _own_fields().items()
    }


def anything() -> dict[str, Schema]:
    """Any JSON, as deep as is described: a schema for each depth."""
    plain: Schema = {"type": ["string", "number", "boolean", "null"]}
    levels = {_level(0): plain}
    for depth in range(1, DESCRIBED_DEPTH):
        inner = ref(_level(depth - 1))
        nested = [{"type": "array", "items": inner}, {"type": "object", "additionalProperties": inner}]
        levels[_level(depth)] = {"anyOf": [plain, *nested]}
    return levels


def ref(name: str) -> Schema:
    """Point to a schema of the description by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def _own_fields() -> dict[str, Schema]:
    optional = {"type": ["string", "null"], "default": ""}
    return {
        "name": _text(lead_rules.LONGEST_NAME, "lead-name", NAME) | optional,
        "phone": _text(phones.LONGEST_INPUT, "lead-phone", PHONE)
        | {"minLength": 1, "description": f"{PHONE} {LOOKED_AT}"},
        "direction": _text(lead_rules.LONGEST_LABEL, "lead-label", LABEL) | optional,
        "source": _text(lead_rules.LONGEST_LABEL, "lead-label", f"{LABEL} Unset: the form's own.") | optional,
        "message": _text(lead_rules.LONGEST_MESSAGE, "lead-message", MESSAGE) | optional,
    }


def _welcomed() -> dict[str, str]:
    """Optional fields, taken if they make sense, and never a reason to refuse a lead."""
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


def _any(about: str) -> Schema:
    return ref(_level(DESCRIBED_DEPTH - 1)) | {"description": about}


def _text(longest: int, kind: str, about: str) -> Schema:
    """A text of any length. `longest`: characters that the field keeps; no limit of JSON Schema's, because more is taken."""
    kept = f"{about} The field keeps {longest:,} characters; a longer text, or what is none, goes into the note as it was said."
    return {"type": "string", KEPT: longest, "format": kind, "description": kept}


def _level(depth: int) -> str:
    return f"Anything{depth}"
