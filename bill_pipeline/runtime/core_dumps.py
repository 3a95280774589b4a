"""Keep secrets out of core dumps: a crash writes the whole memory of a process into a file."""

from __future__ import annotations

import resource


def leave_no_core_dump() -> None:
    """Switch them off for this process, and for those it starts."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
