"""Everything one running sandbox holds: organizations, clock, switches, sessions, limits.

The planes (``v3``, ``v2``, ``events``, ``control``) read and change it; it knows none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bill_pipeline.sandbox import cards
from bill_pipeline.sandbox.clock import Clock
from bill_pipeline.sandbox.faults import Faults
from bill_pipeline.sandbox.limits import Limits
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.payables import Payables
from bill_pipeline.sandbox.receivables import Receivables
from bill_pipeline.sandbox.selection import Selections
from bill_pipeline.sandbox.sessions import Sessions
from bill_pipeline.sandbox.switches import Switches
from bill_pipeline.sandbox.trust import Trust
from bill_pipeline.sandbox.webhooks import Webhooks

#: Where invented history ends unless told otherwise, so that the same seed gives the same books.
DEFAULT_TODAY = datetime(2026, 6, 30, 18, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Company:
    """What a person needs to connect one company, as the command line prints it."""

    client: str
    name: str
    organization_id: str
    token_name: str
    token_password: str
    user_name: str
    user_password: str


class SandboxState:
    """The sandbox without its HTTP."""

    def __init__(
        self,
        seed: int = 1,
        today: datetime = DEFAULT_TODAY,
        speed: float = 0.0,
        switches: Switches | None = None,
    ) -> None:
        self.seed = seed
        self.dev_key = f"01SANDBOXDEVKEY{seed:05d}"
        self.clock = Clock(today, speed)
        self.switches = switches or Switches()
        self.limits = Limits(self.clock, self.switches)
        self.sessions = Sessions(self.clock, self.switches, seed)
        self.trust = Trust(seed)
        self.faults = Faults(seed)
        self.selections = Selections()
        self.organizations: dict[str, Organization] = {}
        #: The life of each invented company, by organization id.
        self.lives: dict[str, Any] = {}
        self.base_url = ""
        self.webhooks = Webhooks(self.clock, seed)
        #: (organization id, X-Idempotent-Key) -> subscription id.
        self.idempotent_subscriptions: dict[tuple[str, str], str] = {}
        self._payables: dict[str, Payables] = {}
        self._receivables: dict[str, Receivables] = {}
        #: Whether the invented companies go on living as the clock goes on.
        self.is_live = False

    def add(self, organization: Organization) -> None:
        cards.issue(organization)
        self.organizations[organization.id] = organization

    def organization(self, client_or_id: str) -> Organization:
        """By client name or organization id; raises ``KeyError`` with what there is."""
        for organization in self.organizations.values():
            if client_or_id in {organization.id, organization.client}:
                return organization
        known = ", ".join(o.client for o in self.organizations.values())
        raise KeyError(f"No organization {client_or_id!r} in the sandbox. There are: {known}")

    def add_life(self, life: Any) -> None:
        """Add an invented company that has lived until now and may go on living."""
        self.add(life.organization)
        self.lives[life.organization.id] = life
        self._listen(life.organization, life.payables)
        self._listen(life.organization, life.receivables)

    def _listen(self, organization: Organization, ledger: Payables | Receivables) -> None:
        ledger.listeners.append(partial(self.webhooks.record, organization))

    def receivables(self, organization: Organization) -> Receivables:
        """The receivables of an organization, as ``payables``."""
        life = self.lives.get(organization.id)
        if life is not None:
            receivables: Receivables = life.receivables
            return receivables
        if organization.id not in self._receivables:
            self._receivables[organization.id] = Receivables(organization, self.switches)
            self._listen(organization, self._receivables[organization.id])
        return self._receivables[organization.id]

    def payables(self, organization: Organization) -> Payables:
        """The payables of an organization: those of its life, or for imports their own."""
        life = self.lives.get(organization.id)
        if life is not None:
            payables: Payables = life.payables
            return payables
        if organization.id not in self._payables:
            self._payables[organization.id] = Payables(organization, self.switches)
            self._listen(organization, self._payables[organization.id])
        return self._payables[organization.id]

    def follow(self, organization: Organization, payment: Any) -> None:
        """Let a client's payment go its way, in a company that lives."""
        life = self.lives.get(organization.id)
        if life is not None:
            life.follow(payment)

    def set_live(self, live: bool) -> None:
        """Let the invented companies go on living from now, or stop."""
        if live and not self.is_live:
            for life in self.lives.values():
                life.resume(self.clock.now_ms())
        self.is_live = live

    def advance(self) -> int:
        """Let everything happen that is due by the clock; the number of events."""
        if not self.is_live:
            return 0
        now_ms = self.clock.now_ms()
        return sum(life.live_until(now_ms) for life in self.lives.values())

    def companies(self) -> list[Company]:
        return [
            Company(
                client=organization.client,
                name=organization.name,
                organization_id=organization.id,
                token_name=organization.token().name,
                token_password=organization.token().password,
                user_name=organization.user().name,
                user_password=organization.user().password,
            )
            for organization in self.organizations.values()
        ]

    def books(self, client_or_id: str) -> dict[str, list[dict[str, Any]]]:
        """The true books, list by list, for a test to compare with."""
        organization = self.organization(client_or_id)
        return {name: list(documents) for name, documents in organization.lists.items()}
