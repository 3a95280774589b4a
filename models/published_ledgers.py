"""Read a published ledger, one row per payables line, into lines of the contract.

Only the layout belongs here; how the model is judged on it is in ``evaluation``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd


class EvaluationDataMissing(ValueError):
    """The data lacks columns, organizations or lines that the protocol needs."""


def read_ledger(data: pd.DataFrame) -> pd.DataFrame:
    """Lines of the contract, plus ``organization`` and ``canonical``, from a published ledger.

    Columns read: ``organization`` (or ``org``), ``date``, ``vendor``, ``description``, ``amount``,
    ``account`` (or ``label``), ``department`` and ``canonical_account`` where present.
    Raises ``EvaluationDataMissing``.
    """
    data = data.rename(columns={"org": "organization", "label": "account"})
    needed = {"organization", "date", "vendor", "description", "amount", "account"}
    if missing := sorted(needed - set(data.columns)):
        raise EvaluationDataMissing(f"the ledger lacks the columns {', '.join(missing)}")
    amount = pd.to_numeric(data["amount"]).astype(float)
    department = data["department"] if "department" in data else pd.Series("", index=data.index)
    canonical = data["canonical_account"] if "canonical_account" in data else data["account"]
    lines = pd.DataFrame(
        {
            "organization": data["organization"].astype(str),
            "line_id": np.arange(len(data)).astype(str),
            "date": pd.to_datetime(data["date"]),
            "document_type": np.where(amount < 0, "vendor_credit", "bill"),
            "party_id": None,
            "party_name": data["vendor"].fillna("").astype(str),
            "description": data["description"].fillna("").astype(str),
            "amount": amount.abs(),
            "department_id": department.astype(object).where(department.fillna("") != "", None),
            "account_id": data["account"].astype(object),
            "canonical": canonical.astype(object).where(canonical.notna(), None),
        }
    )
    lines = lines[lines["account_id"].notna()]
    return lines.sort_values(["organization", "date"], kind="stable").reset_index(drop=True)


def chart_of(account_ids: pd.Series) -> pd.DataFrame:
    """The chart that a published ledger implies: its accounts, named as written."""
    names = sorted(str(account) for account in account_ids.dropna().unique())
    return pd.DataFrame(
        {"account_id": names, "account_name": names, "account_type": "EXPENSE",
         "is_candidate": True}
    )  # fmt: skip
