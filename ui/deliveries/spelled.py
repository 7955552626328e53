"""Times and addresses of deliveries as text."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm.leads import lead_address
from desk.delivery import Progress
from desk.desk import the_desk
from store import clock
from ui.frame import formats
from ui.frame.words import language, say


def time_left(when: datetime | None) -> str:
    """A moment as time from now: "через 5 минут", or "now"."""
    left = when - clock.now() if when is not None else timedelta()
    return formats.ago(when, language()) if when is not None and left > timedelta(seconds=1) else say("deliveries-now")


def lead_url(progress: Progress) -> str | None:
    status = the_desk().connection.status()
    is_here = progress.account_id in (None, status.account_id)  # of another account no address is known
    if progress.amo_lead_id is None or status.account_url is None or not is_here:
        return None
    return lead_address(status.account_url, progress.amo_lead_id)


def duration(span_s: float | None) -> str:
    if span_s is None:
        return "—"
    if span_s < 60:
        return say("seconds", seconds=formats.seconds(span_s, language()))
    return formats.lasting(timedelta(seconds=span_s), language())
