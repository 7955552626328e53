"""The call desk: drafts, calls, texts to read out. Written by `desk.calls`."""

import sqlalchemy as sa

from store.tables.columns import Moment, metadata

# One row: what somebody has typed into a form and not saved yet, or saved a short while ago.
drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),  # the only thing of it that an address may hold
    sa.Column("operator", sa.Text, nullable=False),  # "" for one without a name
    sa.Column("form", sa.String(16), nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # JSON {field: what stands in it}
    sa.Column("answers", sa.String(32)),  # our id of the earlier entry whose call-back this call is
    sa.Column("started_at", Moment, nullable=False),  # the first key
    sa.Column("changed_at", Moment, nullable=False, index=True),
    sa.Column("lead_id", sa.String(32)),  # what it was saved as; null: not yet
    sa.Index(None, "operator", "form", "lead_id"),
)

# One row: what an operator has told of a call. Born in the same transaction as the lead.
calls = sa.Table(
    "calls",
    metadata,
    sa.Column("lead_id", sa.String(32), sa.ForeignKey("accepted_leads.id"), primary_key=True),
    sa.Column(
        "draft_id", sa.String(32), nullable=False, unique=True
    ),  # a draft is saved once, whoever presses how often
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),  # "new", "add" (to a lead), "same" or "other" person on the number
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("heard", sa.String(16), nullable=False),  # how they heard of us; "not_asked" is an answer too
    sa.Column("step", sa.String(16), nullable=False),  # what comes next: "call_back", "visit", "trial", "nothing"
    sa.Column("step_at", Moment),
    sa.Column("step_for", sa.Text),  # whose it is; null: anyone's
    sa.Column("reason", sa.Text, nullable=False),  # why nothing comes next
    sa.Column("answers", sa.String(32)),  # the entry whose call-back this call was
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("saved_at", Moment, nullable=False, index=True),
    sa.Column("done_at", Moment),  # of the call-back
    sa.Column("done_by", sa.Text),
    sa.Index(None, "step", "done_at", "step_at"),
)

# One row: a version of a text the operators read out. The newest counts; older ones say what was read out then.
call_texts = sa.Table(
    "call_texts",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),  # "script" or "consent"
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)
