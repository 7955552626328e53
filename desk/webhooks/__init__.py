"""AmoCRM's webhooks, from the call that AmoCRM makes to the ids that the mirror fetches again.

AmoCRM ─► POST /api/amocrm/webhook/{secret} ─► parsed, stored, answered ─► inbox ─► the mirror fetches those objects

A hook is a hint and never believed: it names what has changed, AmoCRM itself is asked how. What no hook tells, the
mirror's rounds find.

bodies.py        a body as AmoCRM sends it, read with limits: pure
decisions.py     can AmoCRM reach us, what is to be done about our subscriptions: pure
inbox.py         the stored calls: what is new, what was said twice, what could not be read
addresses.py     the secret in the address, and its change with an overlap
webhooks.py      the door: a call comes in, the subscription is kept alive
report.py        on or off and why, how late, how many were lost; for people
"""

from desk.webhooks.bodies import LARGEST_BYTES
from desk.webhooks.report import REASONS, Report, Standing
from desk.webhooks.webhooks import Webhooks

__all__ = ["LARGEST_BYTES", "REASONS", "Report", "Standing", "Webhooks"]
