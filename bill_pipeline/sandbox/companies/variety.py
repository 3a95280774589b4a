"""How real books differ from tidy ones: which differences a company has, and what they write.

``KINDS`` is the table. The company's seed chooses among the kinds that a client must take in its
stride ("usual", the default) or among all of them ("full"); kinds can be named, too. Each kind
draws from a generator of its own: turning one on changes no other, nor the company's life. What
happens on some day (accounts retyped and merged, vendors merged) is ``mergers``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import ZERO_ID, IdSeries
from bill_pipeline.sandbox.money import cents, dollars
from bill_pipeline.sandbox.organization import Organization

USUAL, FULL, NONE = "usual", "full", "none"


@dataclass(frozen=True)
class Kind:
    """``share`` of the companies have it; ``is_rare``: it moves money or makes trouble."""

    summary: str
    share: float
    is_rare: bool = False


KINDS: dict[str, Kind] = {
    "header_classifications": Kind("documents carry dimensions (and an account) of their own", 0.7),
    "jobs": Kind("lines name a job", 0.6),
    "employees": Kind("lines of bills name an employee", 0.6),
    "items": Kind("lines of bills name an item", 0.6),
    "customers": Kind("lines of bills name a customer", 0.8),
    "purchase_orders": Kind("bills have a purchase order number", 0.7),
    "tax_ids": Kind("vendors have a tax id", 0.9),
    "parents": Kind("accounts, departments, classes and locations stand below others", 0.7),
    "rpps": Kind("large billers are paid through RPPS, by their id there", 0.8),
    "international": Kind("vendors abroad are paid in dollars by international payment", 0.6),
    "credit_memo_uses": Kind("a credit memo is used for several invoices", 0.8),
    "wallet": Kind("payments leave, and receipts enter, the wallet; vendors are paid to theirs",
                   0.5, is_rare=True),
    "card": Kind("payments are charged to a credit card, with a fee", 0.5, is_rare=True),
    "ap_card": Kind("payments are charged to an AP card", 0.5, is_rare=True),
    "refused_lists": Kind("the sync token may not read some of the lists", 0.4, is_rare=True),
    "empty_ids": Kind('"no reference" is written as an empty text', 0.4, is_rare=True),
    "zero_ids": Kind('"no reference" is written as twenty zeros', 0.4, is_rare=True),
    "accounts_retyped": Kind("accounts take another type after they were used", 0.5, is_rare=True),
    "accounts_merged": Kind("accounts entered twice become one", 0.5, is_rare=True),
    "vendors_merged": Kind("vendors that both have bills become one, and again", 0.5, is_rare=True),
}  # fmt: skip

_LINE_REFERENCES = (
    "chartOfAccountId", "accountingClassId", "departmentId", "locationId",
    "jobId", "itemId", "employeeId", "customerId",
)  # fmt: skip
_HEADER_LISTS = (
    ("accountingClassId", "accounting-classes"),
    ("departmentId", "departments"),
    ("locationId", "locations"),
)
#: What a token may be refused: a client without one of these still has books, and must say so.
_REFUSABLE = ("vendor-credits", "credit-memos", "users", "billing-statements", "bank-accounts")
_SHARE_OF_DOCUMENTS = 0.4
_SHARE_OF_LINES = 0.35
_SHARE_OF_VENDORS = 0.6
_SHARE_OF_PAYMENTS = 0.15
_CARD_FEE_PERCENT = 2.9


def chosen_kinds(variety: str, salt: str) -> frozenset[str]:
    """The kinds that a company has: of "usual", "full", "none", or "usual" and those named.

    Raises ``ValueError`` for a kind that is not in the table.

    >>> sorted(chosen_kinds("card,wallet", "seed 7, company 2") & {"card", "ap_card", "wallet"})
    ['card', 'wallet']
    """
    if variety == NONE:
        return frozenset()
    named = frozenset() if variety in {USUAL, FULL} else frozenset(variety.split(","))
    if named - set(KINDS):
        raise ValueError(
            f"No variety {', '.join(sorted(named - set(KINDS)))!r}. "
            f"There are {USUAL}, {FULL}, {NONE} and: {', '.join(KINDS)}"
        )
    by_seed = {
        name
        for name, kind in KINDS.items()
        if (variety == FULL or not kind.is_rare) and _generator(salt, name).random() < kind.share
    }
    return named | by_seed


def _generator(salt: str, name: str) -> random.Random:
    return random.Random(f"{salt}/variety/{name}")  # noqa: S311 — invented books, not secrets


class Variety:
    """The differences of one company: what its documents carry beside what every bill has."""

    def __init__(self, organization: Organization, kinds: frozenset[str]) -> None:
        self._books = organization
        self.kinds = kinds
        self._chance = {name: _generator(organization.salt, f"{name}/use") for name in kinds}
        self.wallet_id = IdSeries("wal", organization.salt).at(0)

    def happens(self, name: str, probability: float) -> bool:
        """Whether a kind strikes this time; never, if the company does not have it."""
        return name in self.kinds and self._chance[name].random() < probability

    def generator(self, name: str) -> random.Random:
        """The generator of a kind that the company has."""
        return self._chance[name]

    def _one_of(self, name: str, list_name: str) -> str:
        documents = self._books[list_name]
        return documents.ids.at(self._chance[name].randrange(len(documents)))

    # --- parties -------------------------------------------------------------------------

    def dress_vendor(self, vendor: Document) -> None:
        """Give a new vendor a tax id, its id at RPPS, a country, or its own wallet."""
        if self.happens("tax_ids", _SHARE_OF_VENDORS):
            number = f"{self._chance['tax_ids'].randrange(10_000_000):07d}"
            is_person = number[0] < "3"
            # No employer's number begins with 00, no person's with 000.
            vendor["additionalInfo"] |= {
                "taxId": f"000-{number[:2]}-{number[2:6]}" if is_person else f"00-{number}",
                "taxIdType": "SSN" if is_person else "EIN",
                "companyName": vendor["name"],
            }
        information = vendor["paymentInformation"]
        # Only of those whose way to the vendor takes no turns: the company's life stays the same.
        if information["payByType"] == "RPPS" and self.happens("rpps", 1.0):
            vendor["networkStatus"] = "CONNECTED_RPPS"
            vendor["rppsId"] = f"{self._chance['rpps'].randrange(10**10):010d}"
        if information["payByType"] == "VIRTUAL_CARD":
            if self.happens("international", _SHARE_OF_VENDORS):
                information |= {"payByType": "INTERNATIONAL_E_PAYMENT", "payBySubType": "WIRE"}
                vendor["address"] |= {"country": "CA", "countryName": "Canada"}
            elif self.happens("wallet", _SHARE_OF_VENDORS):
                information["payByType"] = "WALLET"

    # --- documents -----------------------------------------------------------------------

    def dress_lines(self, lines: list[dict[str, str]]) -> None:
        """Add to the classifications of a bill's or vendor credit's lines, in place."""
        for codes in lines:
            for kind, field, list_name in (
                ("jobs", "jobId", "jobs"),
                ("employees", "employeeId", "employees"),
                ("customers", "customerId", "customers"),
            ):
                if len(self._books[list_name]) and self.happens(kind, _SHARE_OF_LINES):
                    codes[field] = self._one_of(kind, list_name)
            # An item brings an account with it: only lines whose account is said get one.
            has_items = len(self._books["items"]) and "chartOfAccountId" in codes
            if has_items and self.happens("items", _SHARE_OF_LINES):
                codes["itemId"] = self._books["items"].ids.at(0)
            self._write_absent(codes)

    def bill_fields(self, lines: list[dict[str, str]]) -> Document:
        """Further fields of a new bill, whose lines have these classifications."""
        fields: Document = {}
        if self.happens("purchase_orders", _SHARE_OF_DOCUMENTS):
            number = self._chance["purchase_orders"].randrange(100_000)
            fields["purchaseOrderNumber"] = f"PO-{number:05d}"
        if self.happens("header_classifications", _SHARE_OF_DOCUMENTS):
            header = self._header()
            coded = [names_one(codes, "chartOfAccountId") for codes in lines]
            # A line without an account would take the header's.
            if all(coded):
                header["chartOfAccountId"] = self._one_of_lines(lines)
            fields["classifications"] = header
        absent = self._absent()
        if absent is not None:
            fields["payFromChartOfAccountId"] = absent
        return fields

    def dress_sales_lines(self, lines: list[dict[str, str]]) -> None:
        """Add to the classifications of an invoice's or credit memo's lines, in place."""
        for codes in lines:
            if self.happens("jobs", _SHARE_OF_LINES):
                codes["jobId"] = self._one_of("jobs", "jobs")

    def sales_fields(self) -> Document:
        """Further fields of a new invoice or credit memo: dimensions, and never an account."""
        if not self.happens("header_classifications", _SHARE_OF_DOCUMENTS):
            return {}
        return {"classifications": self._header()}

    def use_of_memo(self, open_amount: int) -> int:
        """How many cents of a credit memo's rest are used for the next invoice."""
        if open_amount > 2_00 and self.happens("credit_memo_uses", 0.7):
            return open_amount // 2
        return open_amount

    def _header(self) -> dict[str, str]:
        return {
            field: self._one_of("header_classifications", list_name)
            for field, list_name in _HEADER_LISTS
            if len(self._books[list_name])
        }

    def _one_of_lines(self, lines: list[dict[str, str]]) -> str:
        line = self._chance["header_classifications"].randrange(len(lines))
        return lines[line]["chartOfAccountId"]

    # --- references to nothing -----------------------------------------------------------

    def _absent(self) -> str | None:
        """How this document says "no reference"; ``None``: it leaves the field out."""
        if self.happens("zero_ids", _SHARE_OF_LINES):
            return ZERO_ID
        return "" if self.happens("empty_ids", _SHARE_OF_LINES) else None

    def _write_absent(self, codes: dict[str, str]) -> None:
        absent = self._absent()
        if absent is not None:
            codes |= {name: absent for name in _LINE_REFERENCES if name not in codes}

    # --- money ---------------------------------------------------------------------------

    def funding(self, bank_id: str, amount: int) -> dict[str, Any]:
        """What a payment of so many cents is paid from: BILL's two fields of it."""
        account, fee = {"type": "BANK_ACCOUNT", "id": bank_id}, 0
        if self.happens("card", _SHARE_OF_PAYMENTS):
            account = {"type": "CARD_ACCOUNT", "id": f"cat{bank_id[3:]}"}
            fee = round(amount * _CARD_FEE_PERCENT / 100)
        elif self.happens("ap_card", _SHARE_OF_PAYMENTS):
            account = {"type": "AP_CARD", "id": f"apc{bank_id[3:]}"}
        elif self.happens("wallet", _SHARE_OF_PAYMENTS):
            account = {"type": "WALLET", "id": self.wallet_id}
        return {"fundingAccount": account, "fundingAmount": dollars(amount + fee)}

    def receiving(self, bank_id: str) -> dict[str, str]:
        """Where a customer's payment through BILL goes to."""
        if self.happens("wallet", _SHARE_OF_PAYMENTS):
            return {"type": "WALLET", "id": self.wallet_id}
        return {"type": "BANK_ACCOUNT", "id": bank_id}

    # --- what a token may read -----------------------------------------------------------

    def refused_lists(self) -> set[str]:
        """The lists that the company's sync token may not read."""
        if not self.happens("refused_lists", 1.0):
            return set()
        return set(self._chance["refused_lists"].sample(_REFUSABLE, 2))


def names_one(codes: Document, field: str) -> bool:
    """Whether a reference leads anywhere: "" and zeros are none."""
    return codes.get(field) not in {None, "", ZERO_ID}


def taken_from_bank(payment: Document) -> int:
    """Cents that a payment takes from the bank account: nothing when a card or a wallet pays."""
    is_bank = payment["fundingAccount"]["type"] == "BANK_ACCOUNT"
    return cents(payment["fundingAmount"]) if is_bank else 0
