"""Senders as they are: presets, mappings and strictness of forms, names seen, bodies that could not be read"""

import sqlalchemy as sa
from alembic import op

import crm.store.tables

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
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
    sa.Column('seen_at', crm.store.tables.Moment(), nullable=False),
    sa.ForeignKeyConstraint(['form_id'], ['forms.id'], name=op.f('fk_seen_names_form_id_forms')),
    sa.PrimaryKeyConstraint('form_id', 'name', name=op.f('pk_seen_names'))
    )
