"""What a company does with its customers: invoices with sales tax, receipts, credit memos."""

from __future__ import annotations

from datetime import date, timedelta

from bill_pipeline.sandbox import cash
from bill_pipeline.sandbox.clock import day_ms, from_ms
from bill_pipeline.sandbox.companies.company import Company
from bill_pipeline.sandbox.companies.vendor_names import person_name, place_name
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.money import add_business_days, cents, dollars
from bill_pipeline.sandbox.receivables import SalesLine

_CUSTOMERS = 14
_CONVENIENCE_FEE_PERCENT = 2.9
_KINDS = ("Schools", "Housing", "Clinics", "Hotels", "Grocers", "Parks", "Retail", "Offices")


class ReceivablesLife:
    """Invoices and what becomes of them."""

    def __init__(self, life: Company, documents_per_day: float) -> None:
        self._life = life
        # An invoice and its receipt, beside the bills and their payments.
        self._invoices_per_day = documents_per_day / 7.5
        self._unapplied: dict[str, list[str]] = {}
        self._memos: dict[str, list[str]] = {}

    def meet_customers(self, at_ms: int) -> None:
        life = self._life
        for number in range(_CUSTOMERS):
            name = f"{place_name(life.rng)} {_KINDS[number % len(_KINDS)]}"
            first, last = person_name(life.rng)
            customer = life.organization["customers"].add(
                {
                    "archived": False,
                    "name": name,
                    "companyName": f"{name} (invented)",
                    "contact": {"firstName": first, "lastName": last},
                    "email": f"billing{number}@customer.example.com",
                    "invoiceCurrency": "USD",
                    "accountType": "BUSINESS",
                    "accountNumber": f"C{number + 1:04d}",
                    "paymentTermId": life.organization["payment-terms"].ids.at(3),
                    "billingAddress": {"city": place_name(life.rng), "country": "US"},
                },
                at_ms,
            )
            life.organization.below("contacts", customer["id"]).add(
                {"firstName": first, "lastName": last, "email": customer["email"]}, at_ms
            )
        self._add_recurring_invoice(at_ms)

    def _add_recurring_invoice(self, at_ms: int) -> None:
        life, sale = self._life, self._life.trade.sales[0]
        life.organization["recurring-invoices"].add(
            {
                "customerId": life.organization["customers"].ids.at(0),
                "description": sale.description,
                "archived": False,
                "schedule": {"period": "MONTHLY", "frequency": 1},
                "recurringInvoiceLineItems": [
                    {
                        "id": life.organization.new_id("rli"),
                        "amount": dollars(sale.low * 100),
                        "price": dollars(sale.low * 100),
                        "quantity": 1,
                        "description": sale.description,
                        "taxable": sale.is_taxable,
                    }
                ],
                "sendEmail": False,
            },
            at_ms,
        )

    def begin_day(self, day: date) -> None:
        life = self._life
        if day.weekday() < 5:
            expected = self._invoices_per_day * 7 / 5
            for _ in range(int(expected) + life.chance(expected % 1)):
                life.at(life.moment(day), self._issue)

    def _lines(self) -> list[SalesLine]:
        life = self._life
        lines = []
        for _ in range(life.rng.choice((1, 1, 2, 3))):
            number = life.rng.randrange(len(life.trade.sales))
            sale = life.trade.sales[number]
            codes = {
                "chartOfAccountId": life.accounts[sale.account],
                "itemId": life.organization["items"].ids.at(number),
                **life.dimensions(),
            }
            quantity = life.rng.choice((1, 1, 1, 2, 3, 8))
            price = life.dollars_between(sale.low, sale.high) // quantity
            lines.append(SalesLine(price, quantity, sale.description, codes, sale.is_taxable))
        life.variety.dress_sales_lines([line.classifications for line in lines])
        return lines

    def _issue(self, now_ms: int) -> None:
        life = self._life
        day = from_ms(now_ms).date()
        customers = life.organization["customers"]
        customer_id = customers.ids.at(life.rng.randrange(_CUSTOMERS))
        due_date = day + timedelta(days=30)
        items = life.organization["items"]
        invoice = life.receivables.issue_invoice(
            customer_id,
            f"INV-{len(life.organization['invoices']) + 1:05d}",
            day,
            due_date,
            self._lines(),
            life.trade.tax_percent,
            now_ms,
            salesTaxItemId=items.ids.at(len(items) - 1),
            **life.variety.sales_fields(),
        )
        for memo_id in self._memos.pop(customer_id, []):
            self._use_memo(now_ms, memo_id, invoice["id"])
        for receipt_id in self._unapplied.pop(customer_id, []):
            self._use_rest(now_ms, receipt_id, invoice["id"])
        if life.chance(0.95):
            paid = day_ms(due_date + timedelta(days=life.rng.choice((-12, -3, 0, 2, 9, 25))), 16)
            life.at(max(paid, now_ms + 86_400_000), self._receive, invoice["id"])
        if life.chance(0.04):
            life.in_days(now_ms, 12, self._credit, invoice["id"])

    def _receive(self, now_ms: int, invoice_id: str) -> None:
        life = self._life
        invoice = self._invoice(invoice_id)
        due = cents(invoice["dueAmount"])
        if due <= 0 or invoice["archived"]:
            return
        if life.chance(0.07):
            due //= 2
            life.in_days(now_ms, 21, self._receive, invoice_id)
        over = life.rng.randrange(20_00, 300_00) if life.chance(0.05) else 0
        day = from_ms(now_ms).date()
        if life.chance(0.55):
            self._receive_online(now_ms, invoice, due, day)
            return
        bank = {"id": life.bank_id(), "type": "BANK_ACCOUNT"}
        receipt = life.receivables.receive(
            invoice["customerId"],
            due + over,
            [(invoice_id, due)],
            day,
            now_ms,
            receivablesType=life.rng.choice(("CHECK", "CHECK", "CASH", "OTHER")),
            receivablesAccount=bank if life.chance(0.7) else None,
            referenceNumber=str(life.rng.randrange(1_000, 9_999)),
        )
        if over:
            self._unapplied.setdefault(invoice["customerId"], []).append(receipt["id"])
        elif life.chance(0.015):
            life.in_days(now_ms, 6, self._bounce, receipt["id"], invoice_id)

    def _receive_online(self, now_ms: int, invoice: Document, due: int, day: date) -> None:
        """Through BILL: scheduled, then paid, then deposited; cards may bring a fee on top."""
        life = self._life
        is_card = life.chance(0.3)
        fee = round(due * _CONVENIENCE_FEE_PERCENT / 100) if is_card and life.chance(0.5) else 0
        receipt = life.receivables.receive(
            invoice["customerId"],
            due,
            [(invoice["id"], due)],
            day,
            now_ms,
            onlinePayment=True,
            status="SCHEDULED",
            receivablesType="CREDIT_CARD" if is_card else "ACH",
            convenienceFeeAmount=dollars(fee),
            receivablesAccount=life.variety.receiving(life.bank_id()),
        )
        paid = day_ms(add_business_days(day, 1), 15)
        life.at(paid, self._deposit, receipt["id"], due + fee)

    def _deposit(self, now_ms: int, receipt_id: str, amount: int) -> None:
        life = self._life
        if life.chance(0.01):
            life.receivables.settle(receipt_id, "CANCELED", now_ms)
            return
        life.receivables.settle(receipt_id, "PAID", now_ms)
        receipt = life.organization["receivable-payments"].get(receipt_id)
        if receipt is not None and receipt["receivablesAccount"]["type"] == "WALLET":
            return
        day = add_business_days(from_ms(now_ms).date(), 1)
        movement = life.cash.move(life.bank_id(), cash.RECEIVABLES, amount, day, now_ms)
        life.at(day_ms(day, 15), self._confirm, movement["id"])

    def _confirm(self, now_ms: int, movement_id: str) -> None:
        self._life.cash.confirm(movement_id, now_ms)

    def _bounce(self, now_ms: int, receipt_id: str, invoice_id: str) -> None:
        self._life.receivables.settle(receipt_id, "VOID", now_ms)
        self._life.in_days(now_ms, 9, self._receive, invoice_id)

    def _credit(self, now_ms: int, invoice_id: str) -> None:
        life = self._life
        invoice = self._invoice(invoice_id)
        first = invoice["invoiceLineItems"][0]
        taxable = any(
            sale.is_taxable and sale.description == first["description"]
            for sale in life.trade.sales
        )
        price = max(cents(first["price"]) // life.rng.randrange(2, 9), 1)
        line = SalesLine(
            price, 1, f"Return: {first['description']}", first["classifications"], taxable
        )
        memo = life.receivables.credit(
            invoice["customerId"],
            f"CM-{invoice['invoiceNumber']}",
            from_ms(now_ms).date(),
            [line],
            life.trade.tax_percent,
            now_ms,
            **life.variety.sales_fields(),
        )
        self._memos.setdefault(invoice["customerId"], []).append(memo["id"])

    def _use_memo(self, now_ms: int, memo_id: str, invoice_id: str) -> None:
        memo = self._life.organization["credit-memos"].get(memo_id)
        due = cents(self._invoice(invoice_id)["dueAmount"])
        if memo is not None:
            rest = cents(memo["amount"]) - cents(memo["appliedAmount"])
            used = min(self._life.variety.use_of_memo(rest), due)
            if used > 0:
                self._life.receivables.apply_credit(memo_id, invoice_id, used, now_ms)
            if 0 < used < rest and "credit_memo_uses" in self._life.variety.kinds:
                self._memos.setdefault(memo["customerId"], []).append(memo_id)

    def _use_rest(self, now_ms: int, receipt_id: str, invoice_id: str) -> None:
        receipt = self._life.organization["receivable-payments"].get(receipt_id)
        due = cents(self._invoice(invoice_id)["dueAmount"])
        if receipt is not None and receipt["status"] == "PAID":
            amount = min(cents(receipt["unappliedAmount"]), due)
            if amount > 0:
                self._life.receivables.apply_rest(receipt_id, invoice_id, amount, now_ms)

    def _invoice(self, invoice_id: str) -> Document:
        found = self._life.organization["invoices"].get(invoice_id)
        if found is None:
            raise KeyError(f"no invoice {invoice_id}")
        return found
