"""The call desk's door for other rooms: saving a call once, taking it back, and everything beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from crm.client import Client
from crm.errors import SetupError
from desk.calls import callbacks, stats
from desk.calls import entry as entries
from desk.calls.asking import Asked, Asking
from desk.calls.callbacks import CallBack
from desk.calls.drafts import Draft, Drafts
from desk.calls.entry import Entry
from desk.calls.lookup import Look, look
from desk.calls.stats import Figures, Made
from desk.calls.texts import CONSENT, Texts
from desk.delivery import Outbox, Way
from desk.delivery.decisions import TASK_DONE
from desk.fields import FieldMap
from desk.lead import Consent
from desk.mirror import ACCOUNT, Mirror
from desk.reading.texts import fold
from desk.settings import Settings
from desk.words import words
from store import Store, StoreError, clock
from store.tables import accepted_leads, calls, drafts, people

UNDO_S = 10.0
"""A saved call can be taken back for so long, before it leaves. Long enough to see a slip, too short to be missed."""


@dataclass(frozen=True, slots=True)
class Saved:
    """`is_first`: this press has saved it; else an earlier one has, and nothing was done."""

    lead_id: str
    is_first: bool


class Calls:
    """The calls of one desk. Thread-safe; several processes may share the database."""

    def __init__(
        self, store: Store, outbox: Outbox, client: Client, fields: FieldMap, mirror: Mirror, settings: Settings
    ) -> None:
        self._store, self._outbox, self._settings = store, outbox, settings
        self.drafts, self.texts = Drafts(store), Texts(store)
        self._asking = Asking(store, client, fields, mirror)
        self.undo_s = UNDO_S

    def look(self, text: str) -> Look:
        """Who has the number typed so far, as the mirror knows it. No request."""
        return look(self._store, text)

    def ask(self, *numbers: str) -> Asked:
        """How far AmoCRM's own answer about the numbers of one person is. Asks it in the background where nobody has."""
        return self._asking.ask(*numbers)

    def stop(self) -> None:
        """Ask AmoCRM nothing more."""
        self._asking.stop()

    def save(self, draft_id: str, entry: Entry, operator: str, started_at: datetime | None = None) -> Saved:
        """Put a call on the disk, once for each draft, whoever presses how often. AmoCRM is not on this path."""
        if (before := self.saved_as(draft_id)) is not None:
            return Saved(before, False)
        try:
            with self._store.write() as db:
                lead_id = self._save(db, draft_id, entry, operator, started_at)
        except StoreError:
            # Another tab or another process was first by a moment.
            if (before := self.saved_as(draft_id)) is None:
                raise
            return Saved(before, False)
        self._outbox.wake()
        return Saved(lead_id, True)

    def saved_as(self, draft_id: str) -> str | None:
        """What a draft was saved as, by our id."""
        with self._store.read() as db:
            return db.scalar(sa.select(calls.c.lead_id).where(calls.c.draft_id == draft_id))

    def undo(self, lead_id: str) -> Draft | None:
        """Take a saved call back before it leaves: its draft is open again. Raises `SetupError("left_already")`."""
        with self._store.write() as db:
            row = db.execute(sa.select(calls).where(calls.c.lead_id == lead_id)).mappings().first()
            if row is None:
                raise SetupError("left_already")
            db.execute(calls.delete().where(calls.c.lead_id == lead_id))
            self._outbox.take_back(lead_id, db)
            if row["answers"] is not None:
                by_this = (calls.c.lead_id == row["answers"], calls.c.done_at == row["saved_at"])
                db.execute(calls.update().where(*by_this).values(done_at=None, done_by=None))
            db.execute(drafts.update().where(drafts.c.id == row["draft_id"]).values(lead_id=None))
        return self.drafts.get(row["draft_id"])

    def last_source(self, operator: str) -> str:
        """The source this operator named last; "" before the first."""
        last = (
            sa.select(accepted_leads.c.source)
            .join(calls, calls.c.lead_id == accepted_leads.c.id)
            .where(calls.c.operator == operator)
            .order_by(calls.c.saved_at.desc())
        )
        with self._store.read() as db:
            return db.scalar(last.limit(1)) or ""

    def waiting(self, operator: str) -> list[CallBack]:
        """Who is to be called back by this operator or by anyone, overdue first."""
        return callbacks.waiting(self._store, operator)

    def late(self, operator: str) -> int:
        """How many of those are overdue."""
        return callbacks.late(self._store, operator, clock.now())

    def done(self, lead_id: str, by: str) -> None:
        """A call-back needs no call any more; its task in AmoCRM is completed."""
        now = clock.now()
        with self._store.write() as db:
            waits = (calls.c.lead_id == lead_id, calls.c.done_at.is_(None))
            if db.execute(calls.update().where(*waits).values(done_at=now, done_by=by)).rowcount:
                text = words(self._settings.ui_language)("call-done", who=by or "—")
                self._outbox.add_step(lead_id, TASK_DONE, {"of": lead_id, "text": text}, db)
        self._outbox.wake()

    def today(self, operator: str) -> list[Made]:
        """What this operator has entered since midnight by the club's clock, the newest first."""
        midnight = datetime.combine(clock.now(self._settings.zone).date(), time(), self._settings.zone)
        return stats.made_since(self._store, operator, midnight)

    def figures(self, span: timedelta) -> list[Figures]:
        """How fast everybody was, and how often nobody asked how they heard of us."""
        return stats.figures(self._store, clock.now() - span)

    def prune(self) -> None:
        """Forget drafts that are too old."""
        self.drafts.prune()

    def _save(self, db: sa.Connection, draft_id: str, entry: Entry, operator: str, started_at: datetime | None) -> str:
        now = clock.now()
        draft = db.execute(sa.select(drafts).where(drafts.c.id == draft_id)).mappings().first()
        answers = draft["answers"] if draft is not None else None
        lead_id = self._outbox.accept(
            entry.lead,
            "desk",
            consent=self._consent(entry, operator, now),
            entered_by=operator or None,
            way=self._way(db, entry, operator, now, answers),
            db=db,
        )
        db.execute(
            calls.insert().values(
                lead_id=lead_id,
                draft_id=draft_id,
                operator=operator,
                kind=entry.choice.kind,
                outcome=entry.outcome,
                heard=entry.heard,
                step=entry.step,
                step_at=entry.step_at,
                step_for=(operator or None) if entry.mine else None,
                reason=entry.reason,
                answers=answers,
                started_at=draft["started_at"] if draft is not None else started_at or now,
                saved_at=now,
            )
        )
        if answers is not None:
            waits = (calls.c.lead_id == answers, calls.c.done_at.is_(None))
            db.execute(calls.update().where(*waits).values(done_at=now, done_by=operator))
        db.execute(drafts.update().where(drafts.c.id == draft_id).values(lead_id=lead_id, changed_at=now))
        return lead_id

    def _user_id(self, db: sa.Connection, operator: str) -> int | None:
        """The person in AmoCRM with the operator's name; None where nobody, or more than one, has it."""
        rows = db.execute(sa.select(people.c.id, people.c.name)).all()
        same = [row.id for row in rows if operator and fold(row.name) == fold(operator)]
        return same[0] if len(same) == 1 else None

    def _account_of_the_mirror(self) -> int | None:
        """The account whose leads and people were on the screen to choose from, which may not be the connected one any more."""
        told = self._store.recall(ACCOUNT)
        return int(told) if told else None

    def _way(self, db: sa.Connection, entry: Entry, operator: str, now: datetime, answers: str | None) -> Way:
        choice = entry.choice
        steps: list[tuple[str, Any]] = entries.steps(
            entry,
            now=now,
            zone=self._settings.zone,
            say=words(self._settings.ui_language),
            operator=operator,
            user_id=self._user_id(db, operator) if entry.mine else None,
            answers=answers,
        )
        return Way(
            steps=steps,
            amo_lead_id=choice.amo_lead_id,
            contact_id=choice.contact_id,
            new_contact=choice.kind == entries.OTHER,
            account_id=self._account_of_the_mirror(),
            hold_s=self.undo_s,
        )

    def _consent(self, entry: Entry, operator: str, now: datetime) -> Consent | None:
        if not entry.consented:
            return None
        return Consent(
            entry.consent_text or self.texts.newest(CONSENT).label,
            now,
            None,
            words(self._settings.ui_language)("new-title"),
            operator,
        )
