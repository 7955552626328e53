"""The integration in the account: its keys, its redirect address, whether an admin has installed the integration."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from urllib.parse import urlencode

from sandbox.store.database import Store

META_KEY = "integration"


@dataclass(frozen=True)
class Integration:
    """The only integration this account knows."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str = ""
    installed: bool = False
    """Whether an admin has allowed the integration once; until then no other user can (sheet 3.1, D)."""

    def with_query(self, **parameters: str) -> str:
        """The redirect URI with these parameters behind its own query."""
        joint = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{joint}{urlencode(parameters)}"


def load(store: Store) -> Integration:
    """As last saved."""
    return Integration(**json.loads(store.meta(META_KEY) or "{}"))


def save(store: Store, integration: Integration) -> None:
    """Store the integration."""
    store.remember(META_KEY, json.dumps(asdict(integration)))
