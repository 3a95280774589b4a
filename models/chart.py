"""Charts of accounts: the canonical one, and how a client's own accounts correspond to it.

A client's account is matched by its name, the aliases of the canonical account, its number and its
type. Nothing is learned here; the correspondence is a plain function of the two charts.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from models.normalize import text_key

CHART_FILE = Path(__file__).with_name("chart_of_accounts.csv")
CHART_COLUMNS = ("account_id", "account_name", "is_candidate")
INCOME_TYPES = frozenset({"INCOME", "OTHER_INCOME", "REVENUE", "NON_OPERATING_REVENUE"})
ASSET_TYPES = frozenset({"FIXED_ASSET", "OTHER_ASSET", "OTHER_CURRENT_ASSET", "ASSET", "INVENTORY"})
# Names that agree less than this are not thought to mean the same account.
NAME_AGREEMENT_MIN = 0.62


class ChartColumnsMissing(ValueError):
    """The chart given to a model lacks columns of the contract; the message names them."""


@lru_cache(maxsize=1)
def canonical_chart() -> pd.DataFrame:
    """``chart_of_accounts.csv`` in the shape of a client's chart, plus ``aliases``."""
    raw = pd.read_csv(CHART_FILE, dtype=str, keep_default_na=False)
    section = {
        "Revenue": "INCOME", "Other Income": "OTHER_INCOME", "Expense": "EXPENSE",
        "Other Expense": "OTHER_EXPENSE", "Cost of Goods Sold": "COST_OF_GOODS_SOLD",
    }  # fmt: skip
    kind = raw["type"].map(section)
    kind = kind.where(kind.notna(), raw["subtype"].str.upper().str.replace(" ", "_"))
    return pd.DataFrame(
        {
            "account_id": raw["code"],
            "account_number": raw["code"],
            "account_name": raw["name"],
            "account_type": kind,
            "is_candidate": raw["is_candidate"] == "true",
            "aliases": raw["aliases"],
        }
    )


def read_chart(chart: pd.DataFrame) -> pd.DataFrame:
    """A client's chart with every column present, one row per account id, ids as text.

    Raises ``ChartColumnsMissing``.
    """
    missing = [column for column in CHART_COLUMNS if column not in chart.columns]
    if missing:
        raise ChartColumnsMissing(
            f"the chart lacks the columns {', '.join(missing)}; the contract is in models/README.md"
        )
    result = pd.DataFrame({"account_id": chart["account_id"].astype(str).to_numpy()})
    for column in ("account_number", "account_name", "account_type", "aliases"):
        values = chart[column] if column in chart.columns else pd.Series([None] * len(chart))
        result[column] = values.astype(object).where(values.notna(), "").astype(str).to_numpy()
    result["is_candidate"] = chart["is_candidate"].astype(bool).to_numpy()
    return result.drop_duplicates("account_id", keep="last").reset_index(drop=True)


def account_kind(account_type: pd.Series) -> np.ndarray:
    """``income``, ``asset`` or ``expense`` for each account type of BILL; object array."""
    kind = account_type.str.upper().str.replace(" ", "_")
    is_income, is_asset = kind.isin(INCOME_TYPES), kind.isin(ASSET_TYPES)
    return np.where(is_income, "income", np.where(is_asset, "asset", "expense")).astype(object)


def correspondence(canonical: pd.DataFrame, chart: pd.DataFrame) -> np.ndarray:
    """How much of each canonical account's probability goes to each account of a client's chart.

    Returns (canonical accounts, client accounts); rows sum to 1 or less: what the client's chart
    has no account for is left over. Only candidates receive anything.
    """
    agreement = name_agreement(canonical, chart)
    same_kind = (
        account_kind(canonical["account_type"])[:, None]
        == account_kind(chart["account_type"])[None, :]
    )
    named = chart["account_type"].to_numpy() != ""
    agreement = np.where(same_kind | ~named[None, :], agreement, agreement * 0.6)
    agreement[:, ~chart["is_candidate"].to_numpy(bool)] = 0.0
    strength = np.where(agreement >= NAME_AGREEMENT_MIN, agreement, 0.0) ** 6
    total = strength.sum(axis=1, keepdims=True)
    best = agreement.max(axis=1, keepdims=True) if agreement.shape[1] else total
    return np.divide(strength, total, out=np.zeros_like(strength), where=total > 0) * best


def name_agreement(canonical: pd.DataFrame, chart: pd.DataFrame) -> np.ndarray:
    """0–1 for every pair of accounts: the best agreement over name and aliases, and the number."""
    from rapidfuzz import fuzz, process

    ours = [text_key(name) for name in chart["account_name"]]
    result = np.zeros((len(canonical), len(chart)), np.float32)
    for row, (name, aliases) in enumerate(
        zip(canonical["account_name"], canonical["aliases"], strict=True)
    ):
        names = [text_key(n) for n in [name, *aliases.split(";")] if text_key(n)]
        if not names or not ours:
            continue
        sorted_words = process.cdist(names, ours, scorer=fuzz.token_sort_ratio) / 100
        any_words = process.cdist(names, ours, scorer=fuzz.token_set_ratio) / 100
        # A shared word proves little by itself ("insurance" in "health insurance").
        pair = np.maximum(sorted_words, 0.85 * any_words)
        first_names_count = np.where(np.arange(len(names)) == 0, 1.0, 0.97)[:, None]
        result[row] = (pair * first_names_count).max(axis=0)
    same_name = (
        canonical["account_name"].to_numpy()[:, None] == chart["account_name"].to_numpy()[None]
    )
    result = np.where(same_name, 1.0, result)
    same_number = (
        canonical["account_number"].to_numpy()[:, None] == chart["account_number"].to_numpy()[None]
    )
    numbered = chart["account_number"].to_numpy() != ""
    return np.where(same_number & numbered[None, :], np.maximum(result, 0.5) * 1.1, result).clip(
        0, 1
    )
