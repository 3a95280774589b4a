"""A second opinion: one company's journal again, from BILL's raw documents, in plain Decimal.

The double entry of BILL's documents as an accountant writes it who never saw our SQL: nothing of it
is imported or read here. Which line is of which account (``accounts_of_lines``) and the chart are
taken as given; what is posted when, and against what, is worked out here, and what that comes to in
``second_opinion_reports``.

It knows books in dollars that were imported in one go, without closes, opening balances or words of
a person's, whose customers pay in dollars, from banks and one card, and whose transfers BILL shows.
It refuses what it does not know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

Raw = dict[str, list[dict[str, Any]]]
Balances = dict[Any, Decimal]

CENT, ZERO = Decimal("0.01"), Decimal(0)
#: Role → type and name of the one account of the client's that plays it.
ROLES = {
    "accounts payable": ("ACCOUNTS_PAYABLE", ""),
    "accounts receivable": ("ACCOUNTS_RECEIVABLE", ""),
    "card": ("CREDIT_CARD", ""),
    "money out clearing": ("BANK", "money out clearing"),
    "money in clearing": ("BANK", "money in clearing"),
    "undeposited funds": ("OTHER_CURRENT_ASSET", "undeposited funds"),
    "sales tax": ("OTHER_CURRENT_LIABILITY", "sales tax payable"),
    "merchant fees": ("EXPENSE", "merchant fees"),
}
#: Roles for which the client has no account.
STANDARD = {
    "bill fees": "standard:6045", "exchange gain or loss": "standard:8020",
    "rounding": "standard:8040", "suspense": "standard:9990",
    "vendor advances": "standard:1310", "customer credits": "standard:2230",
}  # fmt: skip
#: Money has left, or is on its way out, in every state but these.
NOT_PAID = {
    "SCHEDULED", "READY_TO_FUND", "CANCELLATION_IN_PROGRESS", "CANCELED", "CANCELLED", "VOIDED",
    "FUNDING_FAILED_VOIDED",
}  # fmt: skip


class Side(NamedTuple):
    """Payables or receivables: roles of its accounts, and the sign of what is bought or sold."""

    sign: int
    control: str
    clearing: str
    advances: str
    fees: str


PAYABLES = Side(1, "accounts payable", "money out clearing", "vendor advances", "bill fees")
RECEIVABLES = Side(
    -1, "accounts receivable", "money in clearing", "customer credits", "merchant fees"
)


def total(amounts: Iterable[tuple[Any, Decimal]]) -> Balances:
    """Sums by key, without those that are nothing."""
    sums: Balances = defaultdict(Decimal)
    for key, amount in amounts:
        sums[key] += amount
    return {key: amount for key, amount in sums.items() if amount}


class Line(NamedTuple):
    """One line of the journal, in home currency, debit positive."""

    day: date
    account: str
    amount: Decimal
    #: The document that it opens or settles.
    item: str | None = None
    #: Day on which it counts where cash counts; None: it waits for the cash of its document.
    cash_day: date | None = None


@dataclass
class Document:
    """A bill, credit, invoice or memo; a credit's amounts are negative."""

    side: Side
    id: str
    day: date
    party: str
    amount: Decimal
    home: Decimal
    #: Account → its part of ``home``, in the order in which lines stand, sales tax last.
    lines: list[tuple[str, Decimal]]


@dataclass
class Money:
    """A payment or a receipt, as far as it happened."""

    side: Side
    id: str
    day: date
    party: str
    amount: Decimal
    home: Decimal
    fee: Decimal
    account: str
    is_card: bool


@dataclass
class Settlement:
    """Money or a credit that settles a part of a document."""

    by: Money | Document
    document: Document
    amount: Decimal
    own_day: date
    #: Book value of what is settled, and of what settles it.
    home: Decimal = ZERO
    worth: Decimal = ZERO

    @property
    def day(self) -> date:
        """Nothing settles a document before there is one."""
        return max(self.own_day, self.document.day)


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """``part`` of ``whole``, of ``amount``, to the cent."""
    return (amount * part / whole).quantize(CENT, ROUND_HALF_UP) if whole else ZERO


def split(amount: Decimal, parts: Sequence[Decimal], whole: Decimal) -> list[Decimal]:
    """``amount`` in proportion, each share the difference of two running totals, so they add up."""
    shares, so_far = [], ZERO
    for part in parts:
        shares.append(share(amount, so_far + part, whole) - share(amount, so_far, whole))
        so_far += part
    return shares


def day_of(*texts: str | None) -> date:
    """The first that is given; times count by their day in UTC, in which BILL writes them."""
    return date.fromisoformat(next(text for text in texts if text)[:10])


@dataclass
class SecondOpinion:
    """One company's journal by hand.

    ``raw``: BILL's list → its documents as they are now, amounts as Decimal; ``accounts_of_lines``:
    (document id, line id) → account id. Raises AssertionError for books it does not know.
    """

    raw: Raw
    accounts_of_lines: dict[tuple[str, str], str]
    documents: dict[str, Document] = field(default_factory=dict)
    settlements: list[Settlement] = field(default_factory=list)
    money: dict[str, Money] = field(default_factory=dict)
    journal: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chart = {account["id"]: account for account in self.raw["chart_of_accounts"]}
        self.roles = {role: self._account_of(role) for role in ROLES} | STANDARD
        self.banks = {bank["id"]: bank for bank in self.raw["bank_accounts"]}
        default = next(bank for bank in self.banks.values() if bank["default"]["payables"])
        self.default_bank = default["chartOfAccountId"]
        self._read_payables()
        self._read_receivables()
        self._value_settlements()
        self._post()

    def _account_of(self, role: str) -> str:
        kind, name = ROLES[role]
        fitting = [
            account["id"] for account in self.chart.values()
            if account["account"]["type"] == kind and name in account["name"].lower()
        ]  # fmt: skip
        assert len(fitting) == 1, f"{role}: {fitting}"
        return fitting[0]

    # What BILL's documents say.

    def _lines(
        self, document: dict[str, Any], lines: Iterable[tuple[str, Decimal]], amount: Decimal,
        tax: Decimal,
    ) -> list[tuple[str, Decimal]]:  # fmt: skip
        """Account and amount of each line, the sales tax, and what the lines leave of the whole."""
        found = [(self.accounts_of_lines[document["id"], line], part) for line, part in lines]
        left = amount - tax - sum((part for _, part in found), ZERO)
        role = "rounding" if abs(left) <= CENT * len(found) else "suspense"
        controls = {self.roles["accounts payable"], self.roles["accounts receivable"]}
        found = [(self.roles["suspense"] if a in controls else a, part) for a, part in found]
        extra = [(self.roles["sales tax"], tax), (self.roles[role], left)]
        return found + [(account, part) for account, part in extra if part]

    def _enter(
        self, side: Side, document: dict[str, Any], day: date, amount: Decimal, home: Decimal,
        lines: list[tuple[str, Decimal]], sign: int,
    ) -> None:  # fmt: skip
        shares = split(home, [part for _, part in lines], amount)
        self.documents[document["id"]] = Document(
            side, document["id"], day, document.get("vendorId") or document["customerId"],
            sign * amount, sign * home,
            [(account, sign * part) for (account, _), part in zip(lines, shares, strict=True)],
        )  # fmt: skip

    def _read_payables(self) -> None:
        posting_days = {bill["id"]: bill.get("glPostingDate") for bill in self.raw["bill_details"]}
        for bill in self.raw["bills"]:
            if bill.get("archived") or bill.get("approvalStatus") == "DENIED":
                continue
            day = day_of(posting_days.get(bill["id"]), bill["invoice"]["invoiceDate"])
            amount = bill["amount"]
            lines = [(line["id"], line["amount"]) for line in bill["billLineItems"]]
            home = bill.get("fundingAmount") or amount
            read = self._lines(bill, lines, amount, ZERO)
            self._enter(PAYABLES, bill, day, amount, home, read, 1)
        currencies = {vendor["id"]: vendor["billCurrency"] for vendor in self.raw["vendors"]}
        for credit in self.raw["vendor_credits"]:
            if not credit.get("archived"):
                assert currencies[credit["vendorId"]] == "USD", "a credit in another currency"
                lines = [(line["id"], line["amount"]) for line in credit["vendorCreditLineItems"]]
                read = self._lines(credit, lines, credit["amount"], ZERO)
                day = day_of(credit["creditDate"])
                self._enter(PAYABLES, credit, day, credit["amount"], credit["amount"], read, -1)
        for statement in self.raw["billing_statements"]:
            self._read_statement(statement)
        for payment in self.raw["payments"]:
            self._read_payment(payment)
        for credit in self.raw["vendor_credits"]:
            for use in credit.get("usage") or []:
                # A use with a payment that did not happen has not happened.
                if use.get("paymentId") and use["paymentId"] not in self.money:
                    continue
                paid = self.money.get(use.get("paymentId"))
                since = paid.day if paid else day_of(credit["updatedTime"])
                self._settle(credit["id"], use["billId"], use["amount"], since)

    def _read_statement(self, statement: dict[str, Any]) -> None:
        """BILL's own fees: a bill of its own, taken from the default bank."""
        amount = statement["amount"]
        self.documents[statement["id"]] = Document(
            PAYABLES, statement["id"], day_of(statement["invoiceDate"]), "BILL", amount, amount,
            [(self.roles["bill fees"], amount)],
        )  # fmt: skip
        taken = f"{statement['id']} taken"
        day = day_of(statement["paymentDate"])
        self.money[taken] = Money(
            PAYABLES, taken, day, "BILL", amount, amount, ZERO, self.default_bank, False
        )
        self._settle(taken, statement["id"], amount, day)

    def _read_payment(self, payment: dict[str, Any]) -> None:
        if payment["singleStatus"] in NOT_PAID or payment.get("archived"):
            return
        amount, home = payment["amount"], payment.get("fundingAmount") or payment["amount"]
        funding = payment.get("fundingAccount") or {}
        paid = payment.get("billPayments") or []
        bills = [
            self.documents[part["billId"]] for part in paid if part["billId"] in self.documents
        ]
        fee = ZERO
        if funding.get("type") == "CARD_ACCOUNT" and all(
            bill.amount == bill.home for bill in bills
        ):
            # The card is charged with the payment and the fee in one sum.
            fee, home = home - amount, amount
        by_card = funding.get("type") == "CARD_ACCOUNT"
        account = self.roles["card" if by_card else "money out clearing"]
        if not payment["onlinePayment"]:
            account = payment["classifications"]["chartOfAccountId"]
            by_card = self.chart[account]["account"]["type"] == "CREDIT_CARD"
        self.money[payment["id"]] = Money(
            PAYABLES, payment["id"], day_of(payment["processDate"]), payment["vendorId"], amount,
            home, fee, account, by_card or payment.get("disbursementType") == "VIRTUAL_CARD",
        )  # fmt: skip
        for part in paid:
            self._settle(payment["id"], part["billId"], part["amount"], None)

    def _read_receivables(self) -> None:
        for invoice in self.raw.get("invoices", []):
            if invoice.get("archived"):
                continue
            assert invoice.get("exchangeRate", 1) == 1, "an invoice in another currency"
            lines = [
                (line["id"], (line["price"] * line["quantity"]).quantize(CENT, ROUND_HALF_UP))
                for line in invoice["invoiceLineItems"]
            ]
            total, tax = invoice["totalAmount"], invoice.get("salesTaxTotal", ZERO)
            read = self._lines(invoice, lines, total, tax)
            self._enter(RECEIVABLES, invoice, day_of(invoice["invoiceDate"]), total, total, read, 1)
        for memo in self.raw.get("credit_memos", []):
            if not memo.get("archived"):
                lines = [(line["id"], line["amount"]) for line in memo["creditMemoLineItems"]]
                total, tax = memo["amount"], memo.get("salesTaxTotal", ZERO)
                read = self._lines(memo, lines, total, tax)
                self._enter(RECEIVABLES, memo, day_of(memo["creditDate"]), total, total, read, -1)
                for use in memo.get("usage") or []:
                    # BILL gives no day of the use: it is known since the document last changed.
                    since = day_of(memo["updatedTime"])
                    self._settle(memo["id"], use["invoiceId"], use["amount"], since)
        for receipt in self.raw.get("received_payments", []):
            self._read_receipt(receipt)

    def _read_receipt(self, receipt: dict[str, Any]) -> None:
        if receipt["status"] != "PAID" or receipt.get("archived"):
            return
        deposited = receipt.get("receivablesAccount")
        account = self.roles["money in clearing"]
        if not receipt["onlinePayment"]:
            bank = self.banks[deposited["id"]] if deposited else None
            account = bank["chartOfAccountId"] if bank else self.roles["undeposited funds"]
        self.money[receipt["id"]] = Money(
            RECEIVABLES, receipt["id"], day_of(receipt["paymentDate"]), receipt["customerId"],
            receipt["amount"], receipt["amount"], receipt.get("convenienceFeeAmount", ZERO),
            account, False,
        )  # fmt: skip
        for part in receipt["invoicePayments"]:
            applied = day_of(part.get("paymentDate"), receipt["paymentDate"])
            self._settle(receipt["id"], part["invoiceId"], part["amount"], applied)

    def _settle(self, by: str, settled: str, amount: Decimal, since: date | None) -> None:
        """Nothing, where one of the two does not count: the money is an advance then."""
        source = self.money.get(by) or self.documents.get(by)
        document = self.documents.get(settled)
        if source and document:
            own_day = max(source.day, since or source.day)
            self.settlements.append(Settlement(source, document, amount, own_day))

    def _value_settlements(self) -> None:
        """Book value of what is settled and of what settles it, each from its running total."""
        settled: dict[str, list[Settlement]] = defaultdict(list)
        settling: dict[str, list[Settlement]] = defaultdict(list)
        for one in self.settlements:
            settled[one.document.id].append(one)
            settling[one.by.id].append(one)
        for several in settled.values():
            several.sort(key=lambda one: (one.day, isinstance(one.by, Document), one.by.id))
            document = several[0].document
            values = split(document.home, [one.amount for one in several], document.amount)
            for one, value in zip(several, values, strict=True):
                one.home = value
        for several in settling.values():
            by = several[0].by
            values = split(abs(by.home), [one.amount for one in several], abs(by.amount))
            for one, value in zip(several, values, strict=True):
                one.worth = value

    # The double entry. Written for payables; receivables are the mirror.

    def _post(self) -> None:
        for document in self.documents.values():
            sign, item = document.side.sign, document.id
            for account, part in document.lines:
                self._line(document.day, account, sign * part)
            self._line(document.day, document.side.control, -sign * document.home, item)
        settled_by: dict[str, list[Settlement]] = defaultdict(list)
        for one in self.settlements:
            settled_by[one.by.id].append(one)
            if isinstance(one.by, Document):
                self._post_use(one, one.by)
        for money in self.money.values():
            self._post_money(money, settled_by[money.id])
        first = min(day_of(movement["processDate"]) for movement in self.raw["money_movements"])
        earliest = min(money.day for money in self.money.values())
        assert first - earliest <= timedelta(days=10), "transfers that BILL does not show"
        for movement in self.raw["money_movements"]:
            if movement["status"] == "1":
                clearing = "money in clearing" if movement["type"] == "2" else "money out clearing"
                day = day_of(movement["processDate"])
                bank = self.banks[movement["bankAccountId"]]["chartOfAccountId"]
                self._line(day, bank, movement["amount"], cash_day=day)
                self._line(day, clearing, -movement["amount"], cash_day=day)

    def _post_money(self, money: Money, settled: list[Settlement]) -> None:
        """What settles later is an advance until then, and cash on the day of the cash."""
        sign, side, day = money.side.sign, money.side, money.day
        advance = money.home
        for one in settled:
            gain = sign * (one.worth - one.home)
            self._line(one.day, side.control, sign * one.home, one.document.id, day)
            self._line(one.day, "exchange gain or loss", gain, cash_day=day)
            if one.day > day:
                self._line(one.day, side.advances, -sign * one.worth, money.id, day)
            else:
                advance -= one.worth
        self._line(day, side.advances, sign * advance, money.id, day)
        self._line(day, side.fees, sign * money.fee, cash_day=day)
        self._line(day, money.account, -sign * (money.home + money.fee), cash_day=day)

    def _post_use(self, one: Settlement, credit: Document) -> None:
        sign = credit.side.sign
        self._line(one.day, credit.side.control, sign * one.home, one.document.id)
        self._line(one.day, credit.side.control, -sign * one.worth, credit.id)
        self._line(one.day, "exchange gain or loss", sign * (one.worth - one.home))

    def _line(
        self, day: date, role: str, amount: Decimal, item: str | None = None,
        cash_day: date | None = None,
    ) -> None:  # fmt: skip
        if amount:
            self.journal.append(Line(day, self.roles.get(role, role), amount, item, cash_day))
