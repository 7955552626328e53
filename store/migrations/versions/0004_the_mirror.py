"""The mirror"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('contacts',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('phones', sa.Text(), nullable=False),
    sa.Column('responsible_user_id', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.Column('is_deleted', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contacts'))
    )
    op.create_table('exports',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('asked_at', sa.DateTime(), nullable=False),
    sa.Column('asked_by', sa.Text(), nullable=True),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('wanted', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('expected', sa.Integer(), nullable=True),
    sa.Column('owner', sa.Text(), nullable=True),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.Column('reason', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exports'))
    )
    with op.batch_alter_table('exports', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_exports_asked_at'), ['asked_at'], unique=False)

    op.create_table('hook_misses',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('entity', sa.String(length=16), nullable=False),
    sa.Column('entity_id', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hook_misses'))
    )
    with op.batch_alter_table('hook_misses', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_hook_misses_at'), ['at'], unique=False)

    op.create_table('hook_secrets',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('sealed', sa.Text(), nullable=False),
    sa.Column('secret_hash', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('ends_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hook_secrets')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_hook_secrets_secret_hash'))
    )
    op.create_table('hooks',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('received_at', sa.DateTime(), nullable=False),
    sa.Column('body', sa.Text(), nullable=True),
    sa.Column('body_hash', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('entities', sa.Text(), nullable=True),
    sa.Column('told_at', sa.BigInteger(), nullable=True),
    sa.Column('done_at', sa.DateTime(), nullable=True),
    sa.Column('reason', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hooks'))
    )
    with op.batch_alter_table('hooks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_hooks_body_hash'), ['body_hash'], unique=False)
        batch_op.create_index(batch_op.f('ix_hooks_received_at'), ['received_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_hooks_state'), ['state'], unique=False)

    op.create_table('leads',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('price_rub', sa.BigInteger(), nullable=False),
    sa.Column('pipeline_id', sa.BigInteger(), nullable=False),
    sa.Column('status_id', sa.BigInteger(), nullable=False),
    sa.Column('responsible_user_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('closest_task_at', sa.BigInteger(), nullable=True),
    sa.Column('loss_reason_id', sa.BigInteger(), nullable=True),
    sa.Column('contact_id', sa.BigInteger(), nullable=True),
    sa.Column('contact_name', sa.Text(), nullable=False),
    sa.Column('contact_search', sa.Text(), nullable=False),
    sa.Column('own_phone', sa.Text(), nullable=False),
    sa.Column('phone', sa.Text(), nullable=False),
    sa.Column('phones', sa.Text(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('utm_source', sa.Text(), nullable=False),
    sa.Column('utm_medium', sa.Text(), nullable=False),
    sa.Column('utm_campaign', sa.Text(), nullable=False),
    sa.Column('marker', sa.String(length=32), nullable=True),
    sa.Column('search', sa.Text(), nullable=False),
    sa.Column('custom', sa.Text(), nullable=False),
    sa.Column('is_deleted', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_leads'))
    )
    with op.batch_alter_table('leads', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_leads_contact_id'), ['contact_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_leads_is_deleted_created_at_id'), ['is_deleted', 'created_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_leads_marker'), ['marker'], unique=False)
        batch_op.create_index(batch_op.f('ix_leads_updated_at'), ['updated_at'], unique=False)

    if op.get_bind().dialect.name == 'sqlite':
        op.create_index('ix_leads_list', 'leads', [
            'is_deleted', 'created_at', 'id', 'pipeline_id', 'status_id', 'responsible_user_id', 'closest_task_at', 'updated_at',
            'price_rub', 'source', 'direction', 'utm_source', 'utm_medium', 'utm_campaign', 'phone', 'contact_search', 'search',
            'phones',
        ])

    op.create_table('loss_reasons',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_loss_reasons'))
    )
    op.create_table('mirror_version',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mirror_version'))
    )
    op.create_table('mirror_walks',
    sa.Column('name', sa.String(length=16), nullable=False),
    sa.Column('cursor', sa.Text(), nullable=True),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('began_at', sa.DateTime(), nullable=True),
    sa.Column('as_of', sa.DateTime(), nullable=True),
    sa.Column('due_at', sa.Float(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=True),
    sa.Column('lease_owner', sa.String(length=200), nullable=True),
    sa.Column('lease_until', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_mirror_walks'))
    )
    op.create_table('people',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_people'))
    )
    op.create_table('stage_changes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lead_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('from_pipeline_id', sa.BigInteger(), nullable=True),
    sa.Column('from_status_id', sa.BigInteger(), nullable=True),
    sa.Column('to_pipeline_id', sa.BigInteger(), nullable=False),
    sa.Column('to_status_id', sa.BigInteger(), nullable=False),
    sa.Column('event_id', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stage_changes')),
    sa.UniqueConstraint('event_id', name=op.f('uq_stage_changes_event_id'))
    )
    with op.batch_alter_table('stage_changes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stage_changes_lead_id_at'), ['lead_id', 'at'], unique=False)

    op.create_table('stages',
    sa.Column('pipeline_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('status_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('pipeline', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('color', sa.String(length=20), nullable=False),
    sa.Column('type', sa.Integer(), nullable=False),
    sa.Column('is_main', sa.Boolean(), nullable=False),
    sa.Column('is_archive', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('pipeline_id', 'status_id', name=op.f('pk_stages'))
    )
    op.create_table('views',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=True),
    sa.Column('filters', sa.Text(), nullable=False),
    sa.Column('made_by', sa.Text(), nullable=True),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_views'))
    )
    op.execute("INSERT INTO mirror_version (id, number) VALUES (1, 0)")
