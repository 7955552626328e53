"""Fields of the account, and the choice of fields the desk fills in. Written by `desk.fields`."""

import sqlalchemy as sa

from store.tables.columns import Moment, metadata

# One row: a field of the account as AmoCRM last described it. Replaced as a whole when the fields are read again.
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

# One row: a choice made on the fields page; it wins over the settings.
mapped_fields = sa.Table(
    "mapped_fields",
    metadata,
    sa.Column("key", sa.String(40), primary_key=True),  # "phone", "direction", … or one the admin added
    sa.Column("entity", sa.String(16), nullable=False),
    sa.Column("field_id", sa.BigInteger, nullable=False),
    sa.Column("label", sa.Text),  # what the form calls an added one
    sa.Column("position", sa.Integer, nullable=False, default=0),
)
