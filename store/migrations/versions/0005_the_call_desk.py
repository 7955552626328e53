"""The call desk"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.create_table('call_texts',
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'version', name=op.f('pk_call_texts'))
    )
    op.create_table('drafts',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('operator', sa.Text(), nullable=False),
    sa.Column('form', sa.String(length=16), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('answers', sa.String(length=32), nullable=True),
    sa.Column('started_at', sa.DateTime(), nullable=False),
    sa.Column('changed_at', sa.DateTime(), nullable=False),
    sa.Column('lead_id', sa.String(length=32), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_drafts'))
    )
    with op.batch_alter_table('drafts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_drafts_changed_at'), ['changed_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_drafts_operator_form_lead_id'), ['operator', 'form', 'lead_id'], unique=False)

    op.create_table('calls',
    sa.Column('lead_id', sa.String(length=32), nullable=False),
    sa.Column('draft_id', sa.String(length=32), nullable=False),
    sa.Column('operator', sa.Text(), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('heard', sa.String(length=16), nullable=False),
    sa.Column('step', sa.String(length=16), nullable=False),
    sa.Column('step_at', sa.DateTime(), nullable=True),
    sa.Column('step_for', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('answers', sa.String(length=32), nullable=True),
    sa.Column('started_at', sa.DateTime(), nullable=False),
    sa.Column('saved_at', sa.DateTime(), nullable=False),
    sa.Column('done_at', sa.DateTime(), nullable=True),
    sa.Column('done_by', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['lead_id'], ['accepted_leads.id'], name=op.f('fk_calls_lead_id')),
    sa.PrimaryKeyConstraint('lead_id', name=op.f('pk_calls')),
    sa.UniqueConstraint('draft_id', name=op.f('uq_calls_draft_id'))
    )
    with op.batch_alter_table('calls', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_calls_saved_at'), ['saved_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_calls_step_done_at_step_at'), ['step', 'done_at', 'step_at'], unique=False)

    with op.batch_alter_table('consents', schema=None) as batch_op:
        batch_op.add_column(sa.Column('taken_by', sa.Text(), nullable=True))

    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.add_column(sa.Column('leaves_at', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('new_contact', sa.Boolean(), server_default=sa.false(), nullable=False))

    with op.batch_alter_table('known_phones', schema=None) as batch_op:
        batch_op.create_index('ix_known_phones_beginning', ['phone'], unique=False, postgresql_ops={'phone': 'text_pattern_ops'})

    with op.batch_alter_table('leads', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_leads_own_phone'), ['own_phone'], unique=False)
