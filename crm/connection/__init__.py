"""How the desk is let into AmoCRM: one OAuth grant, kept alive, spent by nobody twice, explained to people.

    consent.py    getting in: state, code, exchange; and being put out again by AmoCRM's admin
    refresh.py    staying in: one refresh at a time across all threads and processes
    grant.py      the row both work on: the sealed pair, the lease, the journal of refreshes
    decisions.py  what follows from what: pure
    status.py     the whole story for people and programs, from the row alone

`Connection` is the door to all of it, and the only name other rooms use.
"""

from crm.connection.connection import Connection
from crm.connection.status import Refresh, Status

__all__ = ["Connection", "Refresh", "Status"]
