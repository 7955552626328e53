"""How a program is let into AmoCRM: an OAuth grant, kept alive and never spent twice, or a long-lived token.

    connection.py   the door to all of it: connect, tokens for the client, whose account it is
    consent.py      getting in: state, code, exchange; and being put out again by AmoCRM's admin
    pair.py         the access token of the stored pair, for the client
    refresh.py      staying in: one refresh at a time across all threads and processes
    long_lived.py   the settings' token, which nobody can renew
    owner.py        whose account a token opens
    grant.py        the row they work on: the sealed pair, the lease, the journal of refreshes
    decisions.py    what follows from what: pure
    status.py       the state, from the row alone

When a refresh is due by itself or by hand, and what people are told of it, is `desk.connection`'s business.
"""

from crm.connection import decisions
from crm.connection.connection import Connection
from crm.connection.consent import STATE_LIFE
from crm.connection.grant import GIVEN, LONG_LIVED, OURS, Held
from crm.connection.pair import usable
from crm.connection.status import Status

__all__ = ["GIVEN", "LONG_LIVED", "OURS", "STATE_LIFE", "Connection", "Held", "Status", "decisions", "usable"]
