"""Account names that plain-text accounting tools accept: a root, a colon, number and name.

hledger knows what an account is by its root (Assets, Liabilities, Equity, Income, Expenses);
beancount allows only these roots, and letters, digits and dashes after them.
"""

from __future__ import annotations

import re
from collections import Counter
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
    plain = {account: _name(account, written) for account in accounts}
    used = Counter(plain.values())
    # Accounts that would share a name all carry their id, so no name depends on the others' order.
    return {
        account.account_id: name if used[name] == 1 else _name(account, written, with_id=True)
        for account, name in plain.items()
    }


def _name(account: Account, written: Callable[[str], str], *, with_id: bool = False) -> str:
    words = [account.code or "", account.name, account.account_id if with_id else ""]
    return f"{root_of(account)}:{written(' '.join(word for word in words if word))}"


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
