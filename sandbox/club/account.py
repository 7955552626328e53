"""The club's account in AmoCRM: constants other files and people rely on."""

from __future__ import annotations

ACCOUNT_ID = 31_296_422
ACCOUNT_NAME = "FitZone"
ACCOUNT_UUID = "b0f1c9a6-2d58-4e0f-8d3c-7a95c2e41f6b"
AMOJO_ID = "6c1e5f3a-48d7-4b0b-9a2e-d10f7c8b3e55"
SUBDOMAIN = "fitzone"
BASE_DOMAIN = "amocrm.ru"
CREATED_AT = 1_585_840_134
"""Unix seconds."""

TIMEZONE = "Europe/Moscow"
UTC_OFFSET_S = 3 * 3600
"""Moscow has had no summer time since 2014, so the offset is a constant."""

INTEGRATION_NAME = "Lead Desk"

DAY_S = 24 * 3600


def midnight(seconds: int) -> int:
    """The beginning of that day in the account's time zone: the value a `date` field reads back (sheet 6, L)."""
    return (seconds + UTC_OFFSET_S) // DAY_S * DAY_S - UTC_OFFSET_S
