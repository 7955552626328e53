"""Owners of leases: a name for our process, and whether the process behind a name is certainly gone.

A lease ends by its time in any case. Knowing that its holder died a second ago saves waiting for that: a desk
that was killed and started again goes on at once. Only certainty counts; on another machine nobody is ever "gone".
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

PROC = Path("/proc")


def me() -> str:
    """The name of our process: machine, process number, and start (numbers are used again)."""
    return _name_of(os.getpid())


def is_gone(owner: str) -> bool:
    """Whether the process of a name certainly runs no more. False if unknowable."""
    place, _, rest = owner.partition("|")
    number, _, began = rest.partition("|")
    if place != _place() or not number.isdigit() or not began:
        return False
    return _began(int(number)) != began


@cache
def _name_of(number: int) -> str:
    return f"{_place()}|{number}|{_began(number)}"  # by number, or a forked child would bear its parent's name


@cache
def _place() -> str:
    """The machine, its present start, and the namespace of process numbers: equal only if numbers mean the same."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()[:8]
        numbers = os.readlink(PROC / "self/ns/pid")
    except OSError:
        return f"{socket.gethostname()}?{os.urandom(4).hex()}"  # unknowable here: like no other place
    return f"{socket.gethostname()}/{boot}/{numbers}"


def _began(number: int) -> str:
    """Start of a process, in the kernel's ticks; "" if there is no such process."""
    try:
        # The name in brackets may hold spaces and brackets itself; the fields after the last one may not.
        return (PROC / str(number) / "stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
