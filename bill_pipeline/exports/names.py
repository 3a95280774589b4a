"""Account names that plain-text accounting tools accept: a root, a colon, number and name.

hledger knows what an account is by its root (Assets, Liabilities, Equity, Income, Expenses);
beancount allows only these roots, and letters, digits and dashes after them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from bill_pipeline.exports.books import Account

_ROOTS = {
    "Asset": "Assets",
    "Liability": "Liabilities",
    "Equity": "Equity",
    "Revenue": "Income",
    "Other Income": "Income",
    "Cost of Goods Sold": "Expenses",
    "Expense": "Expenses",
    "Other Expense": "Expenses",
}


def root_of(account: Account) -> str:
    """The root of the account's name; what is unknown is an expense, as in our own statements."""
    return _ROOTS.get(account.account_type, "Expenses")


def plain_text_names(accounts: Iterable[Account]) -> dict[str, str]:
    """account id → name for hledger and ledger."""
    return _names(accounts, _with_spaces)


def beancount_names(accounts: Iterable[Account]) -> dict[str, str]:
    """account id → name for beancount."""
    return _names(accounts, _with_dashes)


def _names(accounts: Iterable[Account], written: Callable[[str], str]) -> dict[str, str]:
    names: dict[str, str] = {}
    taken: set[str] = set()
    for account in sorted(accounts, key=lambda a: a.account_id):
        code = f"{account.code} " if account.code else ""
        name = f"{root_of(account)}:{written(code + account.name)}"
        if name in taken:
            # Two accounts of one name stay two accounts.
            name = f"{root_of(account)}:{written(f'{code}{account.name} {account.account_id}')}"
        taken.add(name)
        names[account.account_id] = name
    return names


def _with_spaces(text: str) -> str:
    # A colon would make a sub-account, two spaces end a name, the other signs begin something.
    cleaned = re.sub(r"[:;()\[\]{}<>\"'@=|*!\t]", " ", text)
    return re.sub(r"\s+", " ", cleaned).strip() or "Unnamed"


def _with_dashes(text: str) -> str:
    dashed = re.sub(r"[^\w]|_", "-", text)
    dashed = re.sub(r"-+", "-", dashed).strip("-") or "Unnamed"
    first = dashed[0]
    # Must begin with a capital or a digit; scripts without capitals get one in front.
    return dashed if first.isdigit() or first.isupper() else (
        first.upper() + dashed[1:] if first.upper().isupper() else f"X-{dashed}"
    )  # fmt: skip
