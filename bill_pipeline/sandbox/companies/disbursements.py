"""How a sent payment shows its way to the vendor, by its type."""

from __future__ import annotations

from datetime import date

from bill_pipeline.sandbox.documents import Document


def disbursement(kind: str, sent: date, arrives: date, number: int) -> Document:
    """A payment's ``disbursementInfo``; only a check on its way can still be voided."""
    dates = {"sentDate": sent.isoformat(), "arrivesByDate": arrives.isoformat()}
    information: Document = {"isVoidable": kind == "CHECK"}
    match kind:
        case "CHECK":
            information["checkDisbursement"] = {**dates, "checkNumber": number}
        case "ACH":
            information["achDisbursement"] = dates
        case "RPPS":
            trace = {"traceNumber": 7_000_000 + number, "batchNumber": 7}
            information["rppsDisbursement"] = {**dates, **trace}
        case "INTERNATIONAL_E_PAYMENT":
            information["internationalDisbursement"] = {**dates, "disbursementSubType": "LOCAL"}
        case "WALLET":
            information["walletDisbursement"] = {"arrivesByDate": arrives.isoformat()}
        case _:
            information["vcardDisbursement"] = {"arrivesByDate": arrives.isoformat()}
    return information
