"""The mirror: AmoCRM's data as last told. Written by `desk.mirror`; `known_phones` also by `desk.phonebook`.

Times in the mirrored rows are unix seconds of AmoCRM's clock, as AmoCRM spells them.
"""

import sqlalchemy as sa

from store.tables.columns import BigId, Moment, metadata

# One row: a phone and the contact in AmoCRM that has it, as far as we have seen.
known_phones = sa.Table(
    "known_phones",
    metadata,
    sa.Column("phone", sa.String(40), primary_key=True),  # E.164, ";ext="
    sa.Column("contact_id", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sa.Column("updated_at", sa.BigInteger, nullable=False),  # unix seconds, AmoCRM's clock; the newest contact is meant
    # For beginnings of numbers: PostgreSQL's usual index follows the language's order, in which "+" counts for nothing.
    sa.Index("ix_known_phones_beginning", "phone", postgresql_ops={"phone": "text_pattern_ops"}),
)

# One row: a lead.
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

# All columns a list is filtered, searched and sorted by: a list reads this index and not whole rows, which hold every field
# of the account. Not on PostgreSQL: it reads rows fast enough by itself, and refuses an entry with a text of some thousand letters.
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

# One row: a contact. Its phones are in known_phones.
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

# One row: a lead and one of its contacts, in whatever role. Written with the lead.
lead_contacts = sa.Table(
    "lead_contacts",
    metadata,
    sa.Column("lead_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("contact_id", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sa.Column("is_main", sa.Boolean, nullable=False),  # at most one of a lead
)

# One row: a task in AmoCRM. At first only open ones are read; one that is done since stays.
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

# One row: a lead went from one stage to another.
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

# One row: a stage of a pipeline. Replaced as a whole, like the next two tables.
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

# One row: a kind of reading that goes on, and how far it is.
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
