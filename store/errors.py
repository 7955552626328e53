"""The error of the store. No other error leaves `store`."""

from __future__ import annotations

from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

UNREACHABLE, NEWER, FAILED = "database_unreachable", "database_newer", "database_failed"

AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)


class StoreError(Exception):
    """The database failed to do its part, and nothing of the transaction is written.

    `code`: `UNREACHABLE` for one that is away, full, locked or too slow for the moment; `NEWER` for one that a newer desk has
    changed; `FAILED` for anything else, which is a fault of the program. The text is the code alone: the database's own words
    may quote somebody's phone.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def code_of(error: Exception) -> str:
    """The code for an error of SQLAlchemy's. SQLite raises the bare `DatabaseError` for a damaged file and for a
    file of another program."""
    is_file = type(error) is DatabaseError
    return UNREACHABLE if is_file or isinstance(error, AWAY) else FAILED


def is_away(error: BaseException) -> bool:
    """Whether an error means that the database is away for the moment; any other error is a fault of the program."""
    return isinstance(error, StoreError) and error.code == UNREACHABLE
