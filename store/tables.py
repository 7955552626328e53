"""Every table of the desk's database: what one row is, and who writes it.

Times are aware UTC (`Moment`); pace and leases use unix seconds of the shared clock, because they are
compared with each other and never shown. Free-form values are JSON text, never pickles.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

HEAD = "0009"
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

# One row: one attempt to get a pair, written down before the call. Written by crm.connection.grant.
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

# One row: an authorization the admin began and AmoCRM has not answered yet. Written by crm.connection.
oauth_states = sa.Table(
    "oauth_states",
    metadata,
    sa.Column("state_hash", sa.String(64), primary_key=True),  # sha256; the state itself is only in the browser
    sa.Column("bound_to", sa.String(64), nullable=False),  # sha256 of the browser's cookie; "" for the API
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
)

# One row: the pace of requests to one AmoCRM account, shared by all processes. Written by crm.limiter.
request_pace = sa.Table(
    "request_pace",
    metadata,
    sa.Column("account", sa.String(200), primary_key=True),
    sa.Column("sent", sa.Text, nullable=False),  # JSON list: shared-clock times of the last requests, oldest first
    sa.Column("next_at", sa.Float, nullable=False),  # not before
    sa.Column("live_at", sa.Float, nullable=False),  # when live work last waited; background work steps back
    sa.Column("gap_s", sa.Float, nullable=False),  # between requests; wider than set after a 429
)

# One row: one operation with AmoCRM, for people. Written by crm.journal. Holds no token, phone or body.
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

# One row: a field of the account as AmoCRM last described it. Replaced as a whole by desk.fields.
known_fields = sa.Table(
    "known_fields",
    metadata,
    sa.Column("entity", sa.String(16), primary_key=True),  # "leads" or "contacts"
    sa.Column("field_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.String(40), nullable=False),
    sa.Column("code", sa.String(100)),
    sa.Column("choices", sa.Text, nullable=False),  # JSON list of texts, or of [text, id, code]
    sa.Column("is_api_only", sa.Boolean, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
)

# One row: a choice made on the fields page; it wins over the settings. Written by desk.fields.
mapped_fields = sa.Table(
    "mapped_fields",
    metadata,
    sa.Column("key", sa.String(40), primary_key=True),  # "phone", "direction", … or one the admin added
    sa.Column("entity", sa.String(16), nullable=False),
    sa.Column("field_id", sa.BigInteger, nullable=False),
    sa.Column("label", sa.Text),  # what the form calls an added one
    sa.Column("position", sa.Integer, nullable=False, default=0),
)

# One row: a form of the site or another program that hands leads in. Written by desk.intake.
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

# One row: a name that came in a form's submissions. Names only, never what was said. Written by desk.intake.
seen_names = sa.Table(
    "seen_names",
    metadata,
    sa.Column("form_id", sa.String(32), sa.ForeignKey("forms.id"), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("meaning", sa.String(40), nullable=False),  # what it was taken for; "" for nothing
    sa.Column("tier", sa.SmallInteger, nullable=False),  # how sure that was, see desk.intake.names
    sa.Column("seen_at", Moment, nullable=False),  # to a day
)

# One row: a key of a form. Only its hash is kept. Written by desk.intake.
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

# One row: something that was handed in over HTTP, whatever became of it. Written by desk.intake.
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

# One row: an Idempotency-Key and the answer it got. Born in the same transaction as the lead. Written by desk.intake.
idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("form_id", sa.String(32), primary_key=True),
    sa.Column("key_hash", sa.String(64), primary_key=True),
    sa.Column("body_hash", sa.String(64), nullable=False),
    sa.Column("lead_id", sa.String(32), nullable=False),
    sa.Column("made_at", Moment, nullable=False, index=True),
)

# One row: a lead somebody was told is accepted. Written once by desk.delivery, never changed but by a repair.
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

# One row: a consent to the processing of personal data, as it was given. Born with the lead. Written by desk.delivery.
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

# One row: the way of that lead into AmoCRM. Born in the same transaction as the lead. Written by desk.delivery.
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

# One row: one thing to do in AmoCRM for a lead, in order. Written by desk.delivery.
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

# One row: one try of one step. Holds no body, no token and no personal data. Written by desk.delivery.
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

# One row: why the whole queue waits. Written by desk.delivery.
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

# One row: what somebody has typed into a form and not saved yet, or saved a short while ago. Written by desk.calls.
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

# One row: what an operator has told of a call. Born in the same transaction as the lead. Written by desk.calls.
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

# One row: a phone and the contact in AmoCRM that has it, as far as we have seen. Written by desk.phonebook.
known_phones = sa.Table(
    "known_phones",
    metadata,
    sa.Column("phone", sa.String(40), primary_key=True),  # E.164, ";ext="
    sa.Column("contact_id", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sa.Column("updated_at", sa.BigInteger, nullable=False),  # unix seconds, AmoCRM's clock; the newest contact is meant
    # For beginnings of numbers: PostgreSQL's usual index follows the language's order, in which "+" counts for nothing.
    sa.Index("ix_known_phones_beginning", "phone", postgresql_ops={"phone": "text_pattern_ops"}),
)

# The mirror: what AmoCRM holds, as last told. Times in it are unix seconds of AmoCRM's clock, as AmoCRM spells them.

# One row: a lead. Written by desk.mirror.
leads = sa.Table(
    "leads",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("price_kop", sa.BigInteger, nullable=False),  # kopecks, so that every sum of them is exact
    sa.Column("pipeline_id", sa.BigInteger, nullable=False),
    sa.Column("status_id", sa.BigInteger, nullable=False),
    sa.Column("responsible_user_id", sa.BigInteger, nullable=False),  # 0: nobody
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger),
    sa.Column("closest_task_at", sa.BigInteger),  # null: no open task; of tasks, else as AmoCRM says of the lead
    sa.Column("loss_reason_id", sa.BigInteger),
    sa.Column("contact_id", sa.BigInteger, index=True),  # the main one
    sa.Column("contact_name", sa.Text, nullable=False),  # of that contact; here too, so that a list needs no join
    sa.Column("contact_search", sa.Text, nullable=False),  # the names of all its contacts, folded, a line each
    sa.Column("own_phone", sa.Text, nullable=False, index=True),  # of the lead's own field; E.164 where it is one
    sa.Column(
        "phone", sa.Text, nullable=False
    ),  # the main contact's first, else the lead's own, else another contact's
    sa.Column(
        "phones", sa.Text, nullable=False
    ),  # of all its contacts, each behind a blank: for searching; then a line of bare digits
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("utm_source", sa.Text, nullable=False),
    sa.Column("utm_medium", sa.Text, nullable=False),
    sa.Column("utm_campaign", sa.Text, nullable=False),
    sa.Column("marker", sa.String(32), index=True),  # our own id, of leads we created
    sa.Column("search", sa.Text, nullable=False),  # its own name and id, folded
    sa.Column("custom", sa.Text, nullable=False),  # JSON {field id: [texts]}: another choice of fields needs no reading
    sa.Column("is_deleted", sa.Boolean, nullable=False),  # in AmoCRM's bin, or gone from it
    sa.Column("kept_in", sa.BigInteger, nullable=False, server_default="0"),  # the mirror's version that wrote this row
    sa.Index(None, "is_deleted", "created_at", "id"),
    sa.Index("ix_leads_closed", "is_deleted", "closed_at", "status_id", "loss_reason_id", "pipeline_id"),
    sa.Index(None, "updated_at"),
)

# All one can filter, search and sort a list by, so that a list reads this and not whole rows, which hold every field of the
# account. Not on PostgreSQL: it reads rows fast enough by itself, and refuses an entry with a text of some thousand letters.
sa.Index(
    "ix_leads_list",
    *(
        leads.c[name]
        for name in (
            "is_deleted",
            "created_at",
            "id",
            "pipeline_id",
            "status_id",
            "responsible_user_id",
            "closest_task_at",
            "updated_at",
            "price_kop",
            "source",
            "direction",
            "utm_source",
            "utm_medium",
            "utm_campaign",
            "phone",
            "contact_search",
            "search",
            "phones",
        )
    ),
).ddl_if(dialect="sqlite")

# Leads in the order of what the reports count them by: SQLite sorts a year's otherwise. PostgreSQL counts without an order.
sa.Index(
    "ix_leads_origin",
    *(
        leads.c[name]
        for name in (
            "is_deleted",
            "source",
            "direction",
            "utm_source",
            "utm_campaign",
            "created_at",
            "status_id",
            "pipeline_id",
        )
    ),
).ddl_if(dialect="sqlite")

# One row: a contact. Its phones are in known_phones. Written by desk.mirror.
contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("phones", sa.Text, nullable=False),  # JSON list in AmoCRM's order; E.164 where they are phones
    sa.Column("responsible_user_id", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("is_deleted", sa.Boolean, nullable=False),
    sa.Column("kept_in", sa.BigInteger, nullable=False, server_default="0"),  # the mirror's version that wrote this row
)

# One row: a lead and one of its contacts, in whatever role. Written by desk.mirror with the lead.
lead_contacts = sa.Table(
    "lead_contacts",
    metadata,
    sa.Column("lead_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("contact_id", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sa.Column("is_main", sa.Boolean, nullable=False),  # at most one of a lead
)

# One row: a task in AmoCRM. At first only open ones are read; one that is done since stays. Written by desk.mirror.
tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("lead_id", sa.BigInteger),  # null: a contact's, a company's or nobody's
    sa.Column("complete_till", sa.BigInteger),  # unix seconds
    sa.Column("is_completed", sa.Boolean, nullable=False),
    sa.Column("responsible_user_id", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("is_deleted", sa.Boolean, nullable=False),
    sa.Column("kept_in", sa.BigInteger, nullable=False, server_default="0"),  # the mirror's version that wrote this row
    sa.Index("ix_tasks_open", "lead_id", "is_completed", "is_deleted", "complete_till"),
)

# One row: a lead went from one stage to another. Written by desk.mirror.
stage_changes = sa.Table(
    "stage_changes",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("lead_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("from_pipeline_id", sa.BigInteger),
    sa.Column("from_status_id", sa.BigInteger),
    sa.Column("to_pipeline_id", sa.BigInteger, nullable=False),
    sa.Column("to_status_id", sa.BigInteger, nullable=False),
    sa.Column("event_id", sa.String(64), unique=True),  # AmoCRM's; null: seen by comparing, no event told yet
    sa.Column("seen_from", sa.BigInteger),  # of one seen by comparing: it happened between these two,
    sa.Column("seen_to", sa.BigInteger),  # by AmoCRM's clock
    sa.Index(None, "lead_id", "at"),
)

# One row: a stage of a pipeline. Replaced as a whole by desk.mirror, like the next two.
stages = sa.Table(
    "stages",
    metadata,
    sa.Column("pipeline_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("status_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, nullable=False),  # AmoCRM's order, the main pipeline first
    sa.Column("pipeline", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("color", sa.String(20), nullable=False),
    sa.Column("type", sa.Integer, nullable=False),  # 1: incoming, taken by nobody yet
    sa.Column("is_main", sa.Boolean, nullable=False),
    sa.Column("is_archive", sa.Boolean, nullable=False),
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
)

loss_reasons = sa.Table(
    "loss_reasons",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
)

# One row: a kind of reading that goes on, and how far it is. Written by desk.mirror.
mirror_walks = sa.Table(
    "mirror_walks",
    metadata,
    sa.Column("name", sa.String(16), primary_key=True),  # "fill", "leads", "contacts", "bin", "events", "count", …
    sa.Column("cursor", sa.Text),  # JSON: where the next reading begins
    sa.Column("done", sa.Integer, nullable=False, default=0),  # of the reading under way
    sa.Column("began_at", Moment),
    sa.Column("as_of", Moment),  # what the mirror holds was true then; by AmoCRM's clock if it tells the time
    sa.Column("whole_at", sa.Float),  # the same by the shared clock: for its age
    sa.Column("due_at", sa.Float, nullable=False, default=0.0),  # shared clock
    sa.Column(
        "waits_from", sa.Float, nullable=False, server_default="0"
    ),  # when that was written down, see store.waits
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.String(64)),  # error code of the last failure; null: it went well
    sa.Column("failing_since", Moment),  # the first failure since it last went well
    sa.Column("lease_owner", sa.String(200)),
    sa.Column("lease_until", sa.Float, nullable=False, default=0.0),
)

# One row: the mirror's version; counts up with every change, so that a screen knows whether to look again.
mirror_version = sa.Table(
    "mirror_version",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),  # always 1
    sa.Column("number", sa.BigInteger, nullable=False),
)

# One row: a call of AmoCRM's webhook, stored before it was answered. Written by desk.webhooks.
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

# One row: a secret in the webhook's address. Written by desk.webhooks.
hook_secrets = sa.Table(
    "hook_secrets",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ends_at", Moment),  # set when a new one took over
)

# One row: a change the periodic reading found that no hook had told. Written by desk.mirror.
hook_misses = sa.Table(
    "hook_misses",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("entity", sa.String(16), nullable=False),
    sa.Column("entity_id", sa.BigInteger, nullable=False),
)

# One row: filters under a name. Written by desk.listing.saved_views.
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

# One row: a file somebody asked for. Written by crm.export.
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

# One row: something the desk has to remember about itself. Written by whom the key names.
facts = sa.Table(
    "facts",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),  # "marker of leads", "account" …
    sa.Column("value", sa.Text, nullable=False),
)

# One row: a kind of work in the background, and how its last rounds went. Written by desk.health.
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
