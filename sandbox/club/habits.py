"""The club's habits: where leads come from, when, their wishes and their ends.

Shares are made up to be believable for a city club, not measured anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sandbox.club.account import UTC_OFFSET_S
from sandbox.club.structure import CORPORATE, INCOMING, LOST, SALES, WON, WORKING

DAY_S = 24 * 3600
HOUR_S = 3600

SOURCES = {
    "Сайт": 23,
    "Яндекс Директ": 16,
    "ВКонтакте": 13,
    "Звонок": 12,
    "Яндекс Карты": 11,
    "Рекомендация": 9,
    "2ГИС": 6,
    "Проходил мимо": 6,
    "Telegram": 4,
}
"""Source → share in per cent. No Instagram: advertising there has been banned since 2022."""

IN_PERSON = {"Звонок", "Проходил мимо", "Рекомендация"}
"""Sources of leads that come while the desk is manned; other leads come at any hour."""

DIRECTIONS = {
    "Тренажёрный зал": 27,
    "Йога": 15,
    "Бассейн": 13,
    "Пилатес": 11,
    "Растяжка": 9,
    "Бокс": 9,
    "Детский фитнес": 8,
    "Групповые программы": 5,
    "": 3,
}
WEEKDAYS = (1.25, 1.15, 1.1, 1.0, 0.9, 0.75, 0.85)
"""Monday to Sunday."""

ONLINE_HOURS = (4, 2, 1, 1, 1, 2, 5, 9, 14, 18, 20, 21, 22, 22, 20, 20, 22, 25, 30, 36, 38, 34, 24, 12)
DESK_HOURS = (0, 0, 0, 0, 0, 0, 0, 2, 8, 16, 20, 20, 18, 16, 16, 17, 20, 26, 30, 28, 18, 6, 0, 0)
"""Weights of the club's own hours, 0 to 23."""

PRICES = (900, 4500, 4900, 5500, 11900, 12900, 19900, 21900, 29900, 34900)
"""Roubles."""

LOSS_SHARES = (26, 12, 20, 15, 9, 12, 6)
"""In the order of `structure.LOSS_REASONS`."""

UTM = {
    "Яндекс Директ": ("yandex", "cpc", ("brand_msk", "yoga_search", "pool_rsya", "zal_search")),
    "ВКонтакте": ("vk", "cpc", ("vk_leadform_may", "vk_retarget", "vk_lookalike")),
    "Telegram": ("telegram", "social", ("tg_channel",)),
    "Сайт": ("google", "organic", ("(none)",)),
}
"""Source → utm_source, utm_medium, campaigns."""


@dataclass(frozen=True, slots=True)
class Fate:
    """The story of a lead: its stages with the time of each move, the first at its creation."""

    steps: list[tuple[int, int]]

    @property
    def status_id(self) -> int:
        """The present stage."""
        return self.steps[-1][0]

    @property
    def changed_at(self) -> int:
        """The time of the last move."""
        return self.steps[-1][1]


def moments(random: Random, sources: list[str], since: int, until: int) -> list[int]:
    """A moment for each source, within `since` and `until` (unix seconds), by weekday and hour of the club's time."""
    first_day = (since + UTC_OFFSET_S) // DAY_S
    last_day = max(first_day, (until - 1 + UTC_OFFSET_S) // DAY_S)
    days = range(first_day, last_day + 1)
    weights = [WEEKDAYS[(day + 3) % 7] for day in days]  # day 0 was a Thursday
    chosen_days = random.choices(days, weights, k=len(sources))
    online, manned = (random.choices(range(24), hours, k=len(sources)) for hours in (ONLINE_HOURS, DESK_HOURS))
    found = []
    for day, source, by_night, by_day in zip(chosen_days, sources, online, manned, strict=True):
        hour = by_day if source in IN_PERSON else by_night
        moment = day * DAY_S + hour * HOUR_S + random.randrange(HOUR_S) - UTC_OFFSET_S
        if not since <= moment < until:
            moment = since + random.randrange(max(1, until - since))  # the first and the last day are not whole
        found.append(moment)
    return found


def fate(random: Random, pipeline_id: int, created_at: int, now: int) -> Fate:
    """The story of a lead by `now`: older leads stand further along, some were forgotten, most ended."""
    stages = WORKING[pipeline_id]
    age_s = now - created_at
    if age_s < 2 * DAY_S and random.random() < 0.07:
        return Fate([(INCOMING[pipeline_id], created_at)])
    steps = [(stages[0], created_at)]
    if random.random() < 0.05:  # forgotten
        return Fate(steps)
    takes_s = random.expovariate(1 / (11 * DAY_S)) + 3 * HOUR_S
    wins = random.random() < (0.31 if pipeline_id == SALES else 0.4)
    reached = len(stages) if wins else random.choices(range(1, len(stages) + 1), (30, 28, 20, 14, 8)[: len(stages)])[0]
    for position in range(1, reached):
        moved_at = created_at + int(takes_s * position / (reached + 0.5))
        if moved_at >= now:
            return Fate(steps)
        steps.append((stages[position], moved_at))
    if created_at + takes_s < now:
        steps.append((WON if wins else LOST, created_at + int(takes_s)))
    return Fate(steps)


def pipeline(random: Random) -> int:
    """Most people come for themselves."""
    return CORPORATE if random.random() < 0.06 else SALES
