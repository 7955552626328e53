"""Every table of the desk's database: what one row is, and who writes it.

Times are aware UTC (`Moment`); pace and leases use unix seconds of the shared clock, because they are
compared with each other and never shown. Free-form values are JSON text, never pickles.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

HEAD = "0001"
"""The newest migration. A test compares it with the scripts; knowing it here saves importing Alembic at start."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware UTC time. Both databases store it as naive UTC; nothing naive gets in or out."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time has no place in the database")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A number that counts itself up; SQLite only does that for a column called INTEGER."""


# One row: how we are let into AmoCRM. Written by crm.connection alone.
grants = sa.Table(
    "grants",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),  # always 1: one desk, one account
    sa.Column("account_url", sa.Text, nullable=False),  # scheme and host the pair belongs to
    sa.Column("configured_url", sa.Text, nullable=False),  # what the settings said then; another one now: not our grant
    sa.Column("sealed_pair", sa.Text),  # encrypted JSON {access, refresh}; null: disconnected
    sa.Column("access_print", sa.String(12)),  # fingerprints: safe to show, compare and log
    sa.Column("refresh_print", sa.String(12)),
    sa.Column("issued_at", Moment),
    sa.Column("expires_at", Moment),  # of the access token
    sa.Column(
        "generation", sa.Integer, nullable=False, default=0
    ),  # counts stored pairs; whoever lost a race sees it moved
    sa.Column("trouble", sa.String(64)),  # the error code that made the pair useless; null: in order
    sa.Column("account_id", sa.BigInteger),
    sa.Column("account_name", sa.Text),
    sa.Column("subdomain", sa.Text),
    sa.Column("connected_by", sa.Text),
    sa.Column("connected_at", Moment),
    sa.Column("refreshed_at", Moment),  # last successful refresh
    sa.Column("attempted_at", Moment),  # last attempt, whatever came of it
    sa.Column("attempt_result", sa.String(64)),  # "ok" or an error code
    sa.Column("lease_number", sa.Integer, nullable=False, default=0),  # fencing: a late holder's number is too small
    sa.Column("lease_until", sa.Float, nullable=False, default=0.0),  # shared clock
)

# One row: an authorization the admin began and AmoCRM has not answered yet. Written by crm.connection.
oauth_states = sa.Table(
    "oauth_states",
    metadata,
    sa.Column("state_hash", sa.String(64), primary_key=True),  # sha256; the state itself is only in the browser
    sa.Column("bound_to", sa.String(64), nullable=False),  # sha256 of the browser's cookie; "" for the API
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
)

# One row: the pace of requests to one AmoCRM account, shared by all processes. Written by crm.amo.limiter.
request_pace = sa.Table(
    "request_pace",
    metadata,
    sa.Column("account", sa.String(200), primary_key=True),
    sa.Column("sent", sa.Text, nullable=False),  # JSON list: shared-clock times of the last requests, oldest first
    sa.Column("next_at", sa.Float, nullable=False),  # not before
    sa.Column("live_at", sa.Float, nullable=False),  # when live work last waited; background work steps back
    sa.Column("gap_s", sa.Float, nullable=False),  # between requests; wider than set after a 429
)

# One row: one operation with AmoCRM, for people. Written by crm.activity. Holds no token, phone or body.
activity = sa.Table(
    "activity",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("operation", sa.String(64), nullable=False),
    sa.Column("result", sa.String(64), nullable=False),  # "ok" or an error code
    sa.Column("status", sa.Integer),  # HTTP status; null: none came
    sa.Column("duration_ms", sa.Integer),
    sa.Column("request_id", sa.String(100)),  # AmoCRM's, for their support
    sa.Column("subject", sa.String(200)),  # ids and fingerprints only
    sa.Index(None, "kind", "at"),
)

# One row: a field of the account as AmoCRM last described it. Replaced as a whole by crm.fields.
known_fields = sa.Table(
    "known_fields",
    metadata,
    sa.Column("entity", sa.String(16), primary_key=True),  # "leads" or "contacts"
    sa.Column("field_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.String(40), nullable=False),
    sa.Column("code", sa.String(100)),
    sa.Column("choices", sa.Text, nullable=False),  # JSON list of texts
    sa.Column("is_api_only", sa.Boolean, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
)

# One row: a choice made on the fields page; it wins over the settings. Written by crm.fields.
mapped_fields = sa.Table(
    "mapped_fields",
    metadata,
    sa.Column("key", sa.String(40), primary_key=True),  # "phone", "direction", … or one the admin added
    sa.Column("entity", sa.String(16), nullable=False),
    sa.Column("field_id", sa.BigInteger, nullable=False),
    sa.Column("label", sa.Text),  # what the form calls an added one
    sa.Column("position", sa.Integer, nullable=False, default=0),
)

# One row: a lead somebody was told is accepted. Written once by crm.delivery, never changed but by a repair.
accepted_leads = sa.Table(
    "accepted_leads",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),  # ours, unguessable: it is in the status address
    sa.Column("accepted_at", Moment, nullable=False, index=True),
    sa.Column("origin", sa.String(8), nullable=False),  # "desk" or "api"
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("phone", sa.String(40), nullable=False),  # E.164, ";ext=" where there is an extension
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("extra", sa.Text, nullable=False),  # JSON {mapped field key: value}
)

# One row: the way of that lead into AmoCRM. Born in the same transaction as the lead. Written by crm.delivery.
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("lead_id", sa.String(32), sa.ForeignKey("accepted_leads.id"), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("due_at", sa.Float, nullable=False),  # shared clock: not before
    sa.Column("lease_number", sa.Integer, nullable=False, default=0),
    sa.Column("lease_until", sa.Float, nullable=False, default=0.0),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.String(64)),  # the error code of the last attempt
    sa.Column("refusals", sa.Text),  # JSON [[path, code], …] of a refused one
    sa.Column("contact_id", sa.BigInteger),  # what exists in AmoCRM so far; a step done is not done again
    sa.Column("contact_was_known", sa.Boolean),  # found by phone, not made by us: its own fields are left alone
    sa.Column("amo_lead_id", sa.BigInteger),
    sa.Column("note_id", sa.BigInteger),
    sa.Column("settled_at", Moment),
    sa.Index(None, "state", "due_at"),
)
