"""Make decisions in processes that are killed: ``python -m …killed_decisions TASK …``.

Each task is ``FOLDER:ACTION:POINT``; every one is a process of its own, killed at its point.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from bill_pipeline.actions import deciding
from bill_pipeline.pipeline.batches import rules_version
from bill_pipeline.pipeline.client_sync import Sync
from bill_pipeline.pipeline.steps import LAYERS
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.transforms import load_checks
from bill_pipeline.warehouse.warehouse import Warehouse

CLIENT = "maple-bakery"
LINE = deciding.DocumentLine("bill", f"00n-{CLIENT}-10", f"line-{CLIENT}-10-1")
POINTS = ("decided", "building", "built", "committed")
#: In the others fewer layers show the same.
NEED_ALL_LAYERS = {("decide", "building"), ("decide", "committed")}


class WatchedConnection:
    """A DuckDB connection that calls ``before`` or ``after`` around the commit."""

    def __init__(self, connection: Any, before: Any, after: Any = lambda: None) -> None:
        self._connection, self._before, self._after = connection, before, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *values: Any) -> Any:
        if sql != "commit":
            return self._connection.execute(sql, *values)
        self._before()
        found = self._connection.execute(sql)
        self._after()
        return found


def watch_commits(patch: Any, before: Any, after: Any = lambda: None) -> None:
    """Have every client file opened from now on tell of its commits."""
    start = Warehouse.__init__

    def watched(self: Warehouse, connection: Any, client: str) -> None:
        start(self, WatchedConnection(connection, before, after), client)  # type: ignore[arg-type]

    patch(Warehouse, "__init__", watched)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _decide(home: Home, action: str, point: str) -> None:
    build = Sync.build
    if (action, point) not in NEED_ALL_LAYERS:
        deciding.LAYERS = LAYERS[:1]
    if point in ("decided", "building"):
        deadly = "staging" if point == "decided" else "reports"
        Sync.build = lambda self, layer, **how: (  # type: ignore[method-assign, assignment]
            _die() if layer == deadly else build(self, layer, **how)
        )
    elif point == "built":
        watch_commits(setattr, before=_die)
    else:
        watch_commits(setattr, before=lambda: None, after=_die)
    said = {"by": "test", "reason": "r"}
    if action == "decide":
        deciding.decide_lines(home, CLIENT, [deciding.Answer(LINE, "TOOLS")], **said)
    elif action == "close":
        deciding.close_through(home, CLIENT, date(2026, 2, 28), **said)
    else:
        deciding.reopen_from(home, CLIENT, date(2026, 1, 1), **said)


def main(tasks: list[str]) -> None:
    # Once for all processes: parse the SQL, load what a build loads late.
    rules_version()
    load_checks()
    import_module("bill_pipeline.categorization.categorize")
    import_module("bill_pipeline.categorization.parties")
    for task in tasks:
        folder, action, point = task.rsplit(":", 2)
        if (child := os.fork()) == 0:
            try:
                _decide(Home.at(Path(folder)), action, point)
            finally:
                os._exit(0)  # it was to be killed
        _pid, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"{task}: it was not killed"


if __name__ == "__main__":
    main(sys.argv[1:])
