"""What a company does with its vendors: bills come in, are approved and paid; fees are charged.

The payments' way after they were scheduled is ``payment_walk``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bill_pipeline.sandbox.clock import from_ms, timestamp
from bill_pipeline.sandbox.companies.company import Company
from bill_pipeline.sandbox.companies.fees import statement
from bill_pipeline.sandbox.companies.payment_walk import PaymentWalk
from bill_pipeline.sandbox.companies.trades import Purchase
from bill_pipeline.sandbox.companies.variety import names_one
from bill_pipeline.sandbox.companies.vendor_names import vendor_name
from bill_pipeline.sandbox.companies.vendors import add_vendor
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.payables import Line

#: Bills above this many cents need an approval.
APPROVAL_CENTS = 500_00
UNCODED_SHARE = 0.3
_TERM_DAYS = (0, 10, 15, 30, 30, 45)


@dataclass
class _Standing:
    """A purchase that recurs: from whom, on which day of the month, for about how much."""

    purchase: Purchase
    vendor_id: str
    day_of_month: int
    first_month: int
    amount: int


class PayablesLife:
    """Bills and what becomes of them."""

    def __init__(self, life: Company, documents_per_day: float) -> None:
        self._life = life
        # Two documents come of most bills: the bill and its payment.
        bills_per_day = documents_per_day / (2.9 if life.trade.sales else 2.1)
        self._standing: list[_Standing] = []
        #: Vendor kind → ids of those it is bought from.
        self.vendors_of_kind: dict[str, list[str]] = {}
        self._numbers: dict[str, int] = {}
        standing = [p for p in life.trade.purchases if p.months]
        bills_of_all = sum(30 / (31 * p.months * 30) for p in standing)
        # A small company has fewer obligations rather than more rare ones.
        share = min(1.0, 0.6 * bills_per_day / bills_of_all)
        self._kept_standing = standing[: max(2, round(len(standing) * share))]
        kept_bills = sum(1 / (30.4 * p.months) for p in self._kept_standing)
        self._occasional = [p for p in life.trade.purchases if not p.months]
        self._occasional_per_day = max(bills_per_day - kept_bills, 0.02)
        self.walk = PaymentWalk(life)

    def meet_vendors(self, at_ms: int) -> None:
        """The vendors a company knows from the start."""
        life = self._life
        kinds = dict.fromkeys(p.vendor_kind for p in life.trade.purchases)
        names: set[str] = set()
        for kind in kinds:
            self.vendors_of_kind[kind] = []
            for _ in range(life.rng.choice((1, 2, 2, 3))):
                name = vendor_name(kind, life.rng)
                if name not in names:
                    names.add(name)
                    self.vendors_of_kind[kind].append(add_vendor(life, name, at_ms)["id"])
        for purchase in self._kept_standing:
            self._standing.append(
                _Standing(
                    purchase,
                    life.rng.choice(self.vendors_of_kind[purchase.vendor_kind]),
                    life.rng.randrange(1, 27),
                    life.rng.randrange(12),
                    life.dollars_between(purchase.low, purchase.high),
                )
            )
        self._add_recurring_bills(at_ms)

    def _add_recurring_bills(self, at_ms: int) -> None:
        for standing in self._standing[:2]:
            account = self._life.accounts[standing.purchase.account]
            line = Line(standing.amount, "Standing bill", {"chartOfAccountId": account})
            self._life.organization["recurringbills"].add(
                {
                    "archived": False,
                    "vendorId": standing.vendor_id,
                    "description": "Standing bill",
                    "recurringBillLineItems": self._life.payables.lines([line], "tli"),
                    "schedule": {"period": "MONTHLY", "frequency": 1, "daysInAdvance": 5},
                    "processingOptions": {"autoPayment": False},
                },
                at_ms,
            )

    def begin_day(self, day: date) -> None:
        """Let the day's bills come in, and on the first of a month BILL's fees."""
        life = self._life
        for standing in self._standing:
            months = day.year * 12 + day.month + standing.first_month
            if day.day == standing.day_of_month and months % standing.purchase.months == 0:
                life.at(life.moment(day), self._enter_standing, standing)
        if day.weekday() < 5:
            expected = self._occasional_per_day * 7 / 5
            for _ in range(int(expected) + life.chance(expected % 1)):
                life.at(life.moment(day), self._enter_occasional)
        if day.day == 1:
            life.at(life.moment(day), self._charge_fees)

    def _enter_standing(self, now_ms: int, standing: _Standing) -> None:
        life = self._life
        if life.chance(0.04):
            standing.amount = round(standing.amount * life.rng.uniform(1.01, 1.08))
        metered = standing.purchase.vendor_kind in {"power", "water", "phone", "fuel"}
        amount = standing.amount
        if metered:
            amount = round(amount * life.rng.uniform(0.75, 1.3))
        self._enter(now_ms, standing.vendor_id, [(standing.purchase, amount)])

    def _enter_occasional(self, now_ms: int) -> None:
        life = self._life
        weights = [p.weight for p in self._occasional]
        purchase = life.rng.choices(self._occasional, weights)[0]
        same_kind = [p for p in self._occasional if p.vendor_kind == purchase.vendor_kind]
        count = life.rng.choice((1, 1, 1, 2, 2, 3, 4, 6))
        chosen = [purchase, *(life.rng.choice(same_kind) for _ in range(count - 1))]
        bought = [
            (p, max(life.dollars_between(p.low, p.high) // (1 + index), 5_00))
            for index, p in enumerate(chosen)
        ]
        if life.chance(0.03):
            # A discount for early payment is a negative line in BILL.
            bought.append((purchase, -(sum(amount for _, amount in bought) // 50)))
        vendor_id = life.rng.choice(self.vendors_of_kind[purchase.vendor_kind])
        self._enter(now_ms, vendor_id, bought)

    def buy_from(self, kind: str, vendor_id: str, instead_of: str) -> None:
        """Buy what recurs, and all else of a kind, from another vendor from now on."""
        vendors = self.vendors_of_kind[kind]
        if instead_of in vendors:
            vendors.remove(instead_of)
        for standing in self._standing:
            if standing.vendor_id == instead_of:
                standing.vendor_id = vendor_id

    def _line(self, purchase: Purchase, amount: int, day: date) -> Line:
        life = self._life
        text = life.rng.choice(purchase.descriptions)
        text = text.format(month=f"{day:%B %Y}", n=life.rng.randrange(2, 9000))
        if amount < 0:
            text = "Early payment discount"
        quantity = purchase.quantity if amount > 0 and life.chance(0.5) else 0
        codes = {"chartOfAccountId": life.accounts[purchase.account], **life.dimensions()}
        return Line(amount, text, codes, quantity)

    def _enter(self, now_ms: int, vendor_id: str, bought: list[tuple[Purchase, int]]) -> None:
        life = self._life
        vendor = life.payables.document("vendors", vendor_id)
        if vendor["archived"]:
            return
        day = from_ms(now_ms).date()
        invoice_date = day - timedelta(days=life.rng.choice((0, 0, 1, 1, 2, 3, 5, 9)))
        due_date = invoice_date + timedelta(days=life.rng.choice(_TERM_DAYS))
        lines = [self._line(purchase, amount, invoice_date) for purchase, amount in bought]
        true_accounts = [line.classifications["chartOfAccountId"] for line in lines]
        if day > life.coded_until:
            for line in lines:
                if life.chance(UNCODED_SHARE):
                    del line.classifications["chartOfAccountId"]
        codes = [line.classifications for line in lines]
        for one in codes:
            if "chartOfAccountId" in one:
                one["chartOfAccountId"] = life.account_used(one["chartOfAccountId"])
        life.variety.dress_lines(codes)
        self._numbers[vendor_id] = self._numbers.get(vendor_id, life.rng.randrange(1000)) + 1
        number = f"{vendor['name'][:2].upper()}-{self._numbers[vendor_id]:05d}"
        needs_approval = sum(line.amount for line in lines) > APPROVAL_CENTS
        approver = {
            "userId": life.user_id(2),
            "status": "WAITING",
            "approverOrder": 0,
            "statusChangedTime": timestamp(now_ms),
        }
        bill = life.payables.enter_bill(
            vendor,
            number,
            invoice_date,
            due_date,
            lines,
            now_ms,
            description=lines[0].description if life.chance(0.3) else "",
            approvalStatus="ASSIGNED" if needs_approval else "UNASSIGNED",
            approvers=[approver] if needs_approval else [],
            **life.variety.bill_fields(codes),
        )
        self._note_truth(bill, lines, true_accounts)
        if life.chance(0.05):
            month_end = invoice_date.replace(day=1) - timedelta(days=1)
            life.organization.v2_facts[bill["id"]] = {"glPostingDate": month_end.isoformat()}
        if life.chance(0.1):
            name = {"name": f"{number}.pdf", "numOfPages": 1, "scanStatus": "CLEAN"}
            life.organization.below("documents", bill["id"]).add(name, now_ms)
        if needs_approval:
            life.in_days(now_ms, life.rng.uniform(0.1, 3), self._approve, bill["id"])
        self.walk.plan(now_ms, bill, due_date)
        if life.chance(0.03):
            life.in_days(now_ms, life.rng.uniform(3, 25), self._enter_credit, bill["id"])

    def _note_truth(self, bill: Document, lines: list[Line], true_accounts: list[str]) -> None:
        for line, written, account in zip(lines, bill["billLineItems"], true_accounts, strict=True):
            if not names_one(line.classifications, "chartOfAccountId"):
                self._life.truth.append(
                    {"bill_id": bill["id"], "line_id": written["id"], "account_id": account}
                )

    def _approve(self, now_ms: int, bill_id: str) -> None:
        life = self._life
        bill = life.payables.document("bills", bill_id)
        if bill["approvalStatus"] not in {"ASSIGNED", "APPROVING"}:
            return
        denied = life.chance(0.01)
        bill["approvalStatus"] = "DENIED" if denied else "APPROVED"
        bill["approvers"][0] |= {
            "status": bill["approvalStatus"],
            "statusChangedTime": timestamp(now_ms),
        }
        moves = life.switches.approvals_move_bill_times
        life.organization["bills"].replace(bill, now_ms if moves else None)

    def _enter_credit(self, now_ms: int, bill_id: str) -> None:
        """Something was sent back: a credit for a part of a bill's first line."""
        life = self._life
        bill = life.payables.document("bills", bill_id)
        first = bill["billLineItems"][0]
        amount = max(round(first["amount"] * 100 * life.rng.uniform(0.1, 0.9)), 1)
        vendor = life.payables.document("vendors", bill["vendorId"])
        line = Line(amount, f"Return: {first['description']}", first.get("classifications", {}))
        number = f"CR-{bill['invoice']['invoiceNumber']}"
        day = from_ms(now_ms).date()
        credit = life.payables.enter_credit(vendor, number, day, [line], now_ms)
        self.walk.credits_of_vendor.setdefault(vendor["id"], []).append(credit["id"])

    def _charge_fees(self, now_ms: int) -> None:
        """BILL's own statement for the month before."""
        sent = statement(from_ms(now_ms).date(), *self.walk.sent_counts)
        self.walk.sent_counts = (0, 0)
        self._life.organization["billing-statements"].add(sent, now_ms)
