"""The connection to AmoCRM, its pace, and its journal. Written by rooms of `crm`."""

import sqlalchemy as sa

from store.tables.columns import BigId, Moment, metadata

# One row: how we are let into AmoCRM.
grants = sa.Table(
    "grants",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),  # 1: the pair of the OAuth connection; 2: the long-lived token
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
    sa.Column("cause", sa.String(16)),  # why this pair was asked for
    sa.Column("works", sa.Boolean, nullable=False, server_default=sa.false()),  # AmoCRM has accepted this pair's token
    sa.Column("trouble", sa.String(64)),  # the error code that made the pair useless; null: in order
    sa.Column("trouble_setup", sa.String(12)),  # fingerprint of the settings it came of
    sa.Column("failures", sa.Integer, nullable=False, default=0, server_default="0"),  # refreshes in a row
    sa.Column("next_attempt_at", Moment),  # not before, by ourselves
    sa.Column("unsure_since", Moment),  # a refresh was sent and no answer came: the refresh token may be spent
    sa.Column("clock_skew_s", sa.Float),  # how far our clock is ahead of AmoCRM's
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
    sa.Column("lease_owner", sa.String(200)),  # the process, see store.owners
)

# One row: one attempt to get a pair, written down before the call.
refreshes = sa.Table(
    "refreshes",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("cause", sa.String(16), nullable=False),  # "consent", "code", "early", "expired", "rejected", "by_hand" …
    sa.Column("process", sa.String(40)),
    sa.Column("old_print", sa.String(12)),  # fingerprints of refresh tokens: the one spent, the one got
    sa.Column("new_print", sa.String(12)),
    sa.Column("result", sa.String(64)),  # "ok" or an error code; null: has not ended, or its process died
)

# One row: an authorization the admin began and AmoCRM has not answered yet.
oauth_states = sa.Table(
    "oauth_states",
    metadata,
    sa.Column("state_hash", sa.String(64), primary_key=True),  # sha256; the state itself is only in the browser
    sa.Column("bound_to", sa.String(64), nullable=False),  # sha256 of the browser's cookie; "" for the API
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
)

# One row: the pace of requests to one AmoCRM account, shared by all processes.
request_pace = sa.Table(
    "request_pace",
    metadata,
    sa.Column("account", sa.String(200), primary_key=True),
    sa.Column("sent", sa.Text, nullable=False),  # JSON list: shared-clock times of the last requests, oldest first
    sa.Column("next_at", sa.Float, nullable=False),  # not before
    sa.Column("live_at", sa.Float, nullable=False),  # when live work last waited; background work steps back
    sa.Column("gap_s", sa.Float, nullable=False),  # between requests; wider than set after a 429
)

# One row: one operation with AmoCRM, for people. Holds no token, phone or body.
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
