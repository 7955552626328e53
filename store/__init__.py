"""The desk's own database: tables, engine, migrations. SQLAlchemy Core, no objects that save themselves.

SQLite by default, PostgreSQL by `DATABASE_URL`; every other room gets a `Store` and does not know which.
"""

from store.engine import Store, is_away

__all__ = ["Store", "is_away"]
