"""The life of one invented company: a queue of things that happen, day after day.

The same life writes the history before the sandbox's today and, in live mode, what comes after.
What happens with bills and payments is ``payables_life``, with customers ``receivables_life``,
what people change afterwards ``changes``, and what is rare ``edge_cases``. How its documents differ
from tidy ones is ``variety``, and what is merged or retyped ``mergers``.
"""

from __future__ import annotations

import random
from datetime import date, timedelta

from bill_pipeline.sandbox.clock import DAY_MS, day_ms, from_ms
from bill_pipeline.sandbox.companies.changes import Changes
from bill_pipeline.sandbox.companies.company import Company
from bill_pipeline.sandbox.companies.edge_cases import EdgeCases
from bill_pipeline.sandbox.companies.mergers import Mergers
from bill_pipeline.sandbox.companies.payables_life import PayablesLife
from bill_pipeline.sandbox.companies.receivables_life import ReceivablesLife
from bill_pipeline.sandbox.companies.trades import Trade
from bill_pipeline.sandbox.companies.variety import Variety
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.switches import Switches


class CompanyLife(Company):
    """Everything that goes on in one company; ``live_until`` makes it happen.

    ``documents_per_day``: about how many bills, credits, payments and receipts a day brings.
    """

    def __init__(
        self,
        organization: Organization,
        trade: Trade,
        rng: random.Random,
        switches: Switches,
        start: date,
        documents_per_day: float,
        variety: Variety,
    ) -> None:
        super().__init__(organization, trade, rng, switches, start, variety)
        self.payables_life = PayablesLife(self, documents_per_day)
        self.receivables_life = ReceivablesLife(self, documents_per_day)
        self.changes = Changes(self)
        self.edge_cases = EdgeCases(self, self.payables_life.walk, self.changes)
        self.mergers = Mergers(self, self.payables_life, self.changes)
        self.payables_life.meet_vendors(day_ms(start, 14))
        if trade.sales:
            self.receivables_life.meet_customers(day_ms(start, 15))
        self.at(day_ms(start + timedelta(days=1), 6), self._begin_day)

    def follow(self, payment: Document) -> None:
        """Take a payment that a client made on its way, as the company's own."""
        self.payables_life.walk.follow(payment)

    def _begin_day(self, now_ms: int) -> None:
        day = from_ms(now_ms).date()
        self.payables_life.begin_day(day)
        if self.trade.sales:
            self.receivables_life.begin_day(day)
        self.changes.begin_day(day)
        self.edge_cases.begin_day(day)
        self.mergers.begin_day(day)
        self.at(now_ms + DAY_MS, self._begin_day)
