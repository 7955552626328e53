"""Accepted leads and their delivery to AmoCRM. Written by `desk.delivery`."""

import sqlalchemy as sa

from store.tables.columns import BigId, Moment, metadata

# One row: a lead somebody was told is accepted. Written once; changed only when a person repairs a refused lead.
accepted_leads = sa.Table(
    "accepted_leads",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),  # ours, unguessable; it is the marker the lead carries in AmoCRM
    sa.Column("accepted_at", Moment, nullable=False, index=True),
    sa.Column("origin", sa.String(8), nullable=False),  # "desk" or "api"
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("phone", sa.String(40), nullable=False, index=True),  # E.164, ";ext=" where there is an extension
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("extra", sa.Text, nullable=False),  # JSON {mapped field key: value; "said:" and a name: as it was said}
    sa.Column("form_id", sa.String(32)),  # of which form; null for the operator's
    sa.Column(
        "tracking", sa.Text, nullable=False, server_default="{}"
    ),  # JSON {code of AmoCRM's tracking field: value}
    sa.Column("entered_by", sa.Text),  # the operator's name
)

# One row: a consent to the processing of personal data, as it was given. Born with the lead.
consents = sa.Table(
    "consents",
    metadata,
    sa.Column("lead_id", sa.String(32), sa.ForeignKey("accepted_leads.id"), primary_key=True),
    sa.Column("text_version", sa.String(100), nullable=False),
    sa.Column("given_at", Moment, nullable=False),
    sa.Column("ip", sa.String(45)),
    sa.Column("form", sa.Text, nullable=False),  # the form's name as it was then
    sa.Column("taken_by", sa.Text),  # of a spoken one: the operator, "" for one without a name; null: it was written
)

# One row: the way of that lead into AmoCRM. Born in the same transaction as the lead.
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("lead_id", sa.String(32), sa.ForeignKey("accepted_leads.id"), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("priority", sa.SmallInteger, nullable=False, server_default="1"),  # 0: somebody is on the line
    sa.Column("due_at", sa.Float, nullable=False),  # shared clock: not before
    sa.Column(
        "waits_from", sa.Float, nullable=False, server_default="0"
    ),  # when that was written down, see store.waits
    sa.Column("lease_number", sa.Integer, nullable=False, default=0),  # fencing: a late holder's number is too small
    sa.Column("lease_until", sa.Float, nullable=False, default=0.0),  # shared clock
    sa.Column("lease_owner", sa.String(200)),  # the process, see store.owners
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # of its own in a row
    sa.Column("stumbles", sa.Integer, nullable=False, server_default="0"),  # failures in a row that nobody foresaw
    sa.Column(
        "trying_s", sa.Float, nullable=False, server_default="0"
    ),  # pauses it got for them; the horizon counts these
    sa.Column("reason", sa.String(64)),  # the error code of the last attempt
    sa.Column("refusals", sa.Text),  # JSON [[path, code, key of the field], ...] of a refused one
    sa.Column("sends", sa.Integer, nullable=False, server_default="0"),  # how often the creating request has left
    sa.Column("sent_at", Moment),  # when the last one of them left whose outcome nobody knows; null: all are known
    sa.Column("sent_theirs", sa.Float),  # the same by AmoCRM's own clock, unix seconds; null: not known then
    sa.Column("unknown_at", sa.Float),  # shared clock: when that request ended or was given up
    sa.Column(
        "looked_s", sa.Float, nullable=False, server_default="0"
    ),  # really waited for it since, see decisions.waited
    sa.Column("marker_field", sa.BigInteger),  # the field that carried our marker then; null: none
    sa.Column("looks", sa.Integer, nullable=False, server_default="0"),  # how often AmoCRM was searched for it since
    sa.Column("candidates", sa.Text),  # JSON list of AmoCRM lead ids that may be it, for a person to choose from
    sa.Column("contact_id", sa.BigInteger),  # what exists in AmoCRM so far; a step done is not done again
    sa.Column("contact_was_known", sa.Boolean),  # found by phone, not made by us: its own fields are left alone
    sa.Column("amo_lead_id", sa.BigInteger, index=True),
    sa.Column("delivered_at", Moment),  # when the lead first was in AmoCRM
    sa.Column("settled_at", Moment),  # nothing more happens by itself
    sa.Column("decided_by", sa.Text),  # who dropped it, sent it again or said that it exists
    sa.Column("leaves_at", Moment),  # until then whoever saved it may take it back; null: it left at once
    sa.Column("new_contact", sa.Boolean, nullable=False, server_default=sa.false()),  # another person on a known number
    sa.Column("account_id", sa.BigInteger),  # AmoCRM's, in which all ids above mean something; null: the present one
    sa.Column("maybe_in", sa.Text),  # JSON list [[account id, when sent]]: former accounts in which it is or may be
    sa.Index(None, "state", "priority", "due_at"),
)

# One row: one thing to do in AmoCRM for a lead, in order.
delivery_steps = sa.Table(
    "delivery_steps",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("lead_id", sa.String(32), sa.ForeignKey("accepted_leads.id"), nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # "lead", "note", "stage", "task", "task_done"
    sa.Column("payload", sa.Text),  # JSON; null: follows from the lead
    sa.Column("state", sa.String(8), nullable=False),  # "todo", "unsure" (left and unanswered), "done"
    sa.Column("amo_id", sa.BigInteger),  # of what it made
)

# One row: one try of one step. Holds no body, no token and no personal data.
delivery_attempts = sa.Table(
    "delivery_attempts",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("lead_id", sa.String(32), sa.ForeignKey("accepted_leads.id"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("step", sa.String(16), nullable=False),  # a step's kind, "contact", "search", or "person" for a decision
    sa.Column("result", sa.String(64), nullable=False),  # "ok", an error code, or what was decided
    sa.Column("status", sa.Integer),  # HTTP status; null: none came
    sa.Column("duration_ms", sa.Integer),
    sa.Column("request_id", sa.String(100)),  # AmoCRM's, for their support
    sa.Column("by", sa.Text),  # whose decision
)

# One row: why the whole queue waits.
delivery_pause = sa.Table(
    "delivery_pause",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),  # always 1
    sa.Column("reason", sa.String(64)),  # error code; null: it does not wait
    sa.Column("since", Moment),
    sa.Column("until", sa.Float, nullable=False),  # shared clock: then one delivery tries for all
    sa.Column(
        "waits_from", sa.Float, nullable=False, server_default="0"
    ),  # when that was written down, see store.waits
    sa.Column("failures", sa.Integer, nullable=False),  # tries for all in a row that failed
    sa.Column("grant_generation", sa.Integer),  # of the connection then; another one ends the pause
)
