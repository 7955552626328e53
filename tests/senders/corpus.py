"""The corpus of real senders: requests as they are really posted, each with the right outcome.

A file of `requests/` is lines `# name: value` that say what is right, a line `---`, and the request as it goes over the wire, but for
`{HOST}`, `{KEY}` (of the form it goes to) and the fields of the account. The forms are made by `make_forms`, one for each preset.

    form      the preset of the form it goes to; `own`: the desk's own code; `api`: the built-in form
    status, answer          of the HTTP answer: its number, and what stands in it
    outcome   `check`: no submission at all; `refused`: kept, with `code`, and with the phone `kept` or the facts `held` in the log
    phone, name, direction, message, note, note-not, utm_source, roistat, consent, tick, choice    of the lead
    again     sent a second time it is the same lead
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from desk.fields import FieldMap
from desk.intake import API, Forms
from desk.intake.form_draft import FormDraft, ways_of
from desk.intake.presets import PRESETS

FOLDER = Path(__file__).parent / "requests"

OWN = "own"
SITE = "https://fit.example"

TICK_FIELD, SELECT_FIELD = "Есть противопоказания", "Формат"
"""Fields of the sandbox's club: a check box, and one with choices."""

ANSWER_S = 60.0
"""How long a sender waits on a loaded machine. Tilda itself waits five seconds."""


@dataclass(frozen=True)
class Sent:
    """One request. `right`: what is right, by name, in the order of the file."""

    name: str
    right: dict[str, list[str]]
    raw: bytes

    @property
    def form(self) -> str:
        return self.right["form"][0]

    @property
    def outcome(self) -> str:
        return self.right.get("outcome", ["accepted"])[0]

    def one(self, what: str) -> str:
        """What is right of something there is one of; "" if the file does not say."""
        return self.right.get(what, [""])[0]

    def on_the_wire(self, host: str, key: str, words: dict[str, str]) -> bytes:
        """The request, byte for byte."""
        head, _, body = self.raw.partition(b"\n\n")
        encoding = self.one("encoding")
        body = body.removesuffix(b"\n")
        body = body.decode().encode(encoding) if encoding else body
        for name, text in {"KEY": key, **words}.items():
            head, body = (
                head.replace(b"{%s}" % name.encode(), text.encode()),
                body.replace(b"{%s}" % name.encode(), text.encode()),
            )
        lines = [
            *head.replace(b"{HOST}", host.encode()).split(b"\n"),
            b"Content-Length: %d" % len(body),
            b"Connection: close",
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body


def all_sent() -> list[Sent]:
    """The corpus."""
    return [_read(path) for path in sorted(FOLDER.glob("*.http"))]


def make_forms(forms: Forms) -> dict[str, str]:
    """A form for each preset, and their keys by `form`. The built-in one has its key of the settings."""
    keys = {}
    for preset in PRESETS:
        ways = ways_of(preset.id)
        draft = FormDraft(
            f"Форма {preset.id or OWN}", "Сайт" if not preset.id else "", (SITE,), least_fill_s=0.0, **ways
        )
        if preset.wants_code:
            draft = FormDraft(f"Форма {preset.id}", "", (SITE,), least_fill_s=0.0, **ways, code="a1b2c3d4")
        keys[preset.id or OWN] = forms.new_key(forms.add(draft).id)
    return keys


def add_fields(fields: FieldMap) -> dict[str, str]:
    """Added fields for a tick and for a choice; the words for them in the files."""
    by_name = {field.name: field for field in fields.known("leads")}
    tick, select = by_name[TICK_FIELD], by_name[SELECT_FIELD]
    return {
        "TICK": fields.add("leads", tick.id, TICK_FIELD),
        "SELECT": fields.add("leads", select.id, SELECT_FIELD),
        "CHOICE": select.choices[0],
        "CHOICE_SMALL": select.choices[0].lower(),
    }


def post(port: int, request: bytes) -> tuple[int, str]:
    """Send bytes over a socket of their own; the answer's status and text."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as line:
        line.sendall(request)
        got = b""
        while chunk := line.recv(65536):
            got += chunk
    head, _, body = got.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body.decode("utf-8", "replace")


def form_id_of(name: str, forms: Forms) -> str:
    """The form a request goes to."""
    return API if name == "api" else next(form.id for form in forms.all() if form.name == f"Форма {name}")


def _read(path: Path) -> Sent:
    said, _, raw = path.read_bytes().partition(b"---\n")
    right: dict[str, list[str]] = {}
    for line in said.decode().splitlines()[1:]:
        name, _, value = line.removeprefix("# ").partition(": ")
        right.setdefault(name, []).append(value)
    return Sent(path.stem, right, raw)
