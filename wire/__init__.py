"""HTTP with an end to every wait. Knows nothing of AmoCRM.

    session.py      one exchange over `requests`: has its first byte left? is its answer whole? is its time over?
    deadline.py     the end of an exchange, whatever the other side does
    resolver.py     addresses of a host, within a time
    their_clock.py  the other side's clock, by the `Date` of its answers
    errors.py       what can go wrong: not sent, not answered, not usable

`requests` is imported here and nowhere else. Imports nothing of ours.
"""

from wire.errors import NOT_FINAL, TOO_LARGE, Unanswered, Unsent, Unusable, WireError
from wire.session import NOBODY, Answer, Bearer, Params, Request, Session
from wire.their_clock import TheirClock

__all__ = [
    "NOBODY",
    "NOT_FINAL",
    "TOO_LARGE",
    "Answer",
    "Bearer",
    "Params",
    "Request",
    "Session",
    "TheirClock",
    "Unanswered",
    "Unsent",
    "Unusable",
    "WireError",
]
