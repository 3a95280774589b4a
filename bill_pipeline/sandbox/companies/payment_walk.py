"""How invented bills are paid: planning, scheduling, and a payment's way through singleStatus.

With what goes wrong on the way: cancelled, funding or disbursement failed after CLEARED, void
with and without credit or reissue.
"""

from __future__ import annotations

from datetime import date, timedelta

from bill_pipeline.sandbox import cash
from bill_pipeline.sandbox.clock import day_ms, from_ms
from bill_pipeline.sandbox.companies.company import Company
from bill_pipeline.sandbox.companies.disbursements import disbursement
from bill_pipeline.sandbox.companies.variety import taken_from_bank
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.money import add_business_days, cents, next_business_day
from bill_pipeline.sandbox.payables import Application

#: BILL merges at most this many bills into one payment.
MAX_BILLS_PER_PAYMENT = 35
_VOIDS = ("VOID_ONLY", "VOID_AND_CREDIT", "VOID_AND_REISSUE")
#: A client may have ended a payment that the company was still following.
_OVER = frozenset({"VOIDED", "VOID_PENDING", "CANCELED", "FUNDING_FAILED_VOIDED"})
#: What a reissued payment takes over from the one it replaces.
_FUNDING = ("fundingAccount", "fundingAmount", "exchangeRate")
_REASONS = ("Sent twice", "Wrong amount", "Vendor asked for another method")


class PaymentWalk:
    """Pays the bills of one company."""

    def __init__(self, life: Company) -> None:
        self._life = life
        self._open_bills: dict[str, dict[str, date]] = {}
        self.credits_of_vendor: dict[str, list[str]] = {}
        #: Payments that do not clear by themselves for now.
        self._held: set[str] = set()
        #: (checks, electronic payments) sent since BILL's last statement.
        self.sent_counts = (0, 0)
        #: Reissued payments that BILL pays with the money of the voided ones.
        self._funded_before: set[str] = set()

    def plan(self, now_ms: int, bill: Document, due_date: date) -> None:
        """Decide when and how a new bill will be paid."""
        life = self._life
        self._open_bills.setdefault(bill["vendorId"], {})[bill["id"]] = due_date
        if life.chance(0.02):
            return
        days_late = life.rng.choice((-5, -4, -4, -3, -3, -2, 0, 3, 12))
        pay_ms = max(day_ms(due_date + timedelta(days=days_late), 16), now_ms + 3_600_000)
        pay_ms += life.rng.randrange(3_600_000)
        if life.chance(0.08):
            life.at(pay_ms, self._record_offline, bill["id"])
        else:
            life.at(pay_ms, self._schedule, bill["id"])

    def _may_pay(self, bill: Document) -> bool:
        waits = bill["approvalStatus"] in {"ASSIGNED", "APPROVING", "DENIED"}
        return not bill["archived"] and not waits and cents(bill["dueAmount"]) > 0

    def _schedule(self, now_ms: int, bill_id: str) -> None:
        """Schedule an online payment of a bill, with others of the vendor that are due."""
        life = self._life
        bill = life.payables.document("bills", bill_id)
        if not self._may_pay(bill):
            if bill["approvalStatus"] in {"ASSIGNED", "APPROVING"}:
                life.in_days(now_ms, 2, self._schedule, bill_id)
            return
        vendor = life.payables.document("vendors", bill["vendorId"])
        bills = [bill]
        if vendor.get("additionalInfo", {}).get("combinePayments"):
            bills += self._others_due(bill)
        is_partial = len(bills) == 1 and life.chance(0.06)
        applications = self._applications(vendor["id"], bills, is_partial=is_partial)
        if is_partial and life.chance(0.8):
            life.in_days(now_ms, 20, self._schedule, bill_id)
        if sum(application.amount for application in applications) <= 0:
            return
        process = next_business_day(from_ms(now_ms).date() + timedelta(days=1))
        method = vendor.get("paymentInformation", {}).get("payByType", "CHECK")
        self._pay(now_ms, vendor, applications, process, method)

    def _pay(
        self,
        now_ms: int,
        vendor: Document,
        applications: list[Application],
        process: date,
        method: str,
        funding: Document | None = None,
    ) -> Document:
        """Pay by a method, from ``funding`` or from what the company chooses."""
        life = self._life
        if funding is None:
            amount = sum(application.amount for application in applications)
            funding = life.variety.funding(life.bank_id(), amount)
        number = len(life.organization["payments"])
        payment = life.payables.pay(
            vendor,
            applications,
            process,
            now_ms,
            **funding,
            disbursementType=method,
            transactionNumber=f"{process:%y}INV{number:07d}",
            confirmationNumber=f"P{process:%y%m%d}01 - {number:07d}",
            disbursementInfo={"isVoidable": False},
            createdBy=life.user_id(1),
        )
        if life.chance(0.015):
            self._forget_paid_bills(payment)
            life.in_days(now_ms, 0.2, self._move_later, payment["id"], "CANCELLATION_IN_PROGRESS")
            life.in_days(now_ms, 0.3, self._cancel, payment["id"])
        else:
            self.follow(payment)
        return payment

    def follow(self, payment: Document) -> None:
        """Let a scheduled payment be funded, sent and cleared as its time comes."""
        self._forget_paid_bills(payment)
        process = date.fromisoformat(payment["processDate"])
        self._life.at(day_ms(process, 13), self._fund, payment["id"])

    def _forget_paid_bills(self, payment: Document) -> None:
        for application in payment["billPayments"]:
            self._forget_if_paid(application["billId"])

    def _forget_if_paid(self, bill_id: str) -> None:
        bill = self._life.payables.document("bills", bill_id)
        if cents(bill["dueAmount"]) <= 0:
            self._open_bills.get(bill["vendorId"], {}).pop(bill_id, None)

    def _others_due(self, bill: Document) -> list[Document]:
        latest = date.fromisoformat(bill["dueDate"]) + timedelta(days=7)
        due = [
            one
            for one, due_date in self._open_bills.get(bill["vendorId"], {}).items()
            if one != bill["id"] and due_date <= latest
        ]
        found = [self._life.payables.document("bills", one) for one in due]
        return [one for one in found if self._may_pay(one)][: MAX_BILLS_PER_PAYMENT - 1]

    def _applications(
        self, vendor_id: str, bills: list[Document], *, is_partial: bool
    ) -> list[Application]:
        """Cash for each bill, with the vendor's open credits used first on the largest bill."""
        credits_open = self._open_credits(vendor_id)
        applications = []
        for bill in bills:
            due = cents(bill["dueAmount"])
            used: list[tuple[str, int]] = []
            for credit_id in list(credits_open):
                # Cash is never nothing: BILL sends no payment of zero here.
                take = min(credits_open[credit_id], due - 1_00)
                if take > 0:
                    used.append((credit_id, take))
                    due -= take
                    credits_open[credit_id] -= take
            amount = due // 2 if is_partial else due
            applications.append(Application(bill["id"], amount, tuple(used)))
        return applications

    def _open_credits(self, vendor_id: str) -> dict[str, int]:
        known = self.credits_of_vendor.get(vendor_id, [])
        credits_known = [self._life.payables.document("vendor-credits", one) for one in known]
        return {
            credit["id"]: cents(credit["amount"]) - cents(credit["appliedAmount"])
            for credit in credits_known
            if not credit["archived"]
        }

    def _record_offline(self, now_ms: int, bill_id: str) -> None:
        """Paid outside BILL by check or card, and recorded later."""
        life = self._life
        bill = life.payables.document("bills", bill_id)
        if not self._may_pay(bill):
            return
        account = life.accounts["1000" if life.chance(0.6) else "2100"]
        bill["payFromChartOfAccountId"] = account
        life.payables.edit("bills", bill, now_ms)
        vendor = life.payables.document("vendors", bill["vendorId"])
        paid_on = from_ms(now_ms).date() - timedelta(days=life.rng.randrange(4))
        life.payables.pay(
            vendor,
            [Application(bill_id, cents(bill["dueAmount"]))],
            paid_on,
            now_ms,
            single_status="CLEARED",
            onlinePayment=False,
            disbursementType="OFFLINE",
            classifications={"chartOfAccountId": account},
            createdBy=life.user_id(1),
        )
        self._forget_if_paid(bill_id)

    def _fund(self, now_ms: int, payment_id: str) -> None:
        """BILL begins to process: the money is withdrawn with the day's other payments."""
        life = self._life
        if life.payables.document("payments", payment_id)["singleStatus"] in _OVER:
            return
        payment = self._move(now_ms, payment_id, "FUNDING_STARTED")
        day = date.fromisoformat(payment["processDate"])
        if payment_id in self._funded_before:
            self._funded_before.discard(payment_id)
            life.at(now_ms + 3_600_000, self._move_later, payment_id, "PROCESSED")
            life.at(now_ms + 3 * 3_600_000, self._send, payment_id)
            return
        confirmed = day_ms(add_business_days(day, 1), 15)
        if taken_from_bank(payment):
            movement = life.cash.move(
                life.bank_id(), cash.PAYABLES, -taken_from_bank(payment), day, now_ms
            )
            life.at(confirmed, self._confirm, movement["id"])
        if life.chance(0.003):
            life.at(confirmed, self._fail_funding, payment_id)
            return
        life.at(confirmed, self._move_later, payment_id, "PROCESSED")
        life.at(confirmed + 3 * 3_600_000, self._send, payment_id)

    def _confirm(self, now_ms: int, movement_id: str) -> None:
        self._life.cash.confirm(movement_id, now_ms)

    def _fail_funding(self, now_ms: int, payment_id: str) -> None:
        """The payer's bank takes the withdrawal back; BILL voids the payment."""
        payment = self._move(now_ms, payment_id, "FUNDING_FAILED_VOIDED")
        day = from_ms(now_ms).date()
        self._return(now_ms, payment, day, 1)

    def _return(self, now_ms: int, payment: Document, day: date, business_days: int) -> None:
        """What was withdrawn for a payment comes back to the bank account it came from."""
        life = self._life
        if taken_from_bank(payment):
            returned = life.cash.move(
                life.bank_id(), cash.PAYABLES, taken_from_bank(payment), day, now_ms
            )
            confirmed = day_ms(add_business_days(day, business_days), 15)
            life.at(confirmed, self._confirm, returned["id"])

    def _send(self, now_ms: int, payment_id: str) -> None:
        life = self._life
        payment = life.payables.document("payments", payment_id)
        if payment["singleStatus"] in _OVER:
            return
        sent = from_ms(now_ms).date()
        is_check = payment["disbursementType"] == "CHECK"
        arrives = add_business_days(sent, 5 if is_check else 1)
        number = 1_000 + len(life.organization["payments"])
        information = disbursement(payment["disbursementType"], sent, arrives, number)
        checks, transfers = self.sent_counts
        self.sent_counts = (checks + is_check, transfers + (not is_check))
        life.payables.move(payment_id, "SENT", now_ms, disbursementInfo=information)
        if is_check and life.chance(0.04):
            life.in_days(now_ms, life.rng.uniform(3, 20), self.request_void, payment_id)
        else:
            life.at(day_ms(arrives, 17), self._clear, payment_id)

    def _clear(self, now_ms: int, payment_id: str) -> None:
        life = self._life
        if payment_id in self._held:
            return
        if life.payables.document("payments", payment_id)["singleStatus"] in _OVER:
            return
        payment = self._move(now_ms, payment_id, "CLEARED")
        if payment["disbursementType"] == "ACH" and life.chance(0.012):
            # The vendor's bank sends an ACH payment back days after it cleared.
            status = "DISBURSEMENT_FAILED_ACTION_NEEDED"
            life.in_days(now_ms, life.rng.uniform(1, 5), self._move_later, payment_id, status)
            life.in_days(now_ms, life.rng.uniform(6, 12), self.request_void, payment_id)

    def hold(self, now_ms: int, payment_id: str, single_status: str) -> None:
        """Keep a payment in a state until it is released or ended."""
        self._held.add(payment_id)
        self._move_later(now_ms, payment_id, single_status)

    def release(self, now_ms: int, payment_id: str) -> None:
        """A payment that was held goes on and clears."""
        self._held.discard(payment_id)
        self._move_later(now_ms, payment_id, "SENT")
        self._life.in_days(now_ms, 1, self._clear, payment_id)

    def end(self, now_ms: int, payment_id: str, single_status: str) -> None:
        """Take a payment to a state, unless it is void by now."""
        self._move_later(now_ms, payment_id, single_status)

    def request_void(self, now_ms: int, payment_id: str, kind: str = "") -> None:
        life = self._life
        if life.payables.document("payments", payment_id)["singleStatus"] in _OVER:
            return
        kind = kind or life.rng.choice(_VOIDS)
        reason = life.rng.choice(_REASONS)
        life.payables.note_void(payment_id, kind, "TO_BE_PROCESSED", reason, now_ms)
        self._move(now_ms + 1, payment_id, "VOID_PENDING")
        life.in_days(now_ms, life.rng.uniform(0.5, 3), self._void, payment_id, kind)

    def _void(self, now_ms: int, payment_id: str, kind: str) -> None:
        """The void is accepted; the money goes out again with a new payment, or comes back."""
        life = self._life
        life.payables.note_void(payment_id, kind, "ACCEPTED", "", now_ms)
        payment = self._move(now_ms + 1, payment_id, "VOIDED")
        vendor = life.payables.document("vendors", payment["vendorId"])
        day = next_business_day(from_ms(now_ms).date() + timedelta(days=1))
        bill_ids = [application["billId"] for application in payment["billPayments"]]
        if kind.startswith("VOID_AND_REISSUE"):
            bills = [life.payables.document("bills", one) for one in bill_ids]
            again = [
                Application(bill["id"], cents(application["amount"]))
                for bill, application in zip(bills, payment["billPayments"], strict=True)
                if cents(bill["dueAmount"]) >= cents(application["amount"]) > 0
            ]
            if sum(application.amount for application in again) == cents(payment["amount"]):
                same = {name: payment[name] for name in _FUNDING}
                reissued = self._pay(now_ms + 2, vendor, again, day, "CHECK", same)
                self._funded_before.add(reissued["id"])
                return
        self._refund(now_ms, payment, day)
        for bill_id in bill_ids:
            if life.chance(0.8):
                life.in_days(now_ms, life.rng.uniform(2, 9), self._schedule, bill_id)

    def _refund(self, now_ms: int, payment: Document, day: date) -> None:
        """BILL gives withdrawn money back; the bank shows it two business days later."""
        self._return(now_ms, payment, day, 2)

    def _cancel(self, now_ms: int, payment_id: str) -> None:
        payment = self._move(now_ms, payment_id, "CANCELED")
        if payment_id in self._funded_before:
            self._funded_before.discard(payment_id)
            self._refund(now_ms, payment, next_business_day(from_ms(now_ms).date()))
        for application in payment["billPayments"]:
            self._life.in_days(now_ms, 6, self._schedule, application["billId"])

    def _move(self, now_ms: int, payment_id: str, single_status: str) -> Document:
        return self._life.payables.move(payment_id, single_status, now_ms)

    def _move_later(self, now_ms: int, payment_id: str, single_status: str) -> None:
        """As ``_move``, unless the payment has been voided in the meantime."""
        payment = self._life.payables.document("payments", payment_id)
        if payment["singleStatus"] not in _OVER:
            self._move(now_ms, payment_id, single_status)
