"""From "typed in" to "in AmoCRM", once.

    accept ─► lead + steps in one transaction, on the disk ─► a worker takes it ─► contact ─► lead ─► note ─► delivered
                                                                 │ the creating request left, no answer came
                                                                 └► unknown ─► AmoCRM is searched for our marker ─► …

    decisions.py   what follows from what: pure
    request.py     a lead as AmoCRM wants it: pure
    outbox.py      the door for other rooms: accept, look, decide, start, stop
    tools.py       what a delivery works with of the rest of the desk

    job.py         a lead as a worker holds it
    acceptance.py  its rows: born, added to, taken back
    queue.py       taking a lead with a lease, extending leases, rescuing
    pause.py       the pause of the whole queue
    record.py      what happened to a lead, written down by its worker
    people.py      what people decide, written down
    changes.py     what both of them can change
    columns.py     columns that are always written together
    stopwatch.py   how long a lead has really waited

    carry.py       one lead's way: contact, lead, note, stage, task
    run.py         how far a worker's go at a lead has got
    search.py      leads of which nobody knows whether they arrived
    worker.py      the threads, and the heartbeat that keeps their leases
    report.py      what pages and programs are told

States: `queued → sending → delivered`; `unknown` (a creating request left and no answer came: never blindly sent
again); `needs_decision` (we looked and cannot tell, or tried for a day); `refused` (AmoCRM says the content is
wrong: a person repairs and resends); `dropped` (a person's choice, with their name).
"""

from desk.delivery import decisions, report
from desk.delivery.acceptance import DeliveryPlan
from desk.delivery.decisions import DELIVERED, DROPPED, FOR_PEOPLE, NEEDS_DECISION, QUEUED, REFUSED, SENDING, UNKNOWN
from desk.delivery.job import new_lead
from desk.delivery.outbox import Outbox
from desk.delivery.report import Progress
from desk.delivery.tools import Tools

__all__ = [
    "DELIVERED",
    "DROPPED",
    "FOR_PEOPLE",
    "NEEDS_DECISION",
    "QUEUED",
    "REFUSED",
    "SENDING",
    "UNKNOWN",
    "DeliveryPlan",
    "Outbox",
    "Progress",
    "Tools",
    "decisions",
    "new_lead",
    "report",
]
