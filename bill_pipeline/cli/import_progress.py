"""Show a sync in the terminal: what is being done, and how far each list of an import is."""

from __future__ import annotations

import threading
from types import TracebackType

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from bill_pipeline.ingest.progress import Progress


class ImportProgress:
    """A line for the sync and one for each list that is being read; gone when all is done.

    Where standard error is no terminal, nothing is drawn.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[counts]}"),
            console=console or Console(stderr=True),
            transient=True,
        )
        self.console = self._bars.console
        self._lock = threading.Lock()
        self._lists: dict[str, TaskID] = {}
        self._sync = self._bars.add_task("starting", counts="")

    def doing(self, client: str, doing: str, done: int) -> None:
        """What is done for ``client``; the lists of an import are over when it is no list."""
        with self._lock:
            what = "reading BILL" if done else doing
            self._bars.update(self._sync, description=f"{client}: {what}")
            if not done:
                for task in self._lists.values():
                    self._bars.remove_task(task)
                self._lists.clear()

    def page(self, step: Progress) -> None:
        """One more page of a list came; called from several threads."""
        with self._lock:
            if step.table not in self._lists:
                self._lists[step.table] = self._bars.add_task(f"  {step.table}", counts="")
            self._bars.update(self._lists[step.table], counts=step.sentence())

    def __enter__(self) -> ImportProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()
