"""Webhooks of AmoCRM: calls, secrets, missed changes. Written by `desk.webhooks`; misses are noted by `desk.mirror`."""

import sqlalchemy as sa

from store.tables.columns import BigId, Moment, metadata

# One row: a call of AmoCRM's webhook, stored before it was answered.
hooks = sa.Table(
    "hooks",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("received_at", Moment, nullable=False, index=True),
    sa.Column("body", sa.Text),  # as it came; null when it is dealt with
    sa.Column("body_hash", sa.String(64), nullable=False, index=True),
    sa.Column("state", sa.String(8), nullable=False, index=True),  # "new", "done", "again" (seen before), "bad"
    sa.Column("entities", sa.Text),  # JSON {"leads": [ids], "contacts": [ids]}
    sa.Column("told_at", sa.BigInteger),  # newest change it tells of, AmoCRM's clock
    sa.Column("done_at", Moment),
    sa.Column(
        "fetched_at", sa.Float
    ),  # when what it tells of was asked for, unix seconds of AmoCRM's clock; null: not known
    sa.Column("reason", sa.String(64)),  # why it is "bad"
)

# One row: a secret in the webhook's address.
hook_secrets = sa.Table(
    "hook_secrets",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ends_at", Moment),  # set when a new one took over
)

# One row: a change the periodic reading found that no hook had told.
hook_misses = sa.Table(
    "hook_misses",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("entity", sa.String(16), nullable=False),
    sa.Column("entity_id", sa.BigInteger, nullable=False),
)
