"""What happens seldom in a company, and must not surprise its books: foreign bills, card-funded
payments, payments that fail or expire late, documents that recur, archived parties.

It begins where an invented history ends, with chances of its own: the same seed gives the same
history, and a company that lives on meets all of it within weeks.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from bill_pipeline.sandbox import cards
from bill_pipeline.sandbox.clock import DAY_MS, day_ms, from_ms
from bill_pipeline.sandbox.companies.changes import Changes
from bill_pipeline.sandbox.companies.company import Company
from bill_pipeline.sandbox.companies.payment_walk import PaymentWalk
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.money import cents, dollars, next_business_day
from bill_pipeline.sandbox.payables import Application, Line
from bill_pipeline.sandbox.receivables import SalesLine

#: Chances per working day.
_FOREIGN_BILL, _CARD, _STATE, _ARCHIVE_VENDOR, _ARCHIVE_INVOICE = 0.3, 0.25, 0.5, 0.06, 0.05
_CARD_FEE_PERCENT = 2.9
_RECURRING_DAY = 5
_RECENT = 80
_WAYS = ("hold", "escheat", "reject", "funding", "claim")
#: Currency, dollars for one of it, country.
_CURRENCIES = (("EUR", 1.0845, "DE"), ("GBP", 1.2710, "GB"), ("CAD", 0.7312, "CA"))


class EdgeCases:
    """The rare events of one company."""

    def __init__(self, life: Company, walk: PaymentWalk, changes: Changes) -> None:
        self._life = life
        self._walk = walk
        self._changes = changes
        self._rng = random.Random(f"{life.organization.salt}/rarities")  # noqa: S311
        self._foreign: dict[str, str] = {}

    def begin_day(self, day: date) -> None:
        life = self._life
        if day <= life.history_ends:
            return
        if day.day == _RECURRING_DAY:
            life.at(self._moment(day), self.issue_recurring)
        if day.weekday() >= 5:
            return
        for chance, event in (
            (_FOREIGN_BILL, self.enter_foreign_bill),
            (_CARD, self.pay_by_card),
            (_STATE, self.trouble_a_payment),
            (_ARCHIVE_VENDOR, self.archive_vendor),
            (_ARCHIVE_INVOICE, self.archive_invoice),
        ):
            if self._rng.random() < chance:
                life.at(self._moment(day), event)

    def _moment(self, day: date) -> int:
        return day_ms(day, 15) + self._rng.randrange(5 * 3_600_000)

    # --- foreign currency ----------------------------------------------------------------

    def enter_foreign_bill(self, now_ms: int) -> None:
        """A bill in the vendor's currency; ``fundingAmount`` is what it costs in dollars."""
        life = self._life
        currency, rate, country = self._rng.choice(_CURRENCIES)
        vendor = self._foreign_vendor(currency, country, now_ms)
        if vendor["archived"]:
            return
        rate = round(rate * self._rng.uniform(0.96, 1.04), 6)
        purchase = self._rng.choice(life.trade.purchases)
        amount = self._rng.randrange(80_00, 2_500_00)
        line = Line(
            amount,
            f"Order from {country}",
            {"chartOfAccountId": life.accounts[purchase.account]},
        )
        day = from_ms(now_ms).date()
        bill = life.payables.enter_bill(
            vendor,
            f"{currency}-{len(life.organization['bills']):05d}",
            day,
            day + timedelta(days=30),
            [line],
            now_ms,
            exchangeRate=rate,
            fundingAmount=dollars(round(amount * rate)),
        )
        life.in_days(now_ms, self._rng.uniform(3, 20), self._pay_abroad, bill["id"])

    def _foreign_vendor(self, currency: str, country: str, now_ms: int) -> Document:
        life = self._life
        if currency not in self._foreign:
            vendor = life.organization["vendors"].add(
                {
                    "archived": False,
                    "name": f"Overseas Supply {country} (invented)",
                    "accountType": "BUSINESS",
                    "address": {"line1": "1 Invented Street", "country": country},
                    "paymentInformation": {
                        "payByType": "INTERNATIONAL_E_PAYMENT",
                        "payBySubType": "LOCAL",
                    },
                    "additionalInfo": {"track1099": False, "combinePayments": False},
                    "billCurrency": currency,
                    "networkStatus": "NOT_CONNECTED",
                    "bankAccountStatus": "NO_ACCOUNT",
                    "recurringPayments": False,
                },
                now_ms,
            )
            life.payables.announce("vendor.created", vendor)
            self._foreign[currency] = vendor["id"]
        return life.payables.document("vendors", self._foreign[currency])

    def _pay_abroad(self, now_ms: int, bill_id: str) -> None:
        """The rate has moved since the bill came: the difference is an exchange gain or loss."""
        life = self._life
        bill = life.payables.document("bills", bill_id)
        due = cents(bill["dueAmount"])
        if bill["archived"] or due <= 0:
            return
        rate = round(bill["exchangeRate"] * self._rng.uniform(0.98, 1.02), 6)
        self._pay(
            now_ms,
            bill,
            {"type": "BANK_ACCOUNT", "id": life.bank_id()},
            "INTERNATIONAL_E_PAYMENT",
            exchangeRate=rate,
            fundingAmount=dollars(round(due * rate)),
        )

    def _pay(
        self, now_ms: int, bill: Document, funding: Document, method: str, **fields: float
    ) -> None:
        life = self._life
        process = next_business_day(from_ms(now_ms).date() + timedelta(days=1))
        number = len(life.organization["payments"])
        payment = life.payables.pay(
            life.payables.document("vendors", bill["vendorId"]),
            [Application(bill["id"], cents(bill["dueAmount"]))],
            process,
            now_ms,
            fundingAccount=funding,
            disbursementType=method,
            transactionNumber=f"{process:%y}RAR{number:07d}",
            confirmationNumber=f"P{process:%y%m%d}03 - {number:07d}",
            disbursementInfo={"isVoidable": False},
            createdBy=life.user_id(1),
            **dict[str, Any](fields),
        )
        self._walk.follow(payment)

    # --- cards ---------------------------------------------------------------------------

    def pay_by_card(self, now_ms: int) -> None:
        """A bill is paid from a credit card: BILL takes a fee, and no bank account moves."""
        bill = self._one("bills", self._is_payable)
        if bill is None:
            return
        amount = cents(bill["dueAmount"])
        fee = round(amount * _CARD_FEE_PERCENT / 100)
        card = {"type": "CARD_ACCOUNT", "id": self._card_id()}
        self._pay(now_ms, bill, card, "ACH", fundingAmount=dollars(amount + fee))

    def _card_id(self) -> str:
        cards.issue(self._life.organization)
        return self._life.organization["card-accounts"].ids.at(0)

    def _is_payable(self, bill: Document) -> bool:
        waits = bill["approvalStatus"] in {"ASSIGNED", "APPROVING", "DENIED"}
        is_domestic = bill.get("exchangeRate", 1.0) == 1.0
        return not bill["archived"] and not waits and is_domestic and cents(bill["dueAmount"]) > 0

    def _one(self, name: str, suits: Callable[[Document], bool]) -> Document | None:
        """A recent document that suits, or ``None``."""
        documents = self._life.organization[name]
        first = max(len(documents) - _RECENT, 0)
        found = [d for p in range(first, len(documents)) if suits(d := documents.at(p))]
        return self._rng.choice(found) if found else None

    # --- payments that go wrong late -----------------------------------------------------

    def trouble_a_payment(self, now_ms: int) -> None:
        """One of the rare ways of a payment, begun from a state in which BILL allows it."""
        way = self._rng.choice(_WAYS)
        payment = self._one("payments", lambda p: p["onlinePayment"] and way in _ways_of(p))
        if payment is None:
            return
        life, walk = self._life, self._walk
        payment_id = payment["id"]
        if way == "hold":
            walk.hold(now_ms, payment_id, "DISBURSEMENT_ON_HOLD")
            life.in_days(now_ms, 3, walk.release, payment_id)
        elif way == "escheat":
            walk.hold(now_ms, payment_id, "EXPIRING")
            life.in_days(now_ms, 20, walk.end, payment_id, "FUNDS_ESCHEATED")
        elif way == "reject":
            status = "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED"
            walk.end(now_ms, payment_id, status)
            life.in_days(now_ms, 4, walk.request_void, payment_id, "VOID_AND_REISSUE")
        elif way == "funding":
            walk.end(now_ms, payment_id, "FUNDING_FAILED_ACTION_NEEDED")
            life.in_days(now_ms, 3, walk.end, payment_id, "CLEARED")
        else:
            walk.end(now_ms, payment_id, "PARTIALLY_CLAIMED")
            life.in_days(now_ms, 5, walk.request_void, payment_id, "VOID_AND_REISSUE_VCARD")

    # --- what recurs, and what is put away -----------------------------------------------

    def issue_recurring(self, now_ms: int) -> None:
        """The bills and invoices that BILL makes by schedule."""
        life, day = self._life, from_ms(now_ms).date()
        for template in life.organization["recurringbills"]:
            if template["archived"]:
                continue
            lines = [
                Line(
                    cents(row["amount"]), row.get("description", ""), row.get("classifications", {})
                )
                for row in template["recurringBillLineItems"]
            ]
            vendor = life.payables.document("vendors", template["vendorId"])
            number, due = f"REC-{day:%Y%m}-{template['id'][5:9]}", day + timedelta(days=15)
            life.payables.enter_bill(vendor, number, day, due, lines, now_ms)
        for template in life.organization["recurring-invoices"]:
            lines_sold = [
                SalesLine(cents(row["price"]), int(row["quantity"]), row.get("description", ""), {})
                for row in template["recurringInvoiceLineItems"]
            ]
            life.receivables.issue_invoice(
                template["customerId"],
                f"REC-{day:%Y%m}-{template['id'][5:9]}",
                day,
                day + timedelta(days=30),
                lines_sold,
                0.0,
                now_ms,
            )

    def archive_vendor(self, now_ms: int) -> None:
        """A vendor is put away for some days; its bills stay."""
        vendor = self._one("vendors", lambda v: not v["archived"])
        if vendor is not None:
            self._put_away(now_ms, "vendors", vendor["id"])

    def archive_invoice(self, now_ms: int) -> None:
        """An invoice on which nothing was paid or credited is archived, and one in two restored."""
        invoice = self._one(
            "invoices",
            lambda i: not i["archived"] and i["dueAmount"] == i["totalAmount"],
        )
        if invoice is not None:
            self._put_away(now_ms, "invoices", invoice["id"])

    def _put_away(self, now_ms: int, name: str, object_id: str) -> None:
        self._changes.set_archived(now_ms, name, object_id, archived=True)
        if self._rng.random() < 0.5:
            self._life.at(now_ms + 2 * DAY_MS, self._take_back, name, object_id)

    def _take_back(self, now_ms: int, name: str, object_id: str) -> None:
        self._changes.set_archived(now_ms, name, object_id, archived=False)


def _ways_of(payment: Document) -> list[str]:
    """The troubles that can befall a payment as it stands."""
    kind, status = payment["disbursementType"], payment["singleStatus"]
    if status == "SENT":
        return ["hold", "escheat"] if kind == "CHECK" else ["hold"]
    if status != "CLEARED":
        return []
    ways = {"ACH": ["reject"], "VIRTUAL_CARD": ["claim"]}.get(kind, [])
    return [*ways, "funding"] if payment["fundingAccount"]["type"] == "BANK_ACCOUNT" else ways
