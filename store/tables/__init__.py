"""Every table of the desk's database: the meaning of its rows, and the rooms that write them.

Times are aware UTC (`Moment`); pace and leases use unix seconds of the shared clock, because they are
compared with each other and never shown. Free-form values are JSON text, never pickles. A file of its own for each owner;
`columns` has the metadata they share, `WRITERS` says which room writes which table.
"""

from store.tables.calls import call_texts, calls, drafts
from store.tables.columns import HEAD, BigId, Moment, metadata
from store.tables.connection import activity, grants, oauth_states, refreshes, request_pace
from store.tables.delivery import (
    accepted_leads,
    consents,
    deliveries,
    delivery_attempts,
    delivery_pause,
    delivery_steps,
)
from store.tables.fields import known_fields, mapped_fields
from store.tables.intake import form_keys, forms, idempotency_keys, seen_names, submissions
from store.tables.mirror import (
    contacts,
    known_phones,
    lead_contacts,
    leads,
    loss_reasons,
    mirror_version,
    mirror_walks,
    people,
    stage_changes,
    stages,
    tasks,
)
from store.tables.screens import exports, views
from store.tables.webhooks import hook_misses, hook_secrets, hooks
from store.tables.workers import facts, worker_rounds
from store.tables.writers import WRITERS

__all__ = [
    "HEAD",
    "WRITERS",
    "BigId",
    "Moment",
    "accepted_leads",
    "activity",
    "call_texts",
    "calls",
    "consents",
    "contacts",
    "deliveries",
    "delivery_attempts",
    "delivery_pause",
    "delivery_steps",
    "drafts",
    "exports",
    "facts",
    "form_keys",
    "forms",
    "grants",
    "hook_misses",
    "hook_secrets",
    "hooks",
    "idempotency_keys",
    "known_fields",
    "known_phones",
    "lead_contacts",
    "leads",
    "loss_reasons",
    "mapped_fields",
    "metadata",
    "mirror_version",
    "mirror_walks",
    "oauth_states",
    "people",
    "refreshes",
    "request_pace",
    "seen_names",
    "stage_changes",
    "stages",
    "submissions",
    "tasks",
    "views",
    "worker_rounds",
]
