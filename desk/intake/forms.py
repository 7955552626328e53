"""Forms and their keys: the right to hand leads in, from which sites, and the rules for submissions.

A form is a form of the site or another program. `api` is always there: it is whoever shows `INTAKE_API_KEY`, and
programs on this machine. Of a key only its hash is kept. A new key may take over while the old one still works for a
while, so that a site can be changed without losing a lead.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from crm.errors import Declined
from crm.vault import secret_hash
from desk.intake.form_draft import FormDraft, origin_of
from desk.intake.presets import AS_JSON, OWN
from desk.intake.presets import of as preset_of
from desk.settings import Settings
from store import Store, clock
from store.tables import form_keys, forms

API = "api"
"""The built-in form's id."""

KEY_PREFIX = "desk_"
"""Beginning of every key, so that people and scanners of leaked secrets recognise a key."""

KEY_BYTES = 24
"""Random bytes of a key: 192 bits are beyond guessing, so a plain hash is enough to store."""

LONGEST_KEY = 512
"""Characters of a key to be looked up; far more than a usual `INTAKE_API_KEY` has."""

HINT_LENGTH = 4

MOST_TAUGHT, LONGEST_TAUGHT = 200, 200
"""Names a form can be taught, and their characters."""

NOTICED_WITHIN_S = 2.0
"""How long a change made by another process may go unnoticed. Our own is noticed at once."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form, a row of `forms`. `origins`: sites whose pages may post, as browsers spell them.

    `preset`: whose ways it follows (`desk.intake.presets`). `taught`: what names mean that come in it. `required`: fields without
    which its owner wants no lead; a phone is wanted in any case.
    """

    id: str
    name: str
    source: str
    origins: tuple[str, ...]
    thanks_url: str
    duplicate_s: int
    least_fill_s: float
    is_active: bool
    created_at: datetime
    preset: str = OWN
    answer: str = AS_JSON
    key_in_address: bool = False
    note_unknown: bool = False
    required: tuple[str, ...] = ()
    taught: Mapping[str, str] = field(default_factory=dict)
    code: str = ""


@dataclass(frozen=True, slots=True)
class FormKey:
    """A key's facts without the key. `ends_at`: until when the key works; None for no end."""

    id: int
    form_id: str
    hint: str
    created_at: datetime
    ends_at: datetime | None

    def works(self, now: datetime) -> bool:
        return self.ends_at is None or now < self.ends_at


@dataclass(frozen=True, slots=True)
class Keyholder:
    """The holder of a key: its form, and whether the key still works.

    `is_program`: the key never stands on a page or in an address, so whoever shows it is the owner's own program.
    """

    form: Form
    works: bool
    is_program: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    """All forms and keys, as read at `at`."""

    at: float
    forms: Mapping[str, Form]
    keys: Mapping[str, FormKey]
    origins: frozenset[str]


class Forms:
    """The forms of a desk. Thread-safe; answers from memory, see `NOTICED_WITHIN_S`."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        given = settings.intake_api_key
        self._settings_key = secret_hash(given.reveal()) if given else None
        self._settings_origins = tuple(filter(None, map(origin_of, settings.intake_allowed_origins)))
        self._lock = threading.Lock()
        self._known: _Known | None = None

    def all(self) -> list[Form]:
        """Every form by age, the built-in form last."""
        return sorted(self._now().forms.values(), key=lambda form: (form.id == API, form.created_at))

    def of(self, form_id: str) -> Form:
        """The form of an id. Raises `Declined`."""
        form = self._now().forms.get(form_id)
        if form is None:
            raise Declined("form_unknown")
        return form

    def keyholder(self, key: str) -> Keyholder | None:
        """The holder of a key; None for an unknown key."""
        if not 0 < len(key) <= LONGEST_KEY:
            return None
        known, hashed = self._now(), secret_hash(key)
        if hashed == self._settings_key:
            api = known.forms[API]  # with sites of its own, its key stands on their pages
            return Keyholder(api, works=True, is_program=not api.origins)
        found = known.keys.get(hashed)
        return Keyholder(known.forms[found.form_id], found.works(clock.now())) if found else None

    def is_shut(self) -> bool:
        """Whether no key exists at all, so that strangers cannot get in."""
        return self._settings_key is None and not self._now().keys

    def allows(self, origin: str) -> bool:
        """Whether pages of a site may post through any form. For preflights, which show no key."""
        return origin.lower() in self._now().origins

    def keys(self, form_id: str) -> list[FormKey]:
        """The keys of a form, the newest first, ended ones included."""
        found = [key for key in self._now().keys.values() if key.form_id == form_id]
        return sorted(found, key=lambda key: key.id, reverse=True)

    def add(self, draft: FormDraft) -> Form:
        """Make a form, without a key."""
        form_id = uuid.uuid4().hex
        with self._changing() as db:
            taught = json.dumps(dict(preset_of(draft.preset).taught))
            db.execute(
                forms.insert().values(id=form_id, is_active=True, created_at=clock.now(), taught=taught, **_row(draft))
            )
        return self.of(form_id)

    def change(self, form_id: str, draft: FormDraft) -> None:
        if form_id == API:  # the settings' own sites stay the settings'
            draft = replace(draft, origins=tuple(one for one in draft.origins if one not in self._settings_origins))
        with self._changing() as db:
            db.execute(forms.update().where(forms.c.id == form_id).values(**_row(draft)))

    def teach(self, form_id: str, name: str, meaning: str) -> None:
        """Teach a form the meaning of a name; "" forgets the name. Raises `Declined` for a name too many."""
        name = name[:LONGEST_TAUGHT]
        with self._changing() as db:
            found = db.scalar(sa.select(forms.c.taught).where(forms.c.id == form_id).with_for_update())
            if found is None:
                raise Declined("form_unknown")
            taught = json.loads(found)
            taught.pop(name, None)
            if meaning:
                if len(taught) >= MOST_TAUGHT:
                    raise Declined("names_too_many")
                taught[name] = meaning
            db.execute(forms.update().where(forms.c.id == form_id).values(taught=json.dumps(taught)))

    def pause(self, form_id: str) -> None:
        """Refuse submissions and keep their log, until `resume`."""
        self._switch(form_id, active=False)

    def resume(self, form_id: str) -> None:
        self._switch(form_id, active=True)

    def new_key(self, form_id: str, overlap: timedelta = timedelta()) -> str:
        """Make a key and return it, for the only time; former keys end after `overlap`."""
        self.of(form_id)
        key, now = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES), clock.now()
        mine, end = form_keys.c.form_id == form_id, now + overlap
        with self._changing() as db:
            db.execute(
                form_keys.update()
                .where(mine, sa.or_(form_keys.c.ends_at.is_(None), form_keys.c.ends_at > end))
                .values(ends_at=end)
            )
            db.execute(
                form_keys.insert().values(
                    form_id=form_id, key_hash=secret_hash(key), hint=key[-HINT_LENGTH:], created_at=now
                )
            )
        return key

    def revoke(self, key_id: int) -> None:
        """End a key now."""
        now = clock.now()
        with self._changing() as db:
            db.execute(
                form_keys.update()
                .where(form_keys.c.id == key_id, sa.or_(form_keys.c.ends_at.is_(None), form_keys.c.ends_at > now))
                .values(ends_at=now)
            )

    def _switch(self, form_id: str, *, active: bool) -> None:
        with self._changing() as db:
            db.execute(forms.update().where(forms.c.id == form_id).values(is_active=active))

    @contextmanager
    def _changing(self) -> Iterator[sa.Connection]:
        """A writing transaction; the forms are read anew afterwards."""
        with self._store.write() as db:
            yield db
        with self._lock:
            self._known = None

    def _now(self) -> _Known:
        with self._lock:
            known = self._known
            if known is None or self._clock() - known.at > NOTICED_WITHIN_S:
                known = self._known = self._read()
            return known

    def _read(self) -> _Known:
        at = self._clock()
        with self._store.read() as db:
            found = {row["id"]: self._form(row) for row in db.execute(sa.select(forms)).mappings()}
            keys = {row["key_hash"]: _key(row) for row in db.execute(sa.select(form_keys)).mappings()}
        origins = frozenset(origin for form in found.values() if form.is_active for origin in form.origins)
        return _Known(at, found, keys, origins)

    def _form(self, row: sa.RowMapping) -> Form:
        origins = tuple(json.loads(row["origins"]))
        if row["id"] == API:
            origins = tuple(dict.fromkeys((*origins, *self._settings_origins)))
        told = {"required": tuple(json.loads(row["required"])), "taught": json.loads(row["taught"])}
        return Form(**{**row, "origins": origins, **told})


def _row(draft: FormDraft) -> dict[str, Any]:
    return asdict(draft) | {"origins": json.dumps(draft.origins), "required": json.dumps(draft.required)}


def _key(row: sa.RowMapping) -> FormKey:
    return FormKey(row["id"], row["form_id"], row["hint"], row["created_at"], row["ends_at"])
