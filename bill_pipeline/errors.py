"""The root of the errors that a person must act on; their text is fit to be shown as it is.

::

    PipelineError
    ├── settings.SettingsError       a setting or a client's name cannot be used
    ├── vault.VaultError             a stored secret cannot be opened
    ├── clients.UnknownClient        no such client is connected
    ├── clients.ClientAlreadyConnected
    ├── whose_books.ForeignBooks     a client's file is another organization's
    ├── client_files.BooksMissing    a client's file was lost
    ├── client_files.ClientBusy      another process works on the client
    └── books.ClientPaused           a person must act first

BILL's own errors have a root of their own, ``bill.errors.BillError``.
"""

from __future__ import annotations

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


class NotForgotten(PipelineError):
    """A client was purged but in Dagster; the message says until when samples stay there."""
