"""Random company lives: what happens in BILL, sync by sync, as documents and decisions.

A life is a list of syncs; a sync is a list of happenings. Everything here is invented.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from bill_pipeline.decisions import parties as party_decisions
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.ingest.missing_lists import note_refusals
from tests.ledger.company import Company

FIRST_SYNC = datetime(2026, 2, 1, 12)  # noqa: DTZ001 - the archive keeps UTC without a zone
ACCOUNTS = ("rent", "supplies", "equipment")
VENDORS = ("paper", "berlin")
TYPES = ("FIXED_ASSET", "EXPENSE", "OTHER_CURRENT_LIABILITY")
CHART = [
    {"id": "checking", "name": "Checking", "account": {"type": "BANK"}},
    # One account of type BANK plays the default bank by itself.
    {"id": "savings", "name": "Savings", "account": {"type": "OTHER_CURRENT_ASSET"}},
    {"id": "ap", "name": "Accounts Payable", "account": {"type": "ACCOUNTS_PAYABLE"}},
    {"id": "ar", "name": "Accounts Receivable", "account": {"type": "ACCOUNTS_RECEIVABLE"}},
    {"id": "rent", "name": "Rent", "account": {"type": "EXPENSE"}},
    {"id": "supplies", "name": "Supplies", "account": {"type": "EXPENSE"}},
    {"id": "equipment", "name": "Equipment", "account": {"type": "FIXED_ASSET"}},
    # Each card finds the account of its name, whichever pays first.
    {"id": "visa-owed", "name": "Card visa", "account": {"type": "CREDIT_CARD"}},
    {"id": "plate-owed", "name": "AP card plate", "account": {"type": "CREDIT_CARD"}},
    {"id": "sales", "name": "Sales", "account": {"type": "INCOME"}},
]
PARTIES = {
    "vendors": [{"id": "paper", "name": "Paper Co"},
                {"id": "berlin", "name": "Berlin GmbH", "billCurrency": "EUR"}],
    "customers": [{"id": "cafe", "name": "Corner Cafe"}],
}  # fmt: skip

CURRENCIES = {"paper": ("EUR", "USD", None), "berlin": ("GBP", "USD", None)}
#: What pays instead of a bank account, by BILL's type and id, and where a receipt goes then.
FUNDING = (("CARD_ACCOUNT", "visa"), ("AP_CARD", "plate"), ("WALLET", "wallet"))
DEPOSITS = (None, {"type": "BANK_ACCOUNT", "id": "bank"}, {"type": "WALLET", "id": "wallet"})
#: The ledger account of the bank account ``bank``; the last: it has none.
BANK_LINKS = ("checking", "savings", None)
#: Lists that BILL may refuse for a while.
REFUSABLE = (
    "received_payments", "payments", "money_movements", "vendor_credits", "bills", "vendors",
)  # fmt: skip

days = st.integers(-50, 20)
cents = st.integers(1, 50_000)
#: What may happen; the meaning of each is a method of ``State``.
KINDS = (
    "bill", "bill", "foreign_bill", "edit", "date", "recode", "archive", "pay", "pay", "void",
    "credit", "apply", "invoice", "receive", "receive", "memo", "close", "reopen", "withdraw",
    "retype", "due", "currency", "fund", "bank", "begin", "refuse",
)  # fmt: skip
#: (what happens, which document, cents, day, choice)
happenings = st.tuples(st.sampled_from(KINDS), st.integers(0, 5), cents, days, st.integers(0, 2))
#: What changes what is known of parties, accounts and books, and moves nothing by itself.
learnings = st.tuples(
    st.sampled_from(["vendor", "vendor", "merge", "link", "apart", "box", "box", "policy"]),
    st.integers(0, 5), cents, days, st.integers(0, 2),
)  # fmt: skip
learning_lives = st.lists(
    st.lists(st.one_of(happenings, learnings), min_size=2, max_size=6), min_size=2, max_size=4
)
lives = st.lists(st.lists(happenings, min_size=1, max_size=5), min_size=2, max_size=5)
short_lives = st.lists(st.lists(happenings, min_size=2, max_size=6), min_size=2, max_size=3)

#: A life in which everything happens that a law is about: each law is tried on it first, because
#: a few random lives may well hold nothing that a law could find broken.
EVENTFUL = [
    # The first bill is of the last day to be closed; the last invoice comes after that close.
    # The last bill and its payment are of before the books begin; the receipts are refused.
    [("bill", 0, 10_000, -23, 1), ("foreign_bill", 0, 20_001, -40, 1), ("bill", 0, 5_005, -20, 1),
     ("invoice", 0, 8_000, -30, 0), ("credit", 0, 2_000, -12, 0), ("memo", 0, 1_001, -5, 1),
     ("pay", 0, 3_333, -10, 1), ("receive", 0, 3_000, -9, 1), ("receive", 0, 100, -8, 0),
     ("bill", 0, 4_000, -50, 1), ("pay", 3, 1_500, -43, 1), ("begin", 0, 0, -41, 0),
     ("bank", 0, 0, 0, 0), ("refuse", 0, 0, 0, 0)],
    [("begin", 0, 0, -47, 0), ("close", 0, 0, 0, 0), ("retype", 1, 0, 0, 0), ("due", 0, 0, 9, 0),
     ("pay", 1, 0, -2, 0), ("pay", 2, 1_001, -3, 2), ("fund", 2, 0, 0, 0), ("fund", 1, 0, 0, 2),
     ("currency", 0, 0, 0, 0), ("refuse", 0, 0, 0, 0),
     ("apply", 0, 0, 0, 2), ("edit", 0, 12_000, 0, 1), ("invoice", 0, 700, -30, 0)],
    [("reopen", 0, 0, 0, 0), ("edit", 0, 9_000, 0, 1), ("recode", 2, 0, 0, 2),
     ("currency", 1, 0, 0, 1), ("bank", 0, 0, 0, 2), ("pay", 3, 500, -1, 1), ("fund", 4, 0, 0, 1),
     ("void", 0, 0, 0, 1), ("date", 2, 0, -21, 0), ("withdraw", 0, 3_333, -2, 0)],
]  # fmt: skip

#: A life in which all of that happens to vendors that were paid, before and after the books begin.
LEARNING = [
    [("bill", 0, 40_000, -40, 0), ("foreign_bill", 0, 20_000, -35, 1), ("bill", 0, 9_000, -9, 2),
     ("pay", 0, 0, -30, 0), ("pay", 1, 0, -8, 0), ("invoice", 0, 8_000, -33, 0),
     ("vendor", 0, 1, -9, 1), ("box", 1, 1, 0, 2), ("policy", 0, 20_000, 0, 1)],
    [("merge", 1, 0, 0, 1), ("box", 2, 1, 0, 1), ("pay", 2, 4_000, -2, 0), ("due", 0, 0, 9, 0)],
    [("vendor", 1, 1, -8, 0), ("vendor", 0, 2, -7, 1), ("policy", 0, 0, -14, 2),
     ("date", 0, 0, -29, 2)],
    [("apart", 0, 0, 0, 0), ("box", 1, 0, 0, 0), ("recode", 0, 0, 0, 2), ("policy", 0, 0, 0, 0),
     ("date", 2, 0, -44, 2)],
    [("link", 0, 0, 0, 0), ("merge", 1, 0, 0, 0), ("policy", 0, 0, -3, 2), ("vendor", 0, 0, -6, 2)],
]  # fmt: skip


def without(life: Any, *kinds: str) -> Any:
    """``life`` without all happenings of these kinds."""
    return [[happening for happening in sync if happening[0] not in kinds] for sync in life]


def money(value: int) -> float:
    """Cents as BILL writes money: a JSON number."""
    return float(Decimal(value) / 100)


@dataclass
class State:
    """BILL's documents as they are now, and the day they are seen from."""

    documents: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    decided: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    closed_through: date | None = None
    #: The day at whose end the old books stopped, and the lists that BILL refuses.
    books_begin_on: str = ""
    refused: set[str] = field(default_factory=set)
    today: date = date(2026, 2, 1)
    scale: int = 1

    def happen(self, what: str, which: int, amount: int, day: int, choice: int) -> None:
        amount *= self.scale
        on = (self.today + timedelta(days=day)).isoformat()
        method = getattr(self, f"_{what}")
        method(which, amount, on, choice)

    def _list(self, name: str) -> dict[str, dict[str, Any]]:
        return self.documents.setdefault(name, {})

    def _pick(self, name: str, which: int) -> dict[str, Any] | None:
        listed = list(self._list(name).values())
        return listed[which % len(listed)] if listed else None

    def _lines(self, document_id: str, amount: int, choice: int) -> list[dict[str, Any]]:
        first = amount // 3
        parts = [amount] if choice == 0 else [first, amount - first]
        return [
            {"id": f"{document_id}-{n}", "amount": money(part), "description": f"line {n}",
             "classifications": {"chartOfAccountId": ACCOUNTS[(choice + n) % 3]}}
            for n, part in enumerate(parts)
        ]  # fmt: skip

    def _bill(
        self, which: int, amount: int, on: str, choice: int, *, vendor: str = "paper"
    ) -> None:
        number = f"B{len(self._list('bills'))}"
        self._list("bills")[number] = {
            "id": number, "vendorId": vendor, "amount": money(amount),
            "fundingAmount": money(amount * 119 // 100 if vendor == "berlin" else amount),
            "invoice": {"invoiceNumber": number, "invoiceDate": on}, "approvalStatus": "APPROVED",
            "billLineItems": self._lines(number, amount, choice),
        }  # fmt: skip

    def _foreign_bill(self, which: int, amount: int, on: str, choice: int) -> None:
        self._bill(which, amount, on, choice, vendor="berlin")

    def _edit(self, which: int, amount: int, on: str, choice: int) -> None:
        if bill := self._pick("bills", which):
            bill["amount"] = money(amount)
            bill["fundingAmount"] = money(amount)
            bill["billLineItems"] = self._lines(bill["id"], amount, choice)

    def _date(self, which: int, amount: int, on: str, choice: int) -> None:
        name = ("bills", "invoices", "payments")[choice]
        if document := self._pick(name, which):
            holder = document["invoice"] if name == "bills" else document
            holder["processDate" if name == "payments" else "invoiceDate"] = on

    def _due(self, which: int, amount: int, on: str, choice: int) -> None:
        if document := self._pick("invoices" if choice else "bills", which):
            document["dueDate"] = on

    def _retype(self, which: int, amount: int, on: str, choice: int) -> None:
        account = ACCOUNTS[which % 3]
        self._list("chart_of_accounts")[account] = {
            "id": account, "name": f"{account} {on}", "account": {"type": TYPES[choice]}
        }  # fmt: skip

    def _vendor(self, which: int, amount: int, on: str, choice: int) -> None:
        """Another name, flag and taxpayer's number."""
        kept = PARTIES["vendors"][which % 2]
        self._list("vendors")[kept["id"]] = {
            **self._list("vendors").get(kept["id"], kept), "name": f"{kept['name']} of {on}",
            "additionalInfo": {"track1099": choice > 0, "taxId": f"12-345678{amount % 3}"},
        }  # fmt: skip

    def _merge(self, which: int, amount: int, on: str, choice: int) -> None:
        one, other = VENDORS if which % 2 else reversed(VENDORS)
        self._list("vendor_details")[one] = {"id": one, "mergedIntoId": other if choice else ""}

    def _link(self, which: int, amount: int, on: str, choice: int) -> None:
        one, other = VENDORS if which % 2 else reversed(VENDORS)
        said = {"party_id": one, "same_as_party_id": other, "withdrawn": choice == 2}
        self.decided.append(("link_parties", said))

    def _apart(self, which: int, amount: int, on: str, choice: int) -> None:
        one, other = VENDORS
        said = {"party_id": one, "other_party_id": other, "withdrawn": choice == 2}
        self.decided.append(("keep_parties_apart", said))

    def _box(self, which: int, amount: int, on: str, choice: int) -> None:
        account = ACCOUNTS[which % 3]
        self._list("account_details")[account] = {
            "id": account, "ca1099FormType": str(choice), "ca1099Type": str(amount % 2 + 1)
        }  # fmt: skip

    def _policy(self, which: int, amount: int, on: str, choice: int) -> None:
        name, value = (
            ("fiscal_year_end", f"0{which % 6 + 1}-28"),
            ("form_1099_threshold", str(amount // 100)),
            ("books_begin_on", on),
        )[choice]
        if name == "books_begin_on":
            self._begin(which, amount, on, 0)
        else:
            self.decided.append(("set_policy", {"name": name, "value": value}))

    def _recode(self, which: int, amount: int, on: str, choice: int) -> None:
        if bill := self._pick("bills", which):
            for line in bill["billLineItems"]:
                line["classifications"]["chartOfAccountId"] = ACCOUNTS[choice]

    def _archive(self, which: int, amount: int, on: str, choice: int) -> None:
        if bill := self._pick("bills", which):
            bill["archived"] = not bill.get("archived", False)

    def _pay(self, which: int, amount: int, on: str, choice: int) -> None:
        bill = self._pick("bills", which)
        if bill is None:
            return
        number = f"P{len(self._list('payments'))}"
        paid = min(amount, round(bill["amount"] * 100)) if choice else round(bill["amount"] * 100)
        self._list("payments")[number] = {
            "id": number, "vendorId": bill["vendorId"], "amount": money(paid),
            "fundingAmount": money(paid * 123 // 100 if bill["vendorId"] == "berlin" else paid),
            "processDate": on, "onlinePayment": choice != 2, "singleStatus": "CLEARED",
            "billPayments": [{"id": f"{number}-0", "billId": bill["id"], "amount": money(paid)}],
        }  # fmt: skip

    def _void(self, which: int, amount: int, on: str, choice: int) -> None:
        if payment := self._pick("payments", which):
            payment["singleStatus"] = "CLEARED" if choice == 0 else "VOIDED"

    def _withdraw(self, which: int, amount: int, on: str, choice: int) -> None:
        number = f"M{len(self._list('money_movements'))}"
        self._list("money_movements")[number] = {
            "id": number, "type": "1", "status": "1", "amount": money(-amount), "processDate": on,
            "bankAccountId": ("", "bank", "unlisted")[choice],
        }  # fmt: skip

    def _currency(self, which: int, amount: int, on: str, choice: int) -> None:
        kept = PARTIES["vendors"][which % 2]
        self._list("vendors")[kept["id"]] = {
            **self._list("vendors").get(kept["id"], kept),
            "billCurrency": CURRENCIES[kept["id"]][choice],
        }

    def _fund(self, which: int, amount: int, on: str, choice: int) -> None:
        if payment := self._pick("payments", which):
            kind, account = FUNDING[choice]
            payment["fundingAccount"] = {"type": kind, "id": account}
        if receipt := self._pick("received_payments", which):
            receipt["receivablesAccount"] = DEPOSITS[choice]

    def _bank(self, which: int, amount: int, on: str, choice: int) -> None:
        """The bank account gains, changes or loses its ledger account, and makes a payment."""
        self._list("bank_accounts")["bank"] = {
            "id": "bank", "bankName": "First", "chartOfAccountId": BANK_LINKS[choice]
        }  # fmt: skip
        if payment := self._pick("payments", which):
            payment["fundingAccount"] = {"type": "BANK_ACCOUNT", "id": "bank"}

    def _begin(self, which: int, amount: int, on: str, choice: int) -> None:
        """The day on which the books begin is set, moved or taken back, while nothing is closed."""
        if self.closed_through is None:
            self.books_begin_on = "" if choice == 2 else min(on, self.today.isoformat())
            policy = {"name": "books_begin_on", "value": self.books_begin_on}
            self.decided.append(("set_policy", policy))

    def _refuse(self, which: int, amount: int, on: str, choice: int) -> None:
        """BILL refuses a list, or gives it again."""
        self.refused ^= {REFUSABLE[which]}

    def _credit(self, which: int, amount: int, on: str, choice: int) -> None:
        number = f"C{len(self._list('vendor_credits'))}"
        self._list("vendor_credits")[number] = {
            "id": number, "vendorId": "berlin" if choice == 2 else "paper", "amount": money(amount),
            "creditDate": on, "vendorCreditLineItems": self._lines(number, amount, choice),
        }  # fmt: skip

    def _apply(self, which: int, amount: int, on: str, choice: int) -> None:
        credit, bill = self._pick("vendor_credits", which), self._pick("bills", which + choice)
        if credit and bill and credit["vendorId"] == bill["vendorId"] and "usage" not in credit:
            used = min(credit["amount"], bill["amount"])
            credit["usage"] = [{"billId": bill["id"], "amount": used}]

    def _invoice(self, which: int, amount: int, on: str, choice: int) -> None:
        number = f"I{len(self._list('invoices'))}"
        self._list("invoices")[number] = {
            "id": number, "customerId": "cafe", "totalAmount": money(amount + amount // 10),
            "salesTaxTotal": money(amount // 10), "invoiceDate": on, "invoiceNumber": number,
            "invoiceLineItems": [{"id": f"{number}-0", "price": money(amount), "quantity": 1,
                                  "classifications": {"chartOfAccountId": "sales"}}],
        }  # fmt: skip

    def _receive(self, which: int, amount: int, on: str, choice: int) -> None:
        invoice = self._pick("invoices", which)
        number = f"R{len(self._list('received_payments'))}"
        due = round(invoice["totalAmount"] * 100) if invoice else 0
        paid = [{"invoiceId": invoice["id"], "amount": money(min(amount, due))}] if invoice else []
        self._list("received_payments")[number] = {
            "id": number, "customerId": "cafe", "amount": money(amount), "paymentDate": on,
            "onlinePayment": choice != 0, "status": "PAID", "invoicePayments": paid,
        }  # fmt: skip

    def _memo(self, which: int, amount: int, on: str, choice: int) -> None:
        number = f"K{len(self._list('credit_memos'))}"
        memo = {"id": number, "customerId": "cafe", "amount": money(amount), "creditDate": on,
                "creditMemoLineItems": [{"id": number, "amount": money(amount)}]}  # fmt: skip
        invoice = self._pick("invoices", which)
        if invoice and choice:
            memo["usage"] = [{"invoiceId": invoice["id"],
                              "amount": min(memo["amount"], invoice["totalAmount"])}]  # fmt: skip
        self._list("credit_memos")[number] = memo

    def _close(self, which: int, amount: int, on: str, choice: int) -> None:
        through = (self.closed_through or self.today - timedelta(days=40)) + timedelta(days=14)
        if through < self.today:
            self.decided.append(("close", {"through": through}))
            self.closed_through = through

    def _reopen(self, which: int, amount: int, on: str, choice: int) -> None:
        if self.closed_through is not None:
            first = self.closed_through - timedelta(days=9)
            self.decided.append(("reopen", {"first_open_day": first, "reason": "a correction"}))
            self.closed_through = first - timedelta(days=1)


def begin(company: Company) -> None:
    for document in CHART:
        company.put("chart_of_accounts", document, FIRST_SYNC)
    for name, documents in PARTIES.items():
        for document in documents:
            company.put(name, document, FIRST_SYNC)


def hand_over(company: Company, state: State, at: datetime, *, reverse: bool = False) -> None:
    """Archive every document that changed and that BILL gives, in any order; record decisions."""
    names = sorted(state.documents.keys() - state.refused, reverse=reverse)
    refusals = dict.fromkeys(state.refused, "The user may not read it.")
    note_refusals(company.connection, at, REFUSABLE, refusals)
    for name in names:
        listed = list(state.documents[name].values())
        for document in reversed(listed) if reverse else listed:
            company.put(name, copy.deepcopy(document), at)
    for function, arguments in state.decided:
        module = party_decisions if hasattr(party_decisions, function) else decisions
        getattr(module, function)(
            company.connection, **arguments, decided_at=at, decided_by="a life"
        )
    state.decided.clear()


def give_everything(company: Company, state: State, at: datetime) -> None:
    """One more sync, if BILL refuses any list now, in which it refuses none."""
    if state.refused:
        state.refused.clear()
        hand_over(company, state, at)
        company.post(at, cash_basis=True)


def live(
    company: Company, life: Any, *, scale: int = 1, reverse: bool = False, posts_only: bool = False
) -> State:
    """Play ``life`` into ``company``, sync after sync, three days apart.

    ``posts_only`` leaves checks and reports out, for laws that compare two journals.
    """
    state = State(scale=scale)
    begin(company)
    for number, sync in enumerate(life):
        at = FIRST_SYNC + timedelta(days=3 * number)
        live_on(company, state, sync, at, reverse=reverse, posts_only=posts_only)
    return state


def live_on(
    company: Company, state: State, sync: Any, at: datetime, *, reverse: bool = False,
    posts_only: bool = False,
) -> None:  # fmt: skip
    """Play one more sync into ``company``, whose documents are ``state``."""
    state.today = at.date()
    for happening in sync:
        state.happen(*happening)
    hand_over(company, state, at, reverse=reverse)
    (company.post if posts_only else company.sync)(at)
