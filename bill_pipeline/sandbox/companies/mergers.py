"""Accounts that take another type, accounts and vendors that become one: which day, which one.

Only companies with such a variety meet it, all their life long. ``events`` says what happened,
for a list shows only how it ended.
"""

from __future__ import annotations

from datetime import date

from bill_pipeline.sandbox.clock import day_ms, from_ms
from bill_pipeline.sandbox.companies.changes import Changes
from bill_pipeline.sandbox.companies.company import Company
from bill_pipeline.sandbox.companies.payables_life import PayablesLife
from bill_pipeline.sandbox.companies.vendors import add_vendor

#: Per working day.
_CHANCES = {"accounts_retyped": 0.012, "accounts_merged": 0.012, "vendors_merged": 0.02}
_DAYS_TWICE = 45
#: Account number → the type it takes, and takes back the next time.
_RETYPES = {
    "6750": "OTHER_EXPENSE",
    "5200": "EXPENSE",
    "1500": "EXPENSE",
    "1300": "OTHER_ASSET",
    "2100": "OTHER_CURRENT_LIABILITY",
    "4900": "OTHER_INCOME",
    "1080": "BANK",
}


class Mergers:
    """What a company of some variety does to its accounts and vendors."""

    def __init__(self, life: Company, payables_life: PayablesLife, changes: Changes) -> None:
        self._life = life
        self._payables_life = payables_life
        self._changes = changes
        #: (kind, moment in ms, id, what it became), oldest first.
        self.events: list[tuple[str, int, str, str]] = []
        self._first_types: dict[str, str] = {}

    def begin_day(self, day: date) -> None:
        life = self._life
        if day.weekday() >= 5:
            return
        for kind, event in (
            ("accounts_retyped", self.retype_account),
            ("accounts_merged", self.enter_account_twice),
            ("vendors_merged", self.enter_vendor_twice),
        ):
            if life.variety.happens(kind, _CHANCES[kind]):
                life.at(day_ms(day, 20), event)

    def retype_account(self, now_ms: int) -> None:
        """An account takes another type; the next time, the one it had."""
        life = self._life
        number = life.variety.generator("accounts_retyped").choice(list(_RETYPES))
        accounts = life.organization["chart-of-accounts"]
        account = life.payables.document("chart-of-accounts", life.accounts[number])
        first = self._first_types.setdefault(number, account["account"]["type"])
        is_first = account["account"]["type"] == first
        account["account"]["type"] = _RETYPES[number] if is_first else first
        accounts.replace(account, now_ms)
        kind = account["account"]["type"]
        self.events.append(("accounts_retyped", now_ms, account["id"], kind))

    def enter_account_twice(self, now_ms: int) -> None:
        """An expense account is entered again, used beside the first, and merged into it."""
        life = self._life
        used = [purchase.account for purchase in life.trade.purchases]
        number = life.variety.generator("accounts_merged").choice(used)
        kept = life.payables.document("chart-of-accounts", life.accounts[number])
        if kept["id"] in life.accounts_twice:
            return
        copy = {
            "archived": False,
            "name": f"{kept['name']} (entered twice)",
            "account": {**kept["account"], "number": f"{number}-{from_ms(now_ms):%y%m%d}"},
        }
        duplicate = life.organization["chart-of-accounts"].add(copy, now_ms)
        life.accounts_twice[kept["id"]] = duplicate["id"]
        life.in_days(now_ms, _DAYS_TWICE, self._merge_account, kept["id"])

    def _merge_account(self, now_ms: int, kept_id: str) -> None:
        duplicate_id = self._life.accounts_twice.pop(kept_id)
        self._merge(now_ms, "accounts_merged", "chart-of-accounts", duplicate_id, kept_id)

    def enter_vendor_twice(self, now_ms: int) -> None:
        """A vendor is entered again and bought from; one of the two is merged into the other.

        Either may be the one that stays, so that what was merged into a vendor moves on with it.
        """
        life = self._life
        chance = life.variety.generator("vendors_merged")
        vendors = self._payables_life.vendors_of_kind
        kind = chance.choice(list(vendors))
        first = life.payables.document("vendors", chance.choice(vendors[kind]))
        second = add_vendor(life, f"{first['name']} LLC", now_ms)
        vendors[kind].append(second["id"])
        pair = [first["id"], second["id"]]
        chance.shuffle(pair)
        life.in_days(now_ms, _DAYS_TWICE, self._merge_vendors, kind, *pair)

    def _merge_vendors(self, now_ms: int, kind: str, duplicate_id: str, kept_id: str) -> None:
        merged = self._life.organization.merged_into
        if duplicate_id in merged or kept_id in merged:
            return
        self._payables_life.buy_from(kind, kept_id, instead_of=duplicate_id)
        self._merge(now_ms, "vendors_merged", "vendors", duplicate_id, kept_id)

    def _merge(self, now_ms: int, kind: str, list_name: str, duplicate: str, kept: str) -> None:
        """v3 shows the duplicate archived, v2 names what it was merged into."""
        life = self._life
        life.organization.merged_into[duplicate] = kept
        self._changes.set_archived(now_ms, list_name, duplicate, archived=True)
        self.events.append((kind, now_ms, duplicate, kept))
