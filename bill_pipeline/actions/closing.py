"""The checklist of a month's close: what a careful bookkeeper looks at before locking it.

Reads the published ledger; locking itself is a decision (``deciding.close_through``). Nothing here
prints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from bill_pipeline.errors import PipelineError
from bill_pipeline.registry.clients import ClientStatus


class CannotClose(PipelineError):
    """There are no books to close, or the month is not over."""


class NotReadyToClose(PipelineError):
    """A month has open points and nobody said to close it anyway."""

    def __init__(self, client: str, through: date, open_points: list[str]) -> None:
        super().__init__(
            f"{client}: {through:%B %Y} is not ready to close. {' '.join(open_points)} Settle "
            "these, or close anyway and say so."
        )


#: Answers ``select count(*) as n <clause>`` on the published ledger, with values bound by name.
Count = Callable[[str, dict[str, Any]], int]


@dataclass(frozen=True)
class ClosingPoint:
    """One thing that should be true before a month is closed; ``topic`` says where to look."""

    topic: str  # review | suspense | tie_out | balance
    is_done: bool
    sentence: str


def checklist(count: Count, client: str, through: date) -> list[ClosingPoint]:
    """The points for closing ``client`` through ``through``."""
    values = {"client": client, "through": through}
    to_review = count(
        "from transactions where client = $client and needs_review and date <= $through",
        values,
    )
    suspense = count(
        """
        from trial_balance_at($client, report_date := $through) as balances
        inner join accounts on accounts.client = $client
            and accounts.account_id = balances.account_id
        where balance <> 0 and list_contains(string_split(accounts.roles, ', '), 'suspense')
        """,
        values,
    )
    differing = count("from tie_out where client = $client and difference <> 0", {"client": client})
    unbalanced = count(
        "from (select sum(balance) as total from "
        "trial_balance_at($client, report_date := $through)) where total <> 0",
        values,
    )
    return [
        _point(
            "review",
            to_review,
            "Nothing is left to review.",
            f"{to_review:,} line{'s' * (to_review != 1)} up to that day not reviewed yet.",
        ),
        _point(
            "suspense",
            suspense,
            "Suspense is zero.",
            "Suspense holds money that nobody explained.",
        ),
        _point(
            "tie_out",
            differing,
            "Control accounts tie out with BILL's documents.",
            "Some control accounts do not tie out.",
        ),
        _point("balance", unbalanced, "Debits equal credits.", "Debits do not equal credits."),
    ]


def require_closable(status: ClientStatus, through: date, today: date) -> None:
    """Raises CannotClose for a client without books and for a month that is not over.

    A close before the first import would make the whole history one late adjustment.
    """
    if status.last_success_at is None:
        raise CannotClose(
            f"{status.client} has no books yet. Run `bill-pipeline sync {status.client}` first."
        )
    if through >= today:
        raise CannotClose(f"{status.client}: {through:%B %Y} is not over yet; close it after that.")


def require_ready(client: str, through: date, points: list[ClosingPoint]) -> None:
    """Raises NotReadyToClose when a point is open."""
    open_points = [point.sentence for point in points if not point.is_done]
    if open_points:
        raise NotReadyToClose(client, through, open_points)


def _point(topic: str, count: int, done: str, not_done: str) -> ClosingPoint:
    return ClosingPoint(topic, count == 0, done if count == 0 else not_done)
