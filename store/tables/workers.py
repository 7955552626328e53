"""The desk's notes about itself, and the rounds of its background work (written by `desk.health`)."""

import sqlalchemy as sa

from store.tables.columns import Moment, metadata

# One row: something the desk has to remember about itself. A writer for each key, see `WRITERS`.
facts = sa.Table(
    "facts",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),  # "marker of leads", "account" …
    sa.Column("value", sa.Text, nullable=False),
)

# One row: a kind of work in the background, and how its last rounds went.
worker_rounds = sa.Table(
    "worker_rounds",
    metadata,
    sa.Column(
        "name", sa.String(32), primary_key=True
    ),  # "delivery", "search", "mirror", "hooks", "keeper", "pruning", …
    sa.Column("succeeded_at", Moment),  # the end of the last round that went well
    sa.Column("failed_at", Moment),
    sa.Column("reason", sa.String(64)),  # error code of the last failure, or the name of an exception nobody foresaw
    sa.Column("place", sa.String(200)),  # where in the code that exception came from; never its text
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row
)
