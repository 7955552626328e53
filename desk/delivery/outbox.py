"""Accepted leads and their way into AmoCRM, for the other rooms: accept, look, decide, start, stop."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crm import leads
from crm.errors import Declined, SaidNo
from desk.delivery import acceptance, changes, report
from desk.delivery.acceptance import USUAL_PLAN, DeliveryPlan
from desk.delivery.carry import Carrier
from desk.delivery.decisions import DELIVERED, DROPPED, NEEDS_DECISION, QUEUED, REFUSED, UNKNOWN
from desk.delivery.job import LATER, ON_THE_LINE
from desk.delivery.pause import Pause
from desk.delivery.people import UNDECIDED, People
from desk.delivery.queue import Queue
from desk.delivery.record import Record
from desk.delivery.report import Progress
from desk.delivery.search import Search
from desk.delivery.stopwatch import Stopwatch
from desk.delivery.tools import Tools
from desk.delivery.worker import Heart, Workers, report_round
from desk.lead import Consent, NewLead
from desk.places import places
from store import clock

log = logging.getLogger(__name__)


class Outbox:
    """The outbox of a desk. Thread-safe; several processes may share the database."""

    def __init__(self, tools: Tools) -> None:
        self._store, self._client, self._connection = tools.store, tools.client, tools.connection
        self._on_round = tools.on_round
        pause, self._stopwatch = Pause(tools.store, tools.connection.generation), Stopwatch()
        self._queue = Queue(tools.store, pause, self._stopwatch)
        self._record = Record(tools.store, pause, self._stopwatch)
        self._people = People(tools.store)
        self._heart = Heart(self._queue, tools.on_round)
        self._carrier = Carrier(tools, self._record, pause, self._heart)
        self._search = Search(tools, self._queue, self._record, pause, self._heart)
        self._searching = threading.Lock()
        self._workers = Workers(self._work, tools.on_round)

    # Accepting

    def accept(
        self,
        lead: NewLead,
        origin: str,
        *,
        form_id: str | None = None,
        consent: Consent | None = None,
        entered_by: str | None = None,
        plan: DeliveryPlan = USUAL_PLAN,
    ) -> str:
        """Put a lead on the disk and return our id of the lead. AmoCRM is not on this path. `origin`: "desk" or "api"."""
        with self._store.write() as db:
            lead_id = self.accept_in(
                db, lead, origin, form_id=form_id, consent=consent, entered_by=entered_by, plan=plan
            )
        self.wake()
        return lead_id

    def accept_in(
        self,
        db: sa.Connection,
        lead: NewLead,
        origin: str,
        *,
        form_id: str | None = None,
        consent: Consent | None = None,
        entered_by: str | None = None,
        plan: DeliveryPlan = USUAL_PLAN,
    ) -> str:
        """Accept a lead within a transaction of the caller's; return our id of the lead. Call `wake` after the transaction.

        `db`: a durable writing transaction.
        """
        lead_id, priority = uuid.uuid4().hex, ON_THE_LINE if origin == "desk" else LATER
        acceptance.insert_lead(db, lead_id, lead, consent, origin=origin, form_id=form_id, entered_by=entered_by)
        acceptance.insert_delivery(db, lead_id, plan, priority=priority, now_s=self._store.clock(db))
        return lead_id

    def take_back(self, lead_id: str, db: sa.Connection) -> None:
        """Take an accepted lead back before it leaves: no row of the lead stays. `db`: a writing transaction the caller ends.

        Raises `Declined("left_already")`.
        """
        if not acceptance.remove(self._store, db, lead_id):
            raise Declined("left_already")

    def add_step(self, lead_id: str, kind: str, payload: Any, db: sa.Connection) -> None:
        """Add a step to a lead, behind its last; a delivered lead goes on its way again. Call `wake` then.

        `db`: a writing transaction the caller ends.
        """
        if acceptance.add_step(db, lead_id, kind, payload) == DELIVERED:
            self._people.set_free(db, lead_id, state=QUEUED)

    def wake(self) -> None:
        """Wake the workers, after a lead was accepted in a transaction of the caller's."""
        self._workers.wake()

    # Told to screens and programs

    def progress(self, lead_id: str) -> Progress | None:
        """Where a lead is; None for an unknown id."""
        return report.progress(self._store, lead_id)

    def story(self, lead_id: str) -> report.Story | None:
        """The whole story of a lead; None for an unknown id."""
        return report.story(self._store, lead_id)

    def entries(self, states: Sequence[str], *, limit: int) -> list[report.Entry]:
        """Leads in the given states, the newest first."""
        return report.entries(self._store, states, limit=limit)

    def counts(self) -> dict[str, int]:
        """The number of leads in each state."""
        return report.counts(self._store)

    def pause(self) -> report.Pause | None:
        """Why the whole queue waits; None if the queue moves."""
        return report.pause(self._store)

    def times(self) -> report.Times:
        """How long the last week's leads took to arrive."""
        return report.times(self._store)

    def strange(self) -> list[str]:
        """Codes of the last day's failures without a rule of their own."""
        return report.strange(self._store)

    def own_faults(self) -> list[str]:
        """Codes of the last day's failures of the desk itself, or of its database."""
        return report.own_faults(self._store)

    # What people decide. `by`: who. All raise `Declined("decided_meanwhile")` if the decision comes too late.

    def exists(self, lead_id: str, amo_lead_id: int, by: str) -> None:
        """Settle a lead that a person has found in AmoCRM. A single request: whether AmoCRM has such a lead.

        No request for a lead begun in another account: there AmoCRM cannot be asked, and the person is believed. Nothing more is done
        then. Raises `SaidNo("lead_not_there")`.
        """
        begun_in = self._record.account_of(lead_id)
        is_elsewhere = self._belongs_to_another_account(begun_in)
        if not amo_lead_id or (not is_elsewhere and not leads.exists(self._client, amo_lead_id)):
            raise SaidNo("lead_not_there")
        with self._people.deciding(lead_id, UNDECIDED, "exists", by, begun_in=begun_in) as db:
            changes.is_there(db, lead_id, amo_lead_id, None, now_s=self._store.clock(db))
            if is_elsewhere:
                changes.all_done(db, lead_id)
        self.wake()

    def send_again(self, lead_id: str, by: str) -> None:
        """Send a lead again that a person believes not to be in AmoCRM, or worth a further try.

        A lead that may be in AmoCRM is sent again as soon as a whole search has shown that it is not. A lead begun in another
        account begins from nothing in the connected account.
        """
        begun_in = self._record.account_of(lead_id)
        is_elsewhere = self._belongs_to_another_account(begun_in)
        with self._people.deciding(lead_id, (*UNDECIDED, DROPPED), "send again", by, begun_in=begun_in) as db:
            if is_elsewhere:
                changes.requeue(db, lead_id, now_s=self._store.clock(db))
            else:
                self._people.let_go_on(db, lead_id)
        self.wake()

    def look_again(self, lead_id: str, by: str) -> None:
        """Search AmoCRM for the lead from the beginning."""
        with self._people.deciding(lead_id, (UNKNOWN, NEEDS_DECISION), "look again", by) as db:
            self._people.look_from_the_beginning(db, lead_id)
        self.wake()

    def drop(self, lead_id: str, by: str) -> None:
        """Give a lead up. The lead stays stored and can be sent again."""
        with self._people.deciding(lead_id, UNDECIDED, "drop", by) as db:
            self._people.set_free(db, lead_id, state=DROPPED, settled_at=clock.now())

    def repair(self, lead_id: str, lead: NewLead, by: str) -> None:
        """Send a refused lead again as a person has corrected it."""
        with self._people.deciding(lead_id, (REFUSED,), "repair", by) as db:
            acceptance.correct(db, lead_id, lead)
            self._people.let_go_on(db, lead_id, refusals=None, reason=None)
        self.wake()

    def replay(self, by: str, since: datetime | None = None) -> int:
        """Let all leads waiting for a person go on; return their number. `since`: only leads accepted from then on.

        Leads that may be in AmoCRM are searched for, the rest is tried anew.
        """
        count = self._people.replay(by, since)
        self.wake()
        return count

    # Delivering

    def start(self) -> None:
        """Begin delivering in the background."""
        self._workers.start()

    def stop(self, patience_s: float = 5.0) -> None:
        """Finish the leads at hand and stop."""
        self._workers.stop(patience_s)

    @property
    def is_running(self) -> bool:
        """Whether the background workers of this process are alive."""
        return self._workers.are_running

    @property
    def has_died(self) -> bool:
        """Whether the background workers were started and have ended by themselves."""
        return self._workers.have_died

    def deliver_due(self) -> int:
        """Deliver all due leads, one after the other; return the number of leads taken up."""
        return self._work(False)

    def _work(self, live_only: bool) -> int:
        count = 0 if live_only else self._look_for_lost()
        while not self._workers.are_stopping and (job := self._queue.take(live_only=live_only)) is not None:
            self._carrier.carry(job)
            count += 1
            if not live_only:
                count += self._look_for_lost()
        return count

    def _look_for_lost(self) -> int:
        """Search for lost leads; return their number. A process runs a single search at a time, for all lost leads at once."""
        if not self._searching.acquire(blocking=False):
            return 0
        failed: Exception | None = None
        try:
            return self._search.look() if self._queue.has_lost_due() else 0
        except Exception as error:
            # What nobody knows of must not hold up what can be sent.
            failed = error
            log.error("a search stumbled: %s", places(error))
            return 0
        finally:
            self._searching.release()
            report_round(self._on_round, "search", failed)

    def _belongs_to_another_account(self, begun_in: int | None) -> bool:
        """Whether a lead begun in account `begun_in` is not of the connected account. At most one request."""
        return begun_in is not None and begun_in != self._connection.ask_account_id()
