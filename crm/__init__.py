"""A thin client of AmoCRM's REST API v4: one door out, one file for each resource, and the connection that keeps tokens alive.

    connection ─► token ─► client ─► door ─► wire ─► AmoCRM
                              ▲         └─ limiter, journal
    leads, contacts, notes …──┘

`door.Door` is the only place that sends anything. `client.Client` adds the account's address and the token. A resource's
file names a path, a verb and parameters, and nothing else. What the answers mean to the club is decided in `desk`, which
this package does not know; of ours it imports `store` and `wire` alone.

`connect` puts all of it together for a notebook or a script. Importing the package imports none of its modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm.config import Config, Secret

if TYPE_CHECKING:
    from crm.amocrm import AmoCRM

__all__ = [
    "Config", "Secret", "account", "amocrm", "answers", "client", "config", "connect", "connection", "contacts",
    "custom_fields", "door", "errors", "events", "journal", "leads", "limiter", "loss_reasons", "notes", "oauth", "pipelines",
    "sizes", "tasks", "users", "vault", "walk", "webhooks",
]  # fmt: skip


def connect(config: Config, database: str, *, key: Secret | None = None) -> AmoCRM:
    """Open AmoCRM for a program of its own; see `crm.amocrm.AmoCRM`. No request."""
    from crm.amocrm import AmoCRM

    return AmoCRM(config, database, key=key)
