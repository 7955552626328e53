"""What can go wrong with the database, as one error. Nothing else leaves `store`."""

from __future__ import annotations

from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

UNREACHABLE, NEWER, FAILED = "database_unreachable", "database_newer", "database_failed"

AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)


class StoreError(Exception):
    """The database did not do what it was asked to, and nothing of the transaction is written.

    `code`: `UNREACHABLE` for one that is away, full, locked or too slow for the moment; `NEWER` for one that a newer desk has
    changed; `FAILED` for anything else, which is a fault of the program. The text is the code alone: the database's own words
    may quote somebody's phone.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def code_of(error: Exception) -> str:
    """The code for an error of SQLAlchemy's. The bare `DatabaseError` is SQLite's word for a file that is damaged or none of its own."""
    is_file = type(error) is DatabaseError
    return UNREACHABLE if is_file or isinstance(error, AWAY) else FAILED


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database is away for the moment; any other is a fault of the program."""
    return isinstance(error, StoreError) and error.code == UNREACHABLE
