"""Saved filters and exported files. Written by `desk.listing` and `desk.exports`."""

import sqlalchemy as sa

from store.tables.columns import Moment, metadata

# One row: the filters of the leads list, saved under a name.
views = sa.Table(
    "views",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owner", sa.Text),  # a person's name; null: everybody's
    sa.Column("filters", sa.Text, nullable=False),  # JSON
    sa.Column("made_by", sa.Text),
    sa.Column("made_at", Moment, nullable=False),
)

# One row: a file somebody asked for.
exports = sa.Table(
    "exports",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("asked_at", Moment, nullable=False, index=True),
    sa.Column("asked_by", sa.Text),
    sa.Column("kind", sa.String(8), nullable=False),  # "csv" or "xlsx"
    sa.Column("wanted", sa.Text, nullable=False),  # JSON: filter, order, columns, language
    sa.Column("state", sa.String(10), nullable=False),  # "waiting", "running", "done", "failed", "cancelled"
    sa.Column("done", sa.Integer, nullable=False, default=0),  # rows
    sa.Column("expected", sa.Integer),
    sa.Column("owner", sa.Text),  # the process that writes it
    sa.Column("ended_at", Moment),
    sa.Column("reason", sa.String(64)),
)
