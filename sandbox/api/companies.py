"""Companies: `/companies` (sheet 5.4): contacts without a first and a last name."""

from __future__ import annotations

from typing import Any

from sandbox.api.contacts import PERSON_FILTERS, person_shape
from sandbox.api.listing import Collection
from sandbox.call import Call
from sandbox.club.account import ACCOUNT_ID
from sandbox.store.database import Row

COMPANIES = Collection("companies", "companies", filters=PERSON_FILTERS, orders=("id", "updated_at", "name"))


def shape(call: Call, row: Row, values: list[dict[str, Any]] | None) -> dict[str, Any]:
    """A company's own keys; `_links` and `_embedded` follow."""
    return {
        "id": row["id"],
        "name": row["name"],
        **person_shape(row),
        "is_deleted": False,
        "custom_fields_values": values,
        "account_id": ACCOUNT_ID,
    }
