"""Forms, their keys, and submissions over HTTP. Written by `desk.intake`."""

import sqlalchemy as sa

from store.tables.columns import BigId, Moment, metadata

# One row: a form of the site or another program that hands leads in.
forms = sa.Table(
    "forms",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),  # "api": whoever shows INTAKE_API_KEY, and this machine
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),  # the lead's source where the submission names none; "" for none
    sa.Column("origins", sa.Text, nullable=False),  # JSON list of sites whose pages may post
    sa.Column("thanks_url", sa.Text, nullable=False),  # where a plain HTML form is led to; "" for our own page
    sa.Column("duplicate_s", sa.Integer, nullable=False),  # the same phone again this soon is the same lead
    sa.Column("least_fill_s", sa.Float, nullable=False),  # filled in faster than this it was no person; 0: do not ask
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column(
        "preset", sa.String(16), nullable=False, server_default=""
    ),  # whose ways it follows, see desk.intake.presets
    sa.Column(
        "answer", sa.String(8), nullable=False, server_default="json"
    ),  # "plain": a word and 200 instead of 202 and JSON
    sa.Column("key_in_address", sa.Boolean, nullable=False, server_default=sa.false()),  # for who can send no header
    sa.Column(
        "note_unknown", sa.Boolean, nullable=False, server_default=sa.false()
    ),  # names nobody knows go into the note
    sa.Column(
        "required", sa.Text, nullable=False, server_default="[]"
    ),  # JSON list of fields without which none is taken
    sa.Column("taught", sa.Text, nullable=False, server_default="{}"),  # JSON {name as it comes: what it means}
    sa.Column(
        "code", sa.Text, nullable=False, server_default=""
    ),  # the word a sender asks for before it sends anything
)

# One row: a name that came in a form's submissions. Names only, never what was said.
seen_names = sa.Table(
    "seen_names",
    metadata,
    sa.Column("form_id", sa.String(32), sa.ForeignKey("forms.id"), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("meaning", sa.String(40), nullable=False),  # what it was taken for; "" for nothing
    sa.Column("tier", sa.SmallInteger, nullable=False),  # how sure that was, see desk.intake.names
    sa.Column("seen_at", Moment, nullable=False),  # to a day
)

# One row: a key of a form. Only its hash is kept.
form_keys = sa.Table(
    "form_keys",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("form_id", sa.String(32), sa.ForeignKey("forms.id"), nullable=False, index=True),
    sa.Column("key_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("hint", sa.String(8), nullable=False),  # its last characters, to tell keys apart
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ends_at", Moment),  # set when a new key took over, or at once when it was revoked
)

# One row: something that was handed in over HTTP, whatever became of it.
submissions = sa.Table(
    "submissions",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),  # of a flagged one it was told as the lead's id
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("form_id", sa.String(32), nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),  # "accepted", "duplicate", "repeated", "refused", "flagged"
    sa.Column("reason", sa.String(64)),  # error code of a refused one, sign of a flagged one
    sa.Column("faults", sa.Text),  # JSON [[field, code], ...]
    sa.Column("lead_id", sa.String(32)),
    sa.Column("body", sa.Text),  # JSON of what came, where no accepted lead holds it
    sa.Column("raw", sa.Text),  # the text of a body that could not be read
    sa.Column("others", sa.Text),  # JSON {label: value} of what an accepted one said under names nobody knows
    sa.Column("ip", sa.String(45)),
    sa.Index(None, "form_id", "at"),
    sa.Index(None, "outcome", "at"),
)

# One row: an Idempotency-Key and the answer it got. Born in the same transaction as the lead.
idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("form_id", sa.String(32), primary_key=True),
    sa.Column("key_hash", sa.String(64), primary_key=True),
    sa.Column("body_hash", sa.String(64), nullable=False),
    sa.Column("lead_id", sa.String(32), nullable=False),
    sa.Column("made_at", Moment, nullable=False, index=True),
)
