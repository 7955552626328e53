"""Nothing stands still: waits as intervals, the rounds of background work"""

import sqlalchemy as sa
from alembic import op

import store.tables

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    _delivery()
    _mirror()
    _rounds()


def _delivery() -> None:
    for table in ('deliveries', 'delivery_pause'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column('waits_from', sa.Float(), server_default='0', nullable=False))
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.add_column(sa.Column('stumbles', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('trying_s', sa.Float(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('sent_theirs', sa.Float(), nullable=True))
        batch_op.add_column(sa.Column('looked_s', sa.Float(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('maybe_in', sa.Text(), nullable=True))
        batch_op.drop_column('failing_since')
    # No wait was longer than a quarter of an hour; one that is was written down by a clock that was wrong.
    op.execute('UPDATE deliveries SET waits_from = due_at - 900')
    op.execute('UPDATE delivery_pause SET waits_from = until - 900')


def _mirror() -> None:
    with op.batch_alter_table('mirror_walks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('waits_from', sa.Float(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('whole_at', sa.Float(), nullable=True))
        batch_op.add_column(sa.Column('failing_since', store.tables.Moment(), nullable=True))
    for table in ('leads', 'contacts'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column('kept_in', sa.BigInteger(), server_default='0', nullable=False))
    with op.batch_alter_table('stage_changes', schema=None) as batch_op:
        batch_op.add_column(sa.Column('seen_from', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('seen_to', sa.BigInteger(), nullable=True))
    with op.batch_alter_table('hooks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('fetched_at', sa.Float(), nullable=True))


def _rounds() -> None:
    op.create_table('worker_rounds',
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('succeeded_at', store.tables.Moment(), nullable=True),
    sa.Column('failed_at', store.tables.Moment(), nullable=True),
    sa.Column('reason', sa.String(length=64), nullable=True),
    sa.Column('place', sa.String(length=200), nullable=True),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_worker_rounds'))
    )
