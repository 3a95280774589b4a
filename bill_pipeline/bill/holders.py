"""Which process holds a lease, and whether it died, as far as this machine can tell.

A process's number is given to another one later, and means nothing on another machine or in another
container: a holder's name says when the process began, and where.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_PROCESSES = Path("/proc")


def this_process() -> str:
    """This process's name as a holder, without spaces."""
    pid = os.getpid()
    _, started = _state(pid)
    return f"{_machine()}/{pid}/{started}"


def is_dead(holder: str) -> bool:
    """Whether the process of that name is known to have ended; not of what cannot be known here."""
    machine, process, started = f"{holder}//".split("/")[:3]
    if not machine or machine != _machine() or not process.isdecimal() or not started:
        return False
    try:
        os.kill(int(process), 0)  # asks, and does nothing to it
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    state, now = _state(int(process))
    # A killed process stays in the table until its parent has asked after it.
    return state in ("Z", "X") or bool(now and now != started)


def _state(pid: int) -> tuple[str, str]:
    """The state of a process and when it began; empty where the machine does not say."""
    try:
        text = (_PROCESSES / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return "", ""
    words = text.rpartition(")")[2].split()  # the program's name may hold anything
    return words[0], words[19]


@cache
def _machine() -> str:
    """This start of this machine, and the space in which it numbers processes; else empty."""
    try:
        started = (_PROCESSES / "sys/kernel/random/boot_id").read_text().strip()
        return f"{started}-{(_PROCESSES / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""
