"""Enter an invented vendor with all that BILL knows of one."""

from __future__ import annotations

from bill_pipeline.sandbox.companies.company import Company
from bill_pipeline.sandbox.companies.vendor_names import place_name
from bill_pipeline.sandbox.documents import Document

#: How vendors are paid, as often as it is listed.
PAY_BY = ("ACH", "ACH", "ACH", "CHECK", "CHECK", "VIRTUAL_CARD", "RPPS")


def add_vendor(life: Company, name: str, at_ms: int) -> Document:
    """Enter a new vendor; the bank account is only shown on its own path."""
    city = place_name(life.rng)
    pay_by = life.rng.choice(PAY_BY)
    email = "ap@" + "".join(c for c in name.lower() if c.isalnum())[:24] + ".example.com"
    account = {
        "nameOnAccount": name,
        "accountNumber": f"*****{life.rng.randrange(10_000):04d}",
        "routingNumber": "000000000",
        "type": "CHECKING",
        "ownerType": "BUSINESS",
    }
    vendor: Document = {
        "archived": False,
        "name": name,
        "accountType": "BUSINESS",
        "email": email,
        "phone": f"555-01{life.rng.randrange(100):02d}",
        "address": {
            "line1": f"{life.rng.randrange(1, 999)} Invented St",
            "city": city,
            "country": "US",
            "countryName": "United States",
        },
        "paymentInformation": {
            "payeeName": name,
            "email": email,
            "payByType": pay_by,
            "payBySubType": "ACH" if pay_by == "ACH" else "NONE",
            "bankAccount": account if pay_by == "ACH" else None,
        },
        "additionalInfo": {
            "track1099": life.chance(0.2),
            "combinePayments": life.chance(0.4),
            "paymentTermId": life.organization["payment-terms"].ids.at(3),
        },
        "recurringPayments": False,
        "billCurrency": "USD",
        "networkStatus": life.rng.choice(("NOT_CONNECTED", "CONNECTED")),
        "bankAccountStatus": "NO_ACCOUNT",
    }
    life.variety.dress_vendor(vendor)
    vendor = life.organization["vendors"].add(vendor, at_ms)
    life.payables.announce("vendor.created", vendor)
    return vendor
