"""Finding the process that holds a busy SQLite database, and continuing it if it is ours and was stopped.

SQLite has no time-out for whoever holds its write lock. A process that was stopped (SIGSTOP, Ctrl+Z, an over-eager
supervisor) in the middle of a transaction holds it until it is continued or killed, and everybody waits. On Linux the
kernel tells who that is; a stopped holder of our own user is continued, so that it ends its transaction.
PostgreSQL ends such a transaction by itself (`idle_in_transaction_session_timeout`), and elsewhere only the waiting ends.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

BESIDE = ("", "-wal", "-shm")
"""Endings of the file names of a database in WAL mode. The write lock is a lock on the last file."""

STOPPED = "T"
"""The kernel's letter for a stopped process. A process held by a debugger ("t") is stopped on purpose."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """A process holding a lock: its number, its state in the kernel's letter, and its user."""

    number: int
    state: str
    user: int


WAKE, LEAVE, NOT_STOPPED = "wake", "leave", "not stopped"


def writers(locks: str, inodes: Iterable[int]) -> list[int]:
    """Numbers of the processes with an exclusive lock on any of some files, from the text of `/proc/locks`.

    Lines of those who wait for a lock are left out, and so are holders in a room of process numbers we cannot see.
    """
    wanted, found = set(inodes), []
    for line in locks.splitlines():
        # 1: POSIX  ADVISORY  WRITE 4711 08:01:131 120 120     and with "->" behind the colon for one who waits
        parts = line.split()
        if len(parts) < 8 or parts[1] != "POSIX" or parts[3] != "WRITE":
            continue
        number, inode = parts[4], parts[5].rpartition(":")[2]
        if number.isdigit() and inode.isdigit() and int(inode) in wanted and 0 < int(number) not in found:
            found.append(int(number))
    return found


def state_of(stat: str) -> str:
    """The state letter out of the text of `/proc/N/stat`; "" if there is none."""
    # The name in brackets may hold spaces and brackets itself; the fields after the last one may not.
    return next(iter(stat.rpartition(")")[2].split()), "")


def judged(holder: Process, me: int, my_user: int) -> str:
    """Decide about a holder: `WAKE` it, `LEAVE` it although stopped, or `NOT_STOPPED`."""
    if holder.state != STOPPED or holder.number == me:
        return NOT_STOPPED
    return WAKE if holder.user == my_user else LEAVE


def wake_holders(database: Path, kill: Callable[[int, int], object] = os.kill) -> list[int]:
    """Continue the stopped processes of our user that hold a database; return their numbers.

    Each is said once in the log, and so is one that may not be continued. Does nothing if the kernel does not tell.
    """
    woken = []
    for holder in _holders(database):
        match judged(holder, os.getpid(), os.geteuid()):
            case "wake":
                try:
                    kill(holder.number, signal.SIGCONT)
                except OSError as error:
                    log.error("database held by a stopped process %d: %s", holder.number, type(error).__name__)
                    continue
                log.warning("database held by a stopped process %d: continued", holder.number)
                woken.append(holder.number)
            case "leave":
                log.error("database held by a stopped process %d of another user", holder.number)
    return woken


def _holders(database: Path) -> list[Process]:
    files = _stats(Path(f"{database}{end}") for end in BESIDE)
    try:
        locks = (PROC / "locks").read_text()
    except OSError:
        return []
    found = []
    for number in writers(locks, [file.st_ino for file in files]):
        folder = PROC / str(number)
        try:
            process = Process(number, state_of((folder / "stat").read_text()), folder.stat().st_uid)
        except OSError:
            continue  # it has ended meanwhile
        # `locks` names the files by numbers that another disk may use as well: it must have one of ours open.
        if process.state != STOPPED or process.user != os.geteuid() or _has_open(folder, files):
            found.append(process)
    return found


def _has_open(folder: Path, files: list[os.stat_result]) -> bool:
    try:
        opened = list((folder / "fd").iterdir())
    except OSError:
        return False
    ours = {(file.st_dev, file.st_ino) for file in files}
    return any((one.st_dev, one.st_ino) in ours for one in _stats(opened))


def _stats(paths: Iterable[Path]) -> list[os.stat_result]:
    found = []
    for path in paths:
        try:
            found.append(path.stat())
        except OSError:
            continue
    return found
