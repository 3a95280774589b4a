"""What the books of a second opinion say: balances, open items, cash, profit on cash, Form 1099.

Plain sums over the journal that ``second_opinion`` writes, and the cash basis over its settlements.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

from tests.ledger.second_opinion import (
    PAYABLES,
    ZERO,
    Balances,
    Document,
    Money,
    SecondOpinion,
    Settlement,
    share,
    split,
    total,
)

PROFIT = {"INCOME", "OTHER_INCOME", "COST_OF_GOODS_SOLD", "EXPENSE", "OTHER_EXPENSE"}


def trial_balance(books: SecondOpinion, day: date) -> Balances:
    return total((line.account, line.amount) for line in books.journal if line.day <= day)


def open_items(books: SecondOpinion, day: date) -> Balances:
    """What is left of each document, and of each advance, by (account, document)."""
    return total(
        ((line.account, line.item), line.amount)
        for line in books.journal if line.item and line.day <= day
    )  # fmt: skip


def cash(books: SecondOpinion, day: date) -> Decimal:
    """What is at banks, on its way to and from them, and to be brought there."""
    accounts = {key for key, row in books.chart.items() if row["account"]["type"] == "BANK"}
    accounts.add(books.roles["undeposited funds"])
    balances = trial_balance(books, day)
    return sum((balances.get(account, ZERO) for account in accounts), ZERO)


def cash_profit(books: SecondOpinion, day: date) -> Balances:
    """Income and cost that cash had brought until the end of ``day``, by account.

    A document counts in step with the cash that paid it, at most once, and a credit in step with
    the cash of what it settles: a share of each of its accounts, the sales tax last.
    """
    counted: Balances = defaultdict(Decimal)
    gain = ZERO
    for document, several in _settled_until(books, day).items():
        paid_in_cash = sum((one.home for one in several if isinstance(one.by, Money)), ZERO)
        uses = [one for one in several if isinstance(one.by, Document)]
        home = books.documents[document].home
        to_pay = home - held_to(sum((use.home for use in uses), ZERO), home)
        paid = held_to(paid_in_cash, to_pay)
        is_whole = bool(paid_in_cash) and paid == to_pay
        counted[document] += paid
        for use in uses:
            settled = use.home if is_whole else share(use.home, paid, to_pay)
            used = use.worth if is_whole else share(use.worth, paid, to_pay)
            counted[document] += settled
            counted[use.by.id] -= used
            gain += use.document.side.sign * (settled - used)
    profit = [(books.roles["exchange gain or loss"], gain)]
    profit += [
        (line.account, -line.amount) for line in books.journal
        if line.cash_day and line.cash_day <= day
    ]  # fmt: skip
    for document, amount in counted.items():
        profit += _shares(books, books.documents[document], amount)
    return total((account, amount) for account, amount in profit if _is_profit(books, account))


def held_to(amount: Decimal, most: Decimal) -> Decimal:
    """``amount`` from nothing to ``most``, which may be negative."""
    return min(max(amount, ZERO), most) if most > 0 else max(min(amount, ZERO), most)


def _settled_until(books: SecondOpinion, day: date) -> dict[str, list[Settlement]]:
    """By document; money counts on the day of the cash, a credit on that of its use."""
    found: dict[str, list[Settlement]] = defaultdict(list)
    for one in books.settlements:
        if (one.by.day if isinstance(one.by, Money) else one.own_day) <= day:
            found[one.document.id].append(one)
    return found


def _shares(
    books: SecondOpinion, document: Document, counted: Decimal
) -> list[tuple[str, Decimal]]:
    tax = books.roles["sales tax"]
    parts = sorted(total(document.lines).items(), key=lambda part: (part[0] == tax, part[0]))
    amounts = [amount for _, amount in parts]
    shares = split(held_to(counted, document.home), amounts, document.home)
    return [
        (account, -document.side.sign * amount)
        for (account, _), amount in zip(parts, shares, strict=True)
    ]


def _is_profit(books: SecondOpinion, account: str) -> bool:
    if account in books.chart:
        return books.chart[account]["account"]["type"] in PROFIT
    return "standard:4" <= account < "standard:9"


def form_1099_totals(books: SecondOpinion) -> Balances:
    """Cash paid to each flagged taxpayer, by (its vendors, year); cards report themselves."""
    assert not any(row.get("ca1099FormType") for row in books.raw["account_details"]), "boxes"
    book_values: Balances = defaultdict(Decimal)
    paid = []
    for one in books.settlements:
        if isinstance(one.by, Money) and one.document.side is PAYABLES and not one.by.is_card:
            paid.append(((one.document.party, one.by.day.year), one.home))
            book_values[one.by.id] += one.home
    paid += [
        ((money.party, money.day.year), money.home - book_values[money.id])
        for money in books.money.values() if money.side is PAYABLES and not money.is_card
    ]  # fmt: skip
    taxpayers = flagged_taxpayers(books)
    return total(
        ((taxpayers[vendor], year), amount)
        for (vendor, year), amount in paid if vendor in taxpayers
    )  # fmt: skip


def flagged_taxpayers(books: SecondOpinion) -> dict[str, frozenset[str]]:
    """Vendor → all vendors of its taxpayer, where one of them is flagged.

    Vendors of one tax id are one. Of merged ones those without are of the tax id of the vendor that
    stands for them, or of the only one among them.
    """
    details = {vendor["id"]: vendor for vendor in books.raw["vendor_details"]}
    flags, tax_ids, stands_for = set(), {}, {}
    for vendor in books.raw["vendors"]:
        more, older = vendor.get("additionalInfo") or {}, details.get(vendor["id"], {})
        if more.get("track1099") or older.get("track1099"):
            flags.add(vendor["id"])
        tax_ids[vendor["id"]] = more.get("taxId") or older.get("taxId")
        root = vendor["id"]
        while details.get(root, {}).get("mergedIntoId", "").strip("0"):
            root = details[root]["mergedIntoId"]
        stands_for[vendor["id"]] = root
    groups: dict[str, set[str]] = defaultdict(set)
    for vendor, root in stands_for.items():
        known = {tax_ids[other] for other, top in stands_for.items() if top == root} - {None}
        only = known.pop() if len(known) == 1 else None
        groups[tax_ids[vendor] or tax_ids[root] or only or root].add(vendor)
    return {
        vendor: frozenset(vendors)
        for vendors in groups.values() if vendors & flags for vendor in vendors
    }  # fmt: skip
