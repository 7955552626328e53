"""The database: tables, engine, migrations. SQLAlchemy Core, no objects that save themselves.

SQLite by default, PostgreSQL by `DATABASE_URL`; every other room gets a `Store` and does not know which. What goes wrong in it
is a `StoreError`. Imports nothing of ours.
"""

from store import clock, jumps, leases, owners, single_flight, tables, waits
from store.engine import Store
from store.errors import StoreError, is_away

__all__ = ["Store", "StoreError", "clock", "is_away", "jumps", "leases", "owners", "single_flight", "tables", "waits"]
