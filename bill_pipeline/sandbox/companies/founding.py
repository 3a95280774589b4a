"""Set up an invented company on BILL and let it live until the sandbox's today."""

from __future__ import annotations

import hashlib
import random
import unicodedata
from datetime import date, timedelta

from bill_pipeline.sandbox.clock import day_ms
from bill_pipeline.sandbox.companies.charts import COMMON_ACCOUNTS
from bill_pipeline.sandbox.companies.foundations import add_foundations
from bill_pipeline.sandbox.companies.life import CompanyLife
from bill_pipeline.sandbox.companies.trades import TRADES, Trade
from bill_pipeline.sandbox.companies.variety import USUAL, Variety, chosen_kinds
from bill_pipeline.sandbox.companies.vendor_names import person_name, place_name
from bill_pipeline.sandbox.organization import Credential, Organization
from bill_pipeline.sandbox.state import SandboxState
from bill_pipeline.sandbox.volume import add_volume

#: Two and a half years: two full fiscal years to compare, and a current one.
HISTORY_DAYS = 912
#: More documents than this are computed rather than lived; see ``volume.py``.
LIVED_DOCUMENTS = 20_000
#: … beside a short lived history, so that every kind of document is there.
LIVED_BESIDE_VOLUME = 2_000
#: Lines of bills this recent may come without a GL account.
UNCODED_DAYS = 90

_ROLES = ("ADMINISTRATOR", "ACCOUNTANT", "APPROVER", "CLERK")
_TERMS = (("Due on receipt", 0), ("Net 10", 10), ("Net 15", 15), ("Net 30", 30), ("Net 45", 45))


def add_invented_companies(
    state: SandboxState, companies: int, documents: int, variety: str = USUAL
) -> None:
    """Add companies with about ``documents`` documents each, of the trades in turn.

    ``variety``: "usual", "full", "none", or kinds of ``variety.KINDS`` beside the usual ones.
    """
    for number in range(companies):
        trade = TRADES[number % len(TRADES)]
        round_number, variant = divmod(number // len(TRADES), len(trade.names))
        name = trade.names[variant] + (f" {round_number + 1}" if round_number else "")
        computed = documents - LIVED_BESIDE_VOLUME if documents > LIVED_DOCUMENTS else 0
        salt = f"{state.seed}/{number}"
        kinds = chosen_kinds(variety, salt)
        life = found_company(state, trade, name, salt, documents - computed, computed, kinds)
        state.add_life(life)


def found_company(
    state: SandboxState,
    trade: Trade,
    name: str,
    salt: str,
    documents: int,
    computed: int = 0,
    kinds: frozenset[str] = frozenset(),
) -> CompanyLife:
    """One company of a trade, lived until today, with some kinds of variety."""
    rng = random.Random(salt)  # noqa: S311 — invented books, not secrets
    today = state.clock.now().date()
    start = today - timedelta(days=HISTORY_DAYS)
    organization = new_organization(name, salt, start)
    _add_accounts(organization, trade, start)
    _add_dimensions(organization, trade, start)
    if computed:
        add_volume(organization, salt, computed, start, today)
    variety = Variety(organization, kinds)
    add_foundations(organization, variety, start)
    per_day = documents / HISTORY_DAYS
    life = CompanyLife(organization, trade, rng, state.switches, start, per_day, variety)
    life.history_ends = today
    life.coded_until = today - timedelta(days=UNCODED_DAYS)
    life.live_until(state.clock.now_ms())
    return life


def new_organization(name: str, salt: str, start: date) -> Organization:
    """An organization with people, credentials, roles, terms and a bank account."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = "".join(letter if letter.isalnum() else "-" for letter in plain)
    slug = "-".join(part for part in slug.split("-") if part)
    organization = Organization(slug, f"{name} (invented)", salt)
    rng = random.Random(f"{salt}/people")  # noqa: S311
    at = day_ms(start, 12)
    roles = {
        kind: organization["roles"].add(
            {"type": kind, "description": kind.title(), "archived": False}, at
        )
        for kind in _ROLES
    }
    for kind in _ROLES:
        first, last = person_name(rng)
        organization["users"].add(
            {
                "archived": False,
                "firstName": first,
                "lastName": f"{last} (invented)",
                "email": f"{kind.lower()}@{slug}.example.com",
                "role": {"id": roles[kind]["id"], "type": kind, "description": kind.title()},
            },
            at,
        )
    administrator = organization["users"].at(0)
    organization.profile = {
        "id": organization.id,
        "archived": False,
        "name": organization.name,
        "address": {"line1": "1 Invented Way", "city": place_name(rng), "country": "US"},
        "phone": "555-0100",
        "industry": "Invented",
        "accountType": "BUSINESS",
    }
    organization.credentials = [
        Credential("token", f"{slug} sync token (invented)", _password(salt, "token"),
                   administrator["id"]),
        Credential("user", administrator["email"], _password(salt, "user"),
                   administrator["id"], is_administrator=True),
    ]  # fmt: skip
    for term, days in _TERMS:
        organization["payment-terms"].add({"name": term, "daysDue": days}, at)
    return organization


def _password(salt: str, kind: str) -> str:
    return hashlib.blake2b(f"{salt}/{kind} password".encode(), digest_size=12).hexdigest()


def add_account(
    organization: Organization, number: str, name: str, account_type: str, at_ms: int
) -> str:
    """Add a GL account and return its id."""
    account = {"archived": False, "name": name, "account": {"type": account_type, "number": number}}
    return str(organization["chart-of-accounts"].add(account, at_ms)["id"])


def _add_accounts(organization: Organization, trade: Trade, start: date) -> None:
    at = day_ms(start, 12, 30)
    accounts = {
        number: add_account(organization, number, name, account_type, at)
        for number, name, account_type in sorted((*COMMON_ACCOUNTS, *trade.accounts))
    }
    add_bank_account(organization, accounts["1000"], "Operating Checking", at)
    add_bank_account(organization, accounts["1010"], "Savings", at, is_default=False)


def add_bank_account(
    organization: Organization, account_id: str, name: str, at_ms: int, is_default: bool = True
) -> str:
    """Add a BILL bank account that posts to a GL account; its id."""
    bank = {
        "archived": False,
        "status": "VERIFIED",
        "createdBy": organization["users"].at(0)["id"],
        "routingNumber": "000000000",
        "accountNumber": f"*****{1000 + len(organization['bank-accounts'])}",
        "nameOnAccount": organization.name,
        "type": "CHECKING" if is_default else "SAVINGS",
        "ownerType": "BUSINESS",
        "bankName": f"Invented Bank, {name}",
        "accessToAdmins": True,
        "default": {"payables": is_default, "receivables": is_default},
        "chartOfAccountId": account_id,
    }
    return str(organization["bank-accounts"].add(bank, at_ms)["id"])


def _add_dimensions(organization: Organization, trade: Trade, start: date) -> None:
    at = day_ms(start, 13)
    for name, values in (
        ("departments", trade.departments),
        ("accounting-classes", trade.classes),
        ("locations", trade.locations),
    ):
        for value in values:
            organization[name].add({"archived": False, "name": value}, at)
    for sale in trade.sales:
        income = next(
            account["id"]
            for account in organization["chart-of-accounts"]
            if account["account"]["number"] == sale.account
        )
        organization["items"].add(
            {
                "archived": False,
                "type": "SERVICE" if not sale.is_taxable else "INVENTORY",
                "name": sale.description,
                "taxable": sale.is_taxable,
                "chartOfAccountId": income,
            },
            at,
        )
    if trade.sales:
        organization["items"].add(
            {
                "archived": False,
                "type": "SALES_TAX",
                "name": "Sales tax",
                "percentage": trade.tax_percent,
            },
            at,
        )
