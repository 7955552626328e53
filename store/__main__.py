"""`python -m store "What changes"`: write the migration from the last migration to the tables in code."""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from store.engine import Store
from store.migrations import config


def main(message: str) -> None:
    """Compare a fresh, upgraded SQLite database with the tables and write the differences as the next migration."""
    last = ScriptDirectory.from_config(config()).get_current_head() or "0"
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder)}/empty.db")
        store.upgrade()
        with store.write() as db:
            settings = config()
            settings.attributes["connection"] = db
            command.revision(settings, message=message, autogenerate=True, rev_id=f"{int(last) + 1:04}")
        store.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:  # one sentence
        sys.exit('usage: python -m store "What changes"')
    main(sys.argv[1])
