"""The migrations: how the database got its shape, a step for each version. Run by `Store.upgrade`; never edited
after a release."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError

from store.errors import NEWER, StoreError

POSTGRES_UPGRADE_LOCK = 0x4C44_6573_6B  # "LDesk": any number of ours, the same in every process


def config() -> Config:
    """Alembic's configuration, without a file: the scripts are the folder beside the module."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return settings


def upgrade(engine: sa.Engine) -> None:
    """Run the missing steps in one transaction, so that two processes starting together do them once.

    SQLite: the engine's writing transaction holds the write lock. PostgreSQL: an advisory lock does.
    """
    with engine.begin() as db:
        if db.dialect.name == "postgresql":
            db.execute(sa.select(sa.func.pg_advisory_xact_lock(POSTGRES_UPGRADE_LOCK)))
        settings = config()
        settings.attributes["connection"] = db
        try:
            command.upgrade(settings, "head")
        except CommandError as error:
            raise StoreError(NEWER) from error
