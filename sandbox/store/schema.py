"""The tables and their indexes. Names and units are AmoCRM's own; times are unix seconds, lists and objects are JSON.

The indexes exist for one promise: with 100,000 leads every list page, at any offset, takes under 50 ms. An index
that ends in the filters' columns lets SQLite skip to an offset without touching the rows themselves.
"""

from __future__ import annotations

SCHEMA_VERSION = 2
"""Kept in the file's `user_version`; a file of another version is refused, not guessed at."""

APPLICATION_ID = 0x616D6F53
"""Kept in the file's `application_id` ("amoS"): a file that is not ours is never written to."""

CARDS = ("leads", "contacts", "companies")
"""The three kinds of entity that have fields, tags, links and a bin."""

JSON_COLUMNS = (
    "custom_fields", "tags", "params", "result", "value_after", "value_before", "metadata", "contact_ids",
    "company_ids", "enums", "required_statuses", "services", "settings",
    "chained_lists", "rights",
)  # fmt: skip
"""Columns that hold JSON."""

_SHARED_COLUMNS = """
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    responsible_user_id INTEGER NOT NULL,
    group_id INTEGER NOT NULL DEFAULT 0,
    created_by INTEGER NOT NULL,
    updated_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    closest_task_at INTEGER,
    is_deleted INTEGER NOT NULL DEFAULT 0,
    custom_fields TEXT,
    tags TEXT NOT NULL DEFAULT '[]'
"""

TABLES = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE leads ({_SHARED_COLUMNS},
    price NUMERIC NOT NULL DEFAULT 0,
    status_id INTEGER NOT NULL,
    pipeline_id INTEGER NOT NULL,
    loss_reason_id INTEGER,
    closed_at INTEGER,
    source_id INTEGER,
    visitor_uid TEXT
);
CREATE TABLE contacts ({_SHARED_COLUMNS},
    first_name TEXT NOT NULL DEFAULT '',
    last_name TEXT NOT NULL DEFAULT '',
    is_unsorted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE companies ({_SHARED_COLUMNS});

CREATE TABLE links (
    from_type TEXT NOT NULL, from_id INTEGER NOT NULL, to_type TEXT NOT NULL, to_id INTEGER NOT NULL,
    is_main INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (from_type, from_id, to_type, to_id)
) WITHOUT ROWID;

CREATE TABLE notes (
    id INTEGER PRIMARY KEY, entity_type TEXT NOT NULL, entity_id INTEGER NOT NULL,
    created_by INTEGER NOT NULL, updated_by INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    responsible_user_id INTEGER NOT NULL, group_id INTEGER NOT NULL DEFAULT 0,
    note_type TEXT NOT NULL, params TEXT NOT NULL, is_pinned INTEGER NOT NULL DEFAULT 0,
    is_deleted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, created_by INTEGER NOT NULL, updated_by INTEGER NOT NULL, created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL, responsible_user_id INTEGER NOT NULL, group_id INTEGER NOT NULL DEFAULT 0,
    entity_id INTEGER, entity_type TEXT, duration INTEGER NOT NULL DEFAULT 0,
    is_completed INTEGER NOT NULL DEFAULT 0, task_type_id INTEGER NOT NULL, text TEXT NOT NULL, result TEXT,
    complete_till INTEGER NOT NULL, is_deleted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE events (
    id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, entity_id INTEGER NOT NULL, entity_type TEXT NOT NULL,
    created_by INTEGER NOT NULL, created_at INTEGER NOT NULL, value_after TEXT NOT NULL, value_before TEXT NOT NULL
);
CREATE TABLE unsorted (
    uid TEXT PRIMARY KEY, source_uid TEXT NOT NULL, source_name TEXT NOT NULL, category TEXT NOT NULL,
    pipeline_id INTEGER NOT NULL, created_at INTEGER NOT NULL, metadata TEXT NOT NULL,
    lead_id INTEGER, contact_ids TEXT NOT NULL, company_ids TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting', decided_at INTEGER
);

CREATE TABLE users (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, lang TEXT NOT NULL DEFAULT 'ru',
    is_admin INTEGER NOT NULL, is_active INTEGER NOT NULL DEFAULT 1, phone_number TEXT, rights TEXT
);
CREATE TABLE pipelines (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, sort INTEGER NOT NULL, is_main INTEGER NOT NULL,
    is_unsorted_on INTEGER NOT NULL, is_archive INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE statuses (
    pipeline_id INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, sort INTEGER NOT NULL,
    is_editable INTEGER NOT NULL, color TEXT NOT NULL, type INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (pipeline_id, id)
) WITHOUT ROWID;
CREATE TABLE custom_fields (
    entity_type TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, code TEXT,
    sort INTEGER NOT NULL, group_id TEXT, is_api_only INTEGER NOT NULL DEFAULT 0,
    is_predefined INTEGER NOT NULL DEFAULT 0, enums TEXT, required_statuses TEXT NOT NULL DEFAULT '[]',
    remind TEXT, currency TEXT, chained_lists TEXT,
    PRIMARY KEY (entity_type, id)
) WITHOUT ROWID;
CREATE TABLE field_groups (
    entity_type TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, sort INTEGER NOT NULL,
    is_predefined INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (entity_type, id)
) WITHOUT ROWID;
CREATE TABLE tags (
    entity_type TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, color TEXT,
    PRIMARY KEY (entity_type, id), UNIQUE (entity_type, name)
) WITHOUT ROWID;
CREATE TABLE loss_reasons (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, sort INTEGER NOT NULL, created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE TABLE task_types (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, color TEXT, icon_id INTEGER, code TEXT
);
CREATE TABLE sources (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, pipeline_id INTEGER NOT NULL, external_id TEXT NOT NULL UNIQUE,
    is_default INTEGER NOT NULL DEFAULT 0, origin_code TEXT, services TEXT NOT NULL DEFAULT '[]'
);
CREATE TABLE chats (id INTEGER PRIMARY KEY, chat_id TEXT NOT NULL UNIQUE, contact_id INTEGER NOT NULL);

CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY, destination TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    created_by INTEGER NOT NULL, sort INTEGER NOT NULL, disabled INTEGER NOT NULL DEFAULT 0, settings TEXT NOT NULL
);
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, webhook_id INTEGER NOT NULL, destination TEXT NOT NULL, body TEXT NOT NULL,
    caused_by INTEGER, attempt INTEGER NOT NULL DEFAULT 1, due_at REAL NOT NULL
);

CREATE TABLE codes (
    digest TEXT PRIMARY KEY, user_id INTEGER NOT NULL, issued_at REAL NOT NULL, expires_at REAL NOT NULL,
    account_id INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE pairs (
    id INTEGER PRIMARY KEY, parent_id INTEGER, user_id INTEGER NOT NULL, scopes TEXT NOT NULL,
    access_digest TEXT NOT NULL UNIQUE, access_expires_at REAL NOT NULL, access_state TEXT NOT NULL DEFAULT 'live',
    refresh_digest TEXT UNIQUE, refresh_expires_at REAL, refresh_state TEXT NOT NULL DEFAULT 'live',
    issued_at REAL NOT NULL, presented INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX pairs_by_parent ON pairs (parent_id);
"""

INDEXES = """
CREATE INDEX leads_by_updated ON leads
    (updated_at, id, created_at, pipeline_id, status_id, responsible_user_id, closed_at, price) WHERE is_deleted = 0;
CREATE INDEX leads_by_created ON leads
    (created_at, id, updated_at, pipeline_id, status_id, responsible_user_id, closed_at, price) WHERE is_deleted = 0;
CREATE INDEX leads_by_id ON leads (id, created_at, updated_at, pipeline_id, status_id, responsible_user_id)
    WHERE is_deleted = 0;
CREATE INDEX leads_in_bin ON leads (updated_at, id) WHERE is_deleted = 1;
CREATE INDEX leads_by_stage ON leads (pipeline_id, status_id) WHERE is_deleted = 0;
CREATE INDEX contacts_by_updated ON contacts (updated_at, id, created_at, responsible_user_id) WHERE is_deleted = 0;
CREATE INDEX contacts_by_id ON contacts (id, updated_at, created_at, responsible_user_id) WHERE is_deleted = 0;
CREATE INDEX contacts_by_name ON contacts (name, id) WHERE is_deleted = 0;
CREATE INDEX contacts_in_bin ON contacts (updated_at, id) WHERE is_deleted = 1;
CREATE INDEX companies_by_updated ON companies (updated_at, id) WHERE is_deleted = 0;
CREATE INDEX companies_by_name ON companies (name, id) WHERE is_deleted = 0;
CREATE INDEX links_to ON links (to_type, to_id, from_type, from_id);
CREATE INDEX notes_of ON notes (entity_type, entity_id);
CREATE INDEX notes_by_updated ON notes (entity_type, updated_at, id) WHERE is_deleted = 0;
CREATE INDEX notes_by_id ON notes (entity_type, id) WHERE is_deleted = 0;
CREATE INDEX tasks_of ON tasks (entity_type, entity_id);
CREATE INDEX tasks_by_updated ON tasks (updated_at, id) WHERE is_deleted = 0;
CREATE INDEX tasks_by_created ON tasks (created_at, id) WHERE is_deleted = 0;
CREATE INDEX tasks_by_deadline ON tasks (complete_till, id) WHERE is_deleted = 0;
CREATE INDEX events_by_time ON events (created_at, id);
CREATE INDEX events_by_type ON events (type, created_at, id);
CREATE INDEX events_of ON events (entity_type, entity_id);
CREATE INDEX unsorted_by_time ON unsorted (created_at);
CREATE INDEX deliveries_by_due ON deliveries (due_at);
"""
