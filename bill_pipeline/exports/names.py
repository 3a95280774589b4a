"""What accounts are called in other tools: two accounts never share a name or a code.

hledger knows what an account is by its root (Assets, Liabilities, Equity, Income, Expenses);
beancount allows only these roots, and letters, digits and dashes after them. QuickBooks and Xero
look a name or a code up in their own chart, so these stay as they are wherever they are unique.
"""

from __future__ import annotations

import re
import unicodedata
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


def quickbooks_names(accounts: Iterable[Account]) -> dict[str, str]:
    """account id → name in the chart; those that share one carry their number, else their id."""
    listed = list(accounts)
    return _told_apart(
        {account.account_id: account.name for account in listed},
        {a.account_id: f"{a.name} ({a.code or a.account_id})" for a in listed},
    )


def xero_codes(accounts: Iterable[Account]) -> dict[str, str]:
    """account id → number in the chart; the name where it has none, both where two share one."""
    listed = list(accounts)
    return _told_apart(
        {account.account_id: account.code or account.name for account in listed},
        {
            a.account_id: f"{a.code} {a.name}" if a.code else f"{a.name} ({a.account_id})"
            for a in listed
        },
    )


def _names(accounts: Iterable[Account], written: Callable[[str], str]) -> dict[str, str]:
    listed = list(accounts)
    return _told_apart(
        {account.account_id: _name(account, written) for account in listed},
        {account.account_id: _name(account, written, with_id=True) for account in listed},
    )


def _told_apart(plain: dict[str, str], longer: dict[str, str]) -> dict[str, str]:
    """``plain``, but ``longer`` for all that would share it; a number where that is taken too.

    All that share a name change it, so no name depends on the others' order. Case tells no names
    apart: QuickBooks and Xero know none.
    """
    used = Counter(name.casefold() for name in plain.values())
    found = {key: name for key, name in plain.items() if used[name.casefold()] == 1}
    taken = {name.casefold() for name in found.values()}
    for key in sorted(plain.keys() - found.keys()):
        name, number = longer[key], 1
        while name.casefold() in taken:
            number += 1
            name = f"{longer[key]}-{number}"
        taken.add(name.casefold())
        found[key] = name
    return found


def _name(account: Account, written: Callable[[str], str], *, with_id: bool = False) -> str:
    words = [account.code or "", account.name, account.account_id if with_id else ""]
    return f"{root_of(account)}:{written(' '.join(word for word in words if word))}"


def _with_spaces(text: str) -> str:
    # A colon would make a sub-account, two spaces end a name, the other signs begin something.
    cleaned = re.sub(r"[:;()\[\]{}<>\"'@=|*!\x00-\x1f\x7f]", " ", text)
    return re.sub(r"\s+", " ", cleaned).strip() or "Unnamed"


def _with_dashes(text: str) -> str:
    """Letters, decimal digits and dashes, a capital or a digit first, as beancount defines them."""
    composed = unicodedata.normalize("NFC", text)
    dashed = "".join(char if _category(char) in _KEPT else "-" for char in composed)
    dashed = re.sub(r"-+", "-", dashed).strip("-") or "Unnamed"
    capital = dashed[0].upper()
    if _category(dashed[0]) in _FIRST:
        return dashed
    # Scripts without capitals, and the few letters whose capital is two signs, get one in front.
    is_capital = len(capital) == 1 and _category(capital) == "Lu"
    return capital + dashed[1:] if is_capital else f"X-{dashed}"


def _category(char: str) -> str:
    return unicodedata.category(char)


#: beancount's letters (any) and digits (decimal), and what may come first of them.
_KEPT = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})
_FIRST = frozenset({"Lu", "Nd"})
