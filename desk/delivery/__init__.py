"""From "typed in" to "in AmoCRM", once.

    accept ─► lead + steps in one transaction, on the disk ─► a worker takes it ─► contact ─► lead ─► note ─► delivered
                                                                 │ the creating request left, no answer came
                                                                 └► unknown ─► AmoCRM is searched for our marker ─► …

    decisions.py   what follows from what: pure
    request.py     a lead as AmoCRM wants it: pure
    rows.py        the tables: accepting, leases, steps, attempts, the pause of the whole queue
    carry.py       one lead's way: contact, lead, note, stage, task
    search.py      leads of which nobody knows whether they arrived
    worker.py      the threads, and the heartbeat that keeps their leases
    outbox.py      the door for other rooms: accept, look, decide, start, stop
    report.py      what pages and programs are told

States: `queued → sending → delivered`; `unknown` (a creating request left and no answer came: never blindly sent
again); `needs_decision` (we looked and cannot tell, or tried for a day); `refused` (AmoCRM says the content is
wrong: a person repairs and resends); `dropped` (a person's choice, with their name).
"""

from desk.delivery import decisions, report
from desk.delivery.decisions import DELIVERED, DROPPED, FOR_PEOPLE, NEEDS_DECISION, QUEUED, REFUSED, SENDING, UNKNOWN
from desk.delivery.outbox import DeliveryPlan, Outbox
from desk.delivery.report import Progress
from desk.delivery.rows import new_lead

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
    "decisions",
    "new_lead",
    "report",
]
