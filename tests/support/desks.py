"""A desk in the same process with the sandbox for its AmoCRM, connected; for tests of its inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desk.desk import Desk
from desk.settings import load
from sandbox.process import Sandbox
from tests.support.databases import put_ready

KEY = "k" * 40
"""The key of several desks on the same database."""


def settings_for(box: Sandbox, **more: str) -> dict[str, str]:
    """The environment of a desk on the given sandbox."""
    return {
        "AMOCRM_API_URL": box.url,
        "AMOCRM_OAUTH_URL": f"{box.url}/oauth",
        "AMOCRM_CLIENT_ID": box.client_id,
        "AMOCRM_CLIENT_SECRET": box.client_secret,
        "AMOCRM_REDIRECT_URI": box.redirect_uri,
        **more,
    }


@contextmanager
def desk_for(box: Sandbox, folder: Path, *, connected: bool = True, marker: bool = True, **more: str) -> Iterator[Desk]:
    """An open desk; `connected` with a refresh token of the sandbox, and with the fields its keeper reads then.

    `marker=False`: the account has no field for our own id yet.
    """
    if "DATABASE_URL" not in more:
        put_ready(folder / "data" / "desk.db")
    desk = Desk(load(settings_for(box, **more), folder))
    try:
        if connected:
            desk.connection.adopt(box.grant()["refresh_token"])
            desk.fields.refresh(desk.client)
            if marker:
                desk.fields.ensure_marker(desk.client)
        yield desk
    finally:
        desk.close()
