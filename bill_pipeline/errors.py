"""The root of the errors that a person must act on; their text is fit to be shown as it is.

::

    PipelineError
    ├── settings.SettingsError       a setting or a client's name cannot be used
    ├── vault.VaultError             a stored secret cannot be opened
    ├── client_errors.UnknownClient  no such client is connected
    ├── client_errors.ClientAlreadyConnected
    ├── whose_books.ForeignBooks     a client's file is another organization's
    ├── client_errors.BooksMissing   a client's file was lost
    ├── client_errors.ClientBusy     another process works on the client
    └── client_sync.ClientPaused     a person must act first

BILL's own errors have a root of their own, ``bill.errors.BillError``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class PipelineError(Exception):
    """Says what happened, to which client, and what to do; holds no secret."""


class DecisionRefused(PipelineError):
    """A decision contradicts the books or is incomplete; the message says what to change."""


@dataclass(frozen=True)
class CheckResult:
    """What one check found; ``rows`` are the first offending rows, values as text."""

    name: str
    table: str
    severity: str
    summary: str
    row_count: int
    rows: tuple[dict[str, str], ...] = ()

    @property
    def passed(self) -> bool:
        return self.row_count == 0

    @property
    def is_error(self) -> bool:
        """Whether it keeps books from being taken over."""
        return self.severity == "error" and not self.passed


class WarehouseError(PipelineError):
    """A client's file cannot be built; the message names the client and the remedy."""


class ChecksFailed(WarehouseError):
    """Error-level checks of ``schema`` found rows; nothing changed. ``checks``: all that ran."""

    def __init__(self, client: str, schema: str, checks: Iterable[CheckResult]) -> None:
        self.checks = tuple(checks)
        found = "; ".join(f"{c.name} ({c.row_count} rows): {c.rows[:3]}" for c in self.failed)
        super().__init__(
            f"{client}: the layer {schema} was not replaced, because its checks failed. {found}. "
            "The tables of the last good sync stay; correct the documents named in BILL and sync "
            "again."
        )

    @property
    def failed(self) -> list[CheckResult]:
        return [check for check in self.checks if check.is_error]


class NotForgotten(PipelineError):
    """A client was purged but in Dagster; the message says until when samples stay there."""
