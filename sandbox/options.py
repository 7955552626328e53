"""The options of a sandbox: the command line's values, their defaults and their checks.

What can be changed while it runs is in `config.py`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

DEFAULT_CLIENT_ID = "4c1d6f0a-93e7-4b52-8d1f-6a2e5b7c9d30"
"""The integration's id. Constant, so that a demo's settings can be written down."""

DEFAULT_CLIENT_SECRET = "kV7rQ2mXw9TfZ4sLb8HnYc3DpJ6gAe1uRt5NqWv0ZxCy2BhKd8MfSj4PgUa7Le9T"  # noqa: S105 - opens nothing but a sandbox
"""Used when the environment has no `SANDBOX_CLIENT_SECRET`. 64 characters, as AmoCRM's are."""

DEFAULT_REDIRECT_URI = "http://localhost:8501/api/amocrm/callback"
"""Where the desk listens; compared byte for byte (sheet 3.3, L)."""

SECRET_VARIABLE = "SANDBOX_CLIENT_SECRET"  # noqa: S105 - the name of a variable, not a secret

MOST_LEADS = 1_000_000
"""More leads would not fit a laptop's memory; a typing slip should say so, not swap the machine to death."""


class BadOption(ValueError):
    """A useless command-line value; the text is for the person at the keyboard."""


@dataclass(frozen=True)
class Options:
    """All options of a start. Times in the unit their name carries."""

    host: str = "127.0.0.1"
    port: int = 8900
    leads: int = 5000
    rps: int = 7
    latency_ms: float = 120.0
    seed: int = 1
    db: Path | None = None
    client_id: str = DEFAULT_CLIENT_ID
    client_secret: str = field(default=DEFAULT_CLIENT_SECRET, repr=False)
    redirect_uri: str = DEFAULT_REDIRECT_URI
    refresh_mode: str = "strict"
    search_lag_s: float = 0.0
    now: int | None = None
    """Unix seconds: the moment the club's history ends. None: the moment of the start."""

    def check(self) -> Options:
        """The value, or `BadOption` with a sentence on the fault and the remedy."""
        if not 0 <= self.port <= 65535:
            raise BadOption(f"--port {self.port}: a port is a number from 0 (any free one) to 65535")
        if not 0 <= self.leads <= MOST_LEADS:
            raise BadOption(f"--leads {self.leads}: from 0 to {MOST_LEADS}")
        if self.rps < 1:
            raise BadOption(f"--rps {self.rps}: at least 1 request a second")
        if self.latency_ms < 0:
            raise BadOption(f"--latency-ms {self.latency_ms:g}: a delay cannot be negative")
        if self.search_lag_s < 0:
            raise BadOption(f"--search-lag-s {self.search_lag_s:g}: a delay cannot be negative")
        if self.refresh_mode not in ("strict", "grace"):
            raise BadOption(f"--refresh-mode {self.refresh_mode}: strict or grace")
        if self.now is not None and self.now < 0:
            raise BadOption(f"--now {self.now}: unix seconds")
        check_client_id(self.client_id)
        check_redirect_uri(self.redirect_uri)
        return self


def check_client_id(client_id: str) -> None:
    """`BadOption` unless the text is a UUID, as AmoCRM's integration ids are."""
    try:
        UUID(client_id)
    except ValueError:
        raise BadOption(f"--client-id {client_id}: a UUID such as {DEFAULT_CLIENT_ID}") from None


def check_redirect_uri(redirect_uri: str) -> None:
    """`BadOption` unless a browser could be sent there."""
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadOption(f"--redirect-uri {redirect_uri}: a whole address such as {DEFAULT_REDIRECT_URI}")


def client_secret_from_environment() -> str:
    """The integration's secret: from the environment, never from the command line, which `ps` would show."""
    return os.environ.get(SECRET_VARIABLE) or DEFAULT_CLIENT_SECRET
