"""How long a token lives, whatever an AmoCRM says about it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from crm.oauth import LONGEST_LIFE_S, USUAL_LIFE_S, lifetime_s

NOW = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)


def jwt(exp):
    claims = base64.urlsafe_b64encode(json.dumps({"exp": exp}).encode()).decode().rstrip("=")
    return f"x.{claims}.y"


@pytest.mark.parametrize(
    ("expires_in", "token", "lives_s"),
    [
        (86400, "opaque", 86400), ("86400", "opaque", 86400), (3600.7, "opaque", 3600), (60, "opaque", 60),
        (None, "opaque", USUAL_LIFE_S), ("soon", "opaque", USUAL_LIFE_S), (True, "opaque", USUAL_LIFE_S),
        (0, "opaque", USUAL_LIFE_S), (-5, "opaque", USUAL_LIFE_S), ([], "opaque", USUAL_LIFE_S),
        (float("inf"), "opaque", USUAL_LIFE_S), (float("nan"), "opaque", USUAL_LIFE_S), (10**12, "opaque", LONGEST_LIFE_S),
        (None, jwt(NOW.timestamp() + 7200), 7200), (None, jwt(NOW.timestamp() - 1), USUAL_LIFE_S), (600, jwt(0), 600),
        (None, jwt(10**30), USUAL_LIFE_S),
    ],
    ids=str,
)  # fmt: skip
def test_table(expires_in, token, lives_s):
    """Any spelling of a number counts; without one the token itself tells, else it is a day. Never is a pair thrown away."""
    assert lifetime_s(expires_in, token, NOW) == lives_s
