"""The way in on a real server: what the server under Streamlit does to a request before we see it."""

from __future__ import annotations

import pytest
import requests
import sqlalchemy as sa

from store import Store
from store.tables import submissions
from tests.desk.web.conftest import INTAKE, NOWHERE
from tests.support.programs import running_desk

VISITOR = "203.0.113.9"


@pytest.mark.parametrize(("trusted", "counted"), [("", "127.0.0.1"), ("127.0.0.1", VISITOR)])
def test_a_proxy_on_this_machine(trusted, counted):
    """uvicorn believes every loopback proxy by itself; the desk believes only those of TRUSTED_PROXIES, and what the
    visitor has written into the header before the proxy counts for nothing."""
    with running_desk(**NOWHERE, INTAKE_API_KEY=INTAKE, TRUSTED_PROXIES=trusted) as desk:
        answer = requests.post(
            f"{desk.url}/api/crm",
            json={"name": "Аня", "phone": "89991234567"},
            headers={"Authorization": f"Bearer {INTAKE}", "X-Forwarded-For": f"198.51.100.66, {VISITOR}"},
            timeout=60,
        )
        assert answer.status_code == 202
        store = Store(f"sqlite:///{desk.folder}/desk.db")
        with store.read() as db:
            assert db.scalars(sa.select(submissions.c.ip)).all() == [counted]
        store.close()
