"""The leads page over a full mirror: a filter change, the first paint, bytes to the browser, and twenty people at once.

Each size has a database of its own and, on it, two programs: the desk, and a bare Streamlit page that does the same queries
(`bare_list.py`). They take turns, filter by filter, none of which either has answered before. Timed over the socket, from
the change to the last message of the run, so without the browser's own drawing.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from benchmarks.big_mirror import fill
from benchmarks.served import serving
from benchmarks.visitor import Visitor
from store import Store

ROOT = Path(__file__).resolve().parent.parent
SIZES = (100_000, 10_000, 1_000)
CHANGES = 60
PEOPLE, THEIR_CHANGES = 20, 12
OPENINGS = 20

LIMIT_RATIO = 2.5
LIMIT_CHANGE_S, LIMIT_PAINT_S, LIMIT_BYTES, LIMIT_TOGETHER_S = 0.2, 0.3, 300_000, 1.0
LIMIT_SIZES = 2.0
"""The longest time of any size of the club, as a multiple of the greatest size's."""

NOWHERE = {"AMOCRM_API_URL": "http://127.0.0.1:1", "AMOCRM_CLIENT_ID": "id-of-nobody", "AMOCRM_CLIENT_SECRET": "secret-of-nobody"}  # fmt: skip
NAMES = ("иван", "мари", "ольг", "серг", "алекс", "кузн", "петр", "соко", "леб", "ник")
Change = tuple[str, object]


def main() -> bool:
    """Measure, print, and tell whether the limits hold."""
    good, changes = True, {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/desk.db"
            store = Store(url)
            store.upgrade()
            fill(store, leads=size, contacts=size * 4 // 5)
            store.close()
            settings = NOWHERE | {"DATABASE_URL": url, "SECRET_KEY": "k" * 40}
            with (
                serving("dashboard.py", settings) as (desk, _),
                serving("benchmarks/bare_list.py", settings) as (bare, _),
            ):
                p95, fine = one_size(size, desk, bare)
                changes[size] = p95
                good &= fine
                if size == SIZES[0]:
                    good &= together(desk)
    return good and all(p95 <= LIMIT_SIZES * changes[SIZES[0]] for p95 in changes.values())


def one_size(size: int, desk: int, bare: int) -> tuple[float, bool]:
    """p95 of a filter change on the desk, and whether the limits hold."""
    for port in (desk, bare):
        with Visitor(port) as first:
            first.open()  # whatever is done once a process
    paints, weight = [], 0
    for _ in range(OPENINGS):
        with Visitor(desk) as visitor:
            paints.append(visitor.open())
            weight = max(weight, visitor.bytes)
    took: dict[int, list[float]] = {desk: [], bare: []}
    with Visitor(desk) as ours, Visitor(bare) as theirs:
        sessions = {desk: ours, bare: theirs}
        for session in sessions.values():
            session.open()
        for number, change in enumerate(itertools.islice(all_changes(1), CHANGES)):
            for port in sorted(sessions, reverse=bool(number % 2)):
                took[port].append(make(sessions[port], change))
    half = statistics.median(took[desk])
    ratio, p95, paint = half / statistics.median(took[bare]), _p95(took[desk]), _p95(paints)
    print(
        f"leads page, {size:>7} leads: filter change p50 {_ms(half)}, p95 {_ms(p95)} ms (limit {_ms(LIMIT_CHANGE_S)}); "
        f"bare p50 {_ms(statistics.median(took[bare]))}, ratio {ratio:.2f} (limit {LIMIT_RATIO}); "
        f"first paint p95 {_ms(paint)} ms (limit {_ms(LIMIT_PAINT_S)}); {weight / 1000:.0f} kB (limit {LIMIT_BYTES / 1000:.0f})"
    )
    return p95, ratio <= LIMIT_RATIO and p95 <= LIMIT_CHANGE_S and paint <= LIMIT_PAINT_S and weight <= LIMIT_BYTES


def together(port: int) -> bool:
    """Twenty people, each with the next filter change as soon as the answer to the last is there, and each with the right answer."""
    took, wrong, start = [], [], threading.Barrier(PEOPLE)

    def person(number: int) -> None:
        with Visitor(port) as visitor:
            visitor.open()
            start.wait()
            for change in itertools.islice(all_changes(100 + number), THEIR_CHANGES):
                took.append(make(visitor, change))
                alone.append((number, change, counted(visitor)))

    alone: list[tuple[int, Change, str]] = []
    threads = [threading.Thread(target=person, args=(number,)) for number in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(PEOPLE):
        with Visitor(port) as visitor:
            visitor.open()
            for change in [change for whose, change, _ in alone if whose == number]:
                make(visitor, change)
                if counted(visitor) != next(text for whose, what, text in alone if (whose, what) == (number, change)):
                    wrong.append(change)
    p95 = _p95(took)
    print(
        f"leads page, {PEOPLE} people at once: filter change p50 {_ms(statistics.median(took))}, p95 {_ms(p95)} ms "
        f"(limit {_ms(LIMIT_TOGETHER_S)}); answers that were not theirs: {len(wrong)}"
    )
    return p95 <= LIMIT_TOGETHER_S and not wrong and len(took) == PEOPLE * THEIR_CHANGES


def all_changes(seed: int) -> Iterator[Change]:
    """A search, then two or three sources, then the next search: no two alike, so that no answer is remembered."""
    random = Random(seed)
    seen = set()
    while True:
        name = random.choice(NAMES)
        for change in (
            ("search", name + " " + str(random.randrange(10))),
            ("source", tuple(random.sample(range(1, 9), 3))),
        ):
            if change not in seen:
                seen.add(change)
                yield change


def make(visitor: Visitor, change: Change) -> float:
    """Carry a change out: seconds."""
    kind, value = change
    if kind == "search":
        return visitor.type("leads.search", str(value))
    options = next(options for key, options in visitor.choices.items() if "leads.source" in key)
    assert isinstance(value, Sequence)
    return visitor.choose("leads.source", [options[at] for at in value])


def counted(visitor: Visitor) -> str:
    """The sentence with the number of leads."""
    return next((text for text in visitor.texts if "**" in text), "none")


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
