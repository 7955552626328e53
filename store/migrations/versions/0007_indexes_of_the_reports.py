"""Indexes of the reports"""

from alembic import op

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    with op.batch_alter_table('leads', schema=None) as batch_op:
        batch_op.create_index(
            'ix_leads_closed', ['is_deleted', 'closed_at', 'status_id', 'loss_reason_id', 'pipeline_id'], unique=False)

    if op.get_bind().dialect.name == 'sqlite':
        op.create_index('ix_leads_origin', 'leads', [
            'is_deleted', 'source', 'direction', 'utm_source', 'utm_campaign', 'created_at', 'status_id', 'pipeline_id',
        ])
