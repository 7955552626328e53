"""Health for programs: alive; ready or not, which checks fail since when (`desk.readiness`), the last jump of a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from desk.desk import Desk
from desk.readiness import DATABASE


def healthz(_: Request) -> Response:
    """Answer that the process is alive."""
    return JSONResponse({"status": "ok"})


def readyz(desk: Callable[[], Desk], _: Request) -> Response:
    """Answer 200 if the desk is ready, else 503, with every check's code."""
    verdict = desk().watch.now()
    told: dict[str, object] = {"ready": verdict.is_ready, "checks": verdict.codes(), "since": verdict.since()}
    told["clock_jump"] = last_jump(desk()) if verdict.of(DATABASE).is_ok else None
    return JSONResponse(told, status_code=200 if verdict.is_ready else 503, headers={"Cache-Control": "no-store"})


def last_jump(desk: Desk) -> dict[str, object] | None:
    """The last jump of a clock: which clock, seconds, when, and when the losses it may have caused were made good."""
    jump = desk.mirror.clocks.jumps.last()
    return asdict(jump) if jump is not None else None
