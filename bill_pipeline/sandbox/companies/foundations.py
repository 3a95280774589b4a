"""What a company's variety asks for before its first day: jobs, employees, items, parents."""

from __future__ import annotations

from datetime import date

from bill_pipeline.sandbox.clock import day_ms
from bill_pipeline.sandbox.companies.variety import Variety
from bill_pipeline.sandbox.companies.vendor_names import person_name, place_name
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.organization import Organization

#: Account number → number of the account above it, of the same type.
_ABOVE = {
    "1010": "1000",
    "5100": "5000",
    "5200": "5000",
    "6150": "6100",
    "6510": "6500",
    "6760": "6750",
    "6850": "6800",
}
_SHOW_EMPTY_IDS = ("bills", "vendor-credits", "payments", "bank-accounts")
_JOBS, _EMPLOYEES = 5, 4


def add_foundations(organization: Organization, variety: Variety, start: date) -> None:
    """Add the lists that lines refer to, and settle how the company's BILL answers."""
    at = day_ms(start, 13, 30)
    if "jobs" in variety.kinds:
        _add_jobs(organization, variety, at)
    if "employees" in variety.kinds:
        for _ in range(_EMPLOYEES):
            first, last = person_name(variety.generator("employees"))
            employee = {"archived": False, "firstName": first, "lastName": f"{last} (invented)"}
            organization["employees"].add(employee, at)
    if "items" in variety.kinds and len(organization["items"]) == 0:
        _add_stock(organization, at)
    if "parents" in variety.kinds:
        _add_parents(organization)
    organization.refused_lists = variety.refused_lists()
    if "empty_ids" in variety.kinds:
        for name in _SHOW_EMPTY_IDS:
            organization[name].shows_empty_ids = True
    for kind, absent in (("empty_ids", ""), ("zero_ids", ZERO_ID)):
        if kind in variety.kinds:
            savings = organization["bank-accounts"].at(1) | {"chartOfAccountId": absent}
            organization["bank-accounts"].replace(savings)


def _add_jobs(organization: Organization, variety: Variety, at_ms: int) -> None:
    for number in range(1, _JOBS + 1):
        name = f"{place_name(variety.generator('jobs'))} job {number}"
        organization["jobs"].add(
            {"archived": False, "name": name, "shortName": f"J{number}"}, at_ms
        )


def _add_stock(organization: Organization, at_ms: int) -> None:
    """A company that sells nothing through BILL still has items that it buys."""
    supplies = next(
        account["id"]
        for account in organization["chart-of-accounts"]
        if account["account"]["number"] == "6600"
    )
    item = {"archived": False, "type": "NON_INVENTORY", "name": "Supplies (invented)"}
    organization["items"].add({**item, "chartOfAccountId": supplies}, at_ms)


def _add_parents(organization: Organization) -> None:
    accounts = organization["chart-of-accounts"]
    by_number = {account["account"]["number"]: account for account in accounts}
    for below, above in _ABOVE.items():
        accounts.replace(by_number[below] | {"parentId": by_number[above]["id"]})
    for name in ("departments", "accounting-classes", "locations"):
        values = organization[name]
        if len(values) > 1:
            last = values.at(len(values) - 1)
            values.replace(last | {"parentId": values.ids.at(0)})
