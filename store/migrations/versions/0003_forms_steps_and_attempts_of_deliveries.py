"""Forms, steps and attempts of deliveries"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.create_table('delivery_pause',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=True),
    sa.Column('since', sa.DateTime(), nullable=True),
    sa.Column('until', sa.Float(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('grant_generation', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery_pause'))
    )
    op.create_table('facts',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_facts'))
    )
    op.create_table('forms',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('origins', sa.Text(), nullable=False),
    sa.Column('thanks_url', sa.Text(), nullable=False),
    sa.Column('duplicate_s', sa.Integer(), nullable=False),
    sa.Column('least_fill_s', sa.Float(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_forms'))
    )
    op.create_table('idempotency_keys',
    sa.Column('form_id', sa.String(length=32), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('body_hash', sa.String(length=64), nullable=False),
    sa.Column('lead_id', sa.String(length=32), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('form_id', 'key_hash', name=op.f('pk_idempotency_keys'))
    )
    with op.batch_alter_table('idempotency_keys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_idempotency_keys_made_at'), ['made_at'], unique=False)

    op.create_table('known_phones',
    sa.Column('phone', sa.String(length=40), nullable=False),
    sa.Column('contact_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('phone', 'contact_id', name=op.f('pk_known_phones'))
    )
    with op.batch_alter_table('known_phones', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_known_phones_contact_id'), ['contact_id'], unique=False)

    op.create_table('submissions',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('form_id', sa.String(length=32), nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=True),
    sa.Column('faults', sa.Text(), nullable=True),
    sa.Column('lead_id', sa.String(length=32), nullable=True),
    sa.Column('body', sa.Text(), nullable=True),
    sa.Column('ip', sa.String(length=45), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_submissions'))
    )
    with op.batch_alter_table('submissions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_submissions_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_submissions_form_id_at'), ['form_id', 'at'], unique=False)
        batch_op.create_index(batch_op.f('ix_submissions_outcome_at'), ['outcome', 'at'], unique=False)

    op.create_table('consents',
    sa.Column('lead_id', sa.String(length=32), nullable=False),
    sa.Column('text_version', sa.String(length=100), nullable=False),
    sa.Column('given_at', sa.DateTime(), nullable=False),
    sa.Column('ip', sa.String(length=45), nullable=True),
    sa.Column('form', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['lead_id'], ['accepted_leads.id'], name=op.f('fk_consents_lead_id')),
    sa.PrimaryKeyConstraint('lead_id', name=op.f('pk_consents'))
    )
    op.create_table('delivery_attempts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lead_id', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('step', sa.String(length=16), nullable=False),
    sa.Column('result', sa.String(length=64), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('duration_ms', sa.Integer(), nullable=True),
    sa.Column('request_id', sa.String(length=100), nullable=True),
    sa.Column('by', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['lead_id'], ['accepted_leads.id'], name=op.f('fk_delivery_attempts_lead_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery_attempts'))
    )
    with op.batch_alter_table('delivery_attempts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_delivery_attempts_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_delivery_attempts_lead_id'), ['lead_id'], unique=False)

    op.create_table('delivery_steps',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lead_id', sa.String(length=32), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('payload', sa.Text(), nullable=True),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('amo_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['lead_id'], ['accepted_leads.id'], name=op.f('fk_delivery_steps_lead_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery_steps'))
    )
    with op.batch_alter_table('delivery_steps', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_delivery_steps_lead_id'), ['lead_id'], unique=False)

    op.create_table('form_keys',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('form_id', sa.String(length=32), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('hint', sa.String(length=8), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('ends_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['form_id'], ['forms.id'], name=op.f('fk_form_keys_form_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_form_keys')),
    sa.UniqueConstraint('key_hash', name=op.f('uq_form_keys_key_hash'))
    )
    with op.batch_alter_table('form_keys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_form_keys_form_id'), ['form_id'], unique=False)

    with op.batch_alter_table('accepted_leads', schema=None) as batch_op:
        batch_op.add_column(sa.Column('form_id', sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column('tracking', sa.Text(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('entered_by', sa.Text(), nullable=True))
        batch_op.create_index(batch_op.f('ix_accepted_leads_phone'), ['phone'], unique=False)

    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.add_column(sa.Column('priority', sa.SmallInteger(), server_default='1', nullable=False))
        batch_op.add_column(sa.Column('lease_owner', sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column('failures', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('failing_since', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('sends', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('sent_at', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('unknown_at', sa.Float(), nullable=True))
        batch_op.add_column(sa.Column('marker_field', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('looks', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('candidates', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('delivered_at', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('decided_by', sa.Text(), nullable=True))
        batch_op.create_index(batch_op.f('ix_deliveries_amo_lead_id'), ['amo_lead_id'], unique=False)
        batch_op.drop_index(batch_op.f('ix_deliveries_state_due_at'))
        batch_op.create_index(batch_op.f('ix_deliveries_state_priority_due_at'), ['state', 'priority', 'due_at'], unique=False)

    # By hand: what an older desk has carried over, or half carried over, goes on from where it is.
    op.execute("INSERT INTO forms (id, name, source, origins, thanks_url, duplicate_s, least_fill_s, is_active, created_at)"
               " VALUES ('api', 'API', '', '[]', '', 600, 0, TRUE, CURRENT_TIMESTAMP)")
    op.execute("INSERT INTO delivery_pause (id, until, failures) VALUES (1, 0, 0)")
    op.execute("INSERT INTO delivery_steps (lead_id, position, kind, state, amo_id)"
               " SELECT lead_id, 0, 'lead', CASE WHEN amo_lead_id IS NULL THEN 'todo' ELSE 'done' END, amo_lead_id FROM deliveries")
    op.execute("INSERT INTO delivery_steps (lead_id, position, kind, state, amo_id)"
               " SELECT lead_id, 1, 'note', CASE WHEN state = 'delivered' THEN 'done' ELSE 'todo' END, note_id FROM deliveries")
    op.execute("UPDATE deliveries SET delivered_at = settled_at WHERE state = 'delivered'")
    # Leads of which nobody knows carry no marker yet, so only a person can tell.
    op.execute("UPDATE deliveries SET state = 'needs_decision' WHERE state = 'unknown'")
    op.execute("UPDATE accepted_leads SET form_id = 'api' WHERE origin = 'api'")

    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.drop_column('note_id')
