"""The funnel: how far leads get, by the stages of their history. Pure: places of stages in, counts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crm.pipelines import LOST


@dataclass(frozen=True, slots=True)
class Place:
    """A stage of a pipeline. `position`: AmoCRM's order over all pipelines."""

    pipeline_id: int
    status_id: int
    position: int
    pipeline: str
    name: str
    color: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel. `reached`: leads that came to this stage or past it. Of leads that came no further:
    `here` are open, `lost` closed."""

    status_id: int
    name: str
    reached: int
    here: int
    lost: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """One pipeline's. `leads`: the first denominator, the leads of the period that are in this pipeline now.

    `unknown`: not among them, because they came before the history of stages is known: how far they got nobody can tell.
    """

    pipeline_id: int
    name: str
    leads: int
    unknown: int
    steps: tuple[Step, ...]


def funnel(stages: Sequence[Place], status: np.ndarray, furthest: np.ndarray, unknown: int) -> Funnel:
    """Count the funnel. `stages`: of a pipeline, in order. For each lead: its place, and the greatest position its
    history names (-1: none)."""
    steps = [stage for stage in stages if stage.status_id != LOST]
    positions = np.array([stage.position for stage in steps])
    now_at = np.zeros(status.size, np.int64)
    for depth, stage in enumerate(steps):
        now_at[status == stage.status_id] = depth
    been_at = np.searchsorted(positions, furthest, "right") - 1
    depth_of = np.maximum(now_at, been_at)
    is_lost = status == LOST
    lost = np.bincount(depth_of[is_lost], minlength=len(steps))
    here = np.bincount(depth_of[~is_lost], minlength=len(steps))
    reached = (lost + here)[::-1].cumsum()[::-1]
    return Funnel(
        stages[0].pipeline_id,
        stages[0].pipeline,
        int(status.size),
        unknown,
        tuple(
            Step(stage.status_id, stage.name, int(reached[depth]), int(here[depth]), int(lost[depth]))
            for depth, stage in enumerate(steps)
        ),
    )
