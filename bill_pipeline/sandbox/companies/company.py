"""An invented company as all that happens in it sees it: its documents, its queue of events.

What happens is ``life``'s.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from datetime import date
from typing import Any

from bill_pipeline.sandbox.cash import Cash
from bill_pipeline.sandbox.clock import DAY_MS, day_ms
from bill_pipeline.sandbox.companies.trades import Trade
from bill_pipeline.sandbox.companies.variety import Variety
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.payables import Payables
from bill_pipeline.sandbox.receivables import Receivables
from bill_pipeline.sandbox.switches import Switches


class Company:
    """One company; ``live_until`` makes what is queued happen."""

    def __init__(
        self,
        organization: Organization,
        trade: Trade,
        rng: random.Random,
        switches: Switches,
        start: date,
        variety: Variety,
    ) -> None:
        self.organization = organization
        self.trade = trade
        self.rng = rng
        self.payables = Payables(organization, switches)
        self.receivables = Receivables(organization, switches)
        self.cash = Cash(organization)
        #: Lines of bills dated after this may come without a GL account.
        self.coded_until = date.max
        #: The last day of the invented history: what is rare begins after it (``edge_cases``).
        self.history_ends = date.max
        #: What the uncoded lines should be coded to: the truth for scoring a classifier.
        self.truth: list[dict[str, str]] = []
        self.accounts = {
            account["account"]["number"]: account["id"]
            for account in organization["chart-of-accounts"]
        }
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = 0
        self.lived_until_ms = day_ms(start)
        self.switches = switches
        self.variety = variety
        #: Account id → the account it was entered as once more, while there are two.
        self.accounts_twice: dict[str, str] = {}

    def at(self, when_ms: int, event: Callable[..., None], *arguments: Any) -> None:
        """Let ``event(when_ms, *arguments)`` happen at a time."""
        self._sequence += 1
        heapq.heappush(self._queue, (when_ms, self._sequence, event, arguments))

    def in_days(self, now_ms: int, days: float, event: Callable[..., None], *rest: Any) -> None:
        self.at(now_ms + int(days * DAY_MS), event, *rest)

    def live_until(self, until_ms: int) -> int:
        """Let everything due happen, in order; the number of events."""
        count = 0
        self.lived_until_ms = max(self.lived_until_ms, until_ms)
        while self._queue and self._queue[0][0] <= until_ms:
            when_ms, _, event, arguments = heapq.heappop(self._queue)
            event(when_ms, *arguments)
            count += 1
        return count

    def resume(self, now_ms: int) -> None:
        """Go on after a pause: what was to come is put off by the time that passed.

        Events in the past would write documents older than what clients have already read.
        """
        pause_ms = max(now_ms - self.lived_until_ms, 0)
        self.lived_until_ms = now_ms
        self._queue = [
            (when_ms + pause_ms, sequence, event, arguments)
            for when_ms, sequence, event, arguments in self._queue
        ]

    def moment(self, day: date) -> int:
        """Some moment of the working day (US hours), in milliseconds."""
        return day_ms(day, 14) + self.rng.randrange(8 * 3_600_000)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def dollars_between(self, low: int, high: int) -> int:
        """Cents, more often near the low end, as prices are."""
        share = self.rng.random() ** 2
        return int((low + (high - low) * share) * 100) + self.rng.randrange(100)

    def bank_id(self) -> str:
        return self.organization["bank-accounts"].ids.at(0)

    def user_id(self, number: int = 0) -> str:
        return self.organization["users"].ids.at(number)

    def dimensions(self) -> dict[str, str]:
        """Department, class and location of a line, for companies that use them."""
        chosen = {}
        for name, field in (
            ("departments", "departmentId"),
            ("accounting-classes", "accountingClassId"),
            ("locations", "locationId"),
        ):
            documents = self.organization[name]
            if len(documents) and self.chance(0.9):
                chosen[field] = documents.ids.at(self.rng.randrange(len(documents)))
        return chosen

    def account_used(self, account_id: str) -> str:
        """The account a bookkeeper finds: of an account entered twice now this, now that."""
        duplicate = self.accounts_twice.get(account_id)
        if duplicate and self.variety.happens("accounts_merged", 0.6):
            return duplicate
        return account_id
