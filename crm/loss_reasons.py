"""Why leads are lost, as the account names it. Sheet 5.14."""

from __future__ import annotations

from crm.client import Client


def names(client: Client, *, live: bool = True) -> dict[int, str]:
    """Every loss reason by id. 1 request for each 250."""
    return {
        reason["id"]: str(reason.get("name") or "")
        for page in client.pages("/api/v4/leads/loss_reasons", "loss_reasons", "loss_reasons.list", live=live)
        for reason in page
    }
