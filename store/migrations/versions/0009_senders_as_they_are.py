"""Senders as they are: presets, mappings and strictness of forms, names seen, bodies that could not be read.

All that AmoCRM knows of a lead: its other contacts, tasks, kopecks."""

import sqlalchemy as sa
from alembic import op

import store.tables

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    _senders()
    _mirror()


def _senders() -> None:
    with op.batch_alter_table('forms', schema=None) as batch_op:
        batch_op.add_column(sa.Column('preset', sa.String(length=16), server_default='', nullable=False))
        batch_op.add_column(sa.Column('answer', sa.String(length=8), server_default='json', nullable=False))
        batch_op.add_column(sa.Column('key_in_address', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('note_unknown', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('required', sa.Text(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('taught', sa.Text(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('code', sa.Text(), server_default='', nullable=False))

    with op.batch_alter_table('submissions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('raw', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('others', sa.Text(), nullable=True))

    op.create_table('seen_names',
    sa.Column('form_id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('meaning', sa.String(length=40), nullable=False),
    sa.Column('tier', sa.SmallInteger(), nullable=False),
    sa.Column('seen_at', store.tables.Moment(), nullable=False),
    sa.ForeignKeyConstraint(['form_id'], ['forms.id'], name=op.f('fk_seen_names_form_id_forms')),
    sa.PrimaryKeyConstraint('form_id', 'name', name=op.f('pk_seen_names'))
    )


def _mirror() -> None:
    op.create_table('lead_contacts',
    sa.Column('lead_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('contact_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('is_main', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('lead_id', 'contact_id', name=op.f('pk_lead_contacts'))
    )
    op.create_index(op.f('ix_lead_contacts_contact_id'), 'lead_contacts', ['contact_id'], unique=False)
    op.create_table('tasks',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('lead_id', sa.BigInteger(), nullable=True),
    sa.Column('complete_till', sa.BigInteger(), nullable=True),
    sa.Column('is_completed', sa.Boolean(), nullable=False),
    sa.Column('responsible_user_id', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.Column('is_deleted', sa.Boolean(), nullable=False),
    sa.Column('kept_in', sa.BigInteger(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tasks'))
    )
    op.create_index('ix_tasks_open', 'tasks', ['lead_id', 'is_completed', 'is_deleted', 'complete_till'], unique=False)
    op.execute('ALTER TABLE leads RENAME COLUMN price_rub TO price_kop')
    op.execute('UPDATE leads SET price_kop = price_kop * 100')
    # The main contacts are known already; the others, and the kopecks, come with the nightly round, which is due at once.
    op.execute(
        'INSERT INTO lead_contacts (lead_id, contact_id, is_main) '
        'SELECT id, contact_id, (1 = 1) FROM leads WHERE contact_id IS NOT NULL'
    )
    op.execute(
        """UPDATE mirror_walks SET cursor = '{"phase": "leads", "last": null, "leads": 0, "mended": 0}', done = 0, """
        'began_at = NULL, due_at = 0, waits_from = 0 '
        "WHERE name = 'night' AND EXISTS (SELECT 1 FROM leads)"
    )
