"""A form as typed on the page: cleaned, or every fault at its field. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from desk.intake import presets
from desk.intake.known_names import ADDED
from desk.intake.presets import ANSWERS, AS_JSON, BY_ID, OWN
from desk.lead import LONGEST_LABEL, OWN_FIELDS, FieldFault, label
from desk.reading import texts

LONGEST_NAME = 60
MOST_ORIGINS = 20
LONGEST_URL = 500

LONGEST_DUPLICATE_S = 24 * 3600
"""The longest window for duplicates, a day: the next day the same person has news."""

LONGEST_FILL_S = 60.0
"""The longest time to call fast: people need less than a minute for two fields."""

DUPLICATE_S, LEAST_FILL_S = 600, 2.0
"""Defaults of a new form: ten minutes for pressing twice; two seconds, too short for typing a phone."""

LONGEST_CODE = 64
"""Characters of the confirmation word a sender asks for. VK's has eight."""

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class FormDraft:
    """The settings of a form. The columns of `forms` have the same names."""

    name: str
    source: str = ""
    origins: tuple[str, ...] = ()
    thanks_url: str = ""
    duplicate_s: int = DUPLICATE_S
    least_fill_s: float = LEAST_FILL_S
    preset: str = OWN
    answer: str = AS_JSON
    key_in_address: bool = False
    note_unknown: bool = False
    required: tuple[str, ...] = ()
    code: str = ""


def read(raw: Mapping[str, Any], taken: Iterable[str] = ()) -> tuple[FormDraft | None, list[FieldFault]]:
    """A draft, or every fault. `origins` is text with a site a line; `taken`: the names of the other forms."""
    faults: list[FieldFault] = []
    name = label(raw, "name", LONGEST_NAME, faults, required=True)
    if name.casefold() in {other.casefold() for other in taken}:
        faults.append(FieldFault("name", "taken"))
    draft = FormDraft(
        name=name,
        source=label(raw, "source", LONGEST_LABEL, faults),
        origins=_origins(raw.get("origins"), faults),
        thanks_url=_thanks_url(raw.get("thanks_url"), faults),
        duplicate_s=int(_number(raw, "duplicate_s", DUPLICATE_S, LONGEST_DUPLICATE_S, faults)),
        least_fill_s=_number(raw, "least_fill_s", LEAST_FILL_S, LONGEST_FILL_S, faults),
        preset=_one_of(raw, "preset", tuple(BY_ID), faults),
        answer=_one_of(raw, "answer", ANSWERS, faults),
        key_in_address=raw.get("key_in_address") is True,
        note_unknown=raw.get("note_unknown") is True,
        required=tuple(name for name in raw.get("required") or () if name in OWN_FIELDS or ADDED.fullmatch(name)),
        code=_code(raw.get("code"), faults),
    )
    return (None, faults) if faults else (draft, [])


def ways_of(preset_id: str) -> dict[str, Any]:
    """The settings of a form fixed by a preset, as `read` takes settings."""
    preset = presets.of(preset_id)
    return {
        "preset": preset.id,
        "answer": preset.answer,
        "key_in_address": preset.key_in_address,
        "note_unknown": preset.note_unknown,
    }


def origin_of(text: str) -> str | None:
    """The site of an address, as browsers name sites in `Origin`: `https://fit.ru`; None for no site.

    Takes the address of any page, also without https://, and Russian domains.
    """
    text = text.strip()
    if len(text) > LONGEST_URL:
        return None
    text = texts.with_short_runs(text)  # taking it apart and spelling its host both normalise
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not re.fullmatch(r"[a-z0-9.-]*[a-z0-9]|[0-9a-f:.]+:[0-9a-f:.]*", host):
        return None
    if ":" in host:
        host = f"[{host}]"
    return (
        f"{parts.scheme}://{host}" if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{parts.scheme}://{host}:{port}"
    )


def site_of(origin: str) -> str:
    """A site for people: Russian domains in Russian."""
    scheme, _, host = origin.partition("://")
    try:
        return f"{scheme}://{host.encode().decode('idna')}"
    except UnicodeError:
        return origin


def _origins(value: Any, faults: list[FieldFault]) -> tuple[str, ...]:
    texts = [text for text in re.split(r"[\s,;]+", value if isinstance(value, str) else "") if text]
    found = [origin_of(text) for text in texts]
    if None in found:
        faults.append(FieldFault("origins", "not_a_site"))
    elif len(found) > MOST_ORIGINS:
        faults.append(FieldFault("origins", "too_many", MOST_ORIGINS))
    return tuple(dict.fromkeys(filter(None, found)))


def _thanks_url(value: Any, faults: list[FieldFault]) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        return ""
    if len(text) > LONGEST_URL:
        faults.append(FieldFault("thanks_url", "too_long", LONGEST_URL))
    elif not text.isprintable() or not re.fullmatch(r"https?://[^\s<>\"'\\]+", text) or origin_of(text) is None:
        faults.append(FieldFault("thanks_url", "not_an_address"))
    return text


def _one_of(raw: Mapping[str, Any], name: str, choices: tuple[str, ...], faults: list[FieldFault]) -> str:
    value = raw.get(name, choices[0])
    if value not in choices:
        faults.append(FieldFault(name, "not_a_choice"))
        return choices[0]
    return str(value)


def _code(value: Any, faults: list[FieldFault]) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > LONGEST_CODE:
        faults.append(FieldFault("code", "too_long", LONGEST_CODE))
    elif text and not re.fullmatch(r"[\w.:-]+", text, re.ASCII):
        faults.append(FieldFault("code", "symbols"))
    return text


def _number(raw: Mapping[str, Any], name: str, unset: float, most: float, faults: list[FieldFault]) -> float:
    value = raw.get(name, unset)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        faults.append(FieldFault(name, "not_a_number"))
        return unset
    if not 0 <= value <= most:
        faults.append(FieldFault(name, "out_of_range", int(most)))
    return value
