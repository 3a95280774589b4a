"""The accounts a client's model knows, in a fixed order: codes 0 … n-1 used by every array.

An account keeps its code while the model lives: renamed accounts keep their history, deleted ones
are no longer candidates, new ones are appended.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.chart import account_kind, read_chart
from models.normalize import text_key

_COLUMNS = ("account_id", "account_number", "account_name", "account_type", "aliases")


@dataclass
class Accounts:
    """Parallel arrays, one entry per account; text is stored as fixed-width unicode."""

    account_id: np.ndarray
    account_number: np.ndarray
    account_name: np.ndarray
    account_type: np.ndarray
    aliases: np.ndarray
    is_candidate: np.ndarray

    @classmethod
    def of_chart(cls, chart: pd.DataFrame, used: pd.Series | None = None) -> Accounts:
        """The accounts of a chart, then those only found on coded lines (never candidates)."""
        known = read_chart(chart)
        columns = {name: known[name].to_numpy(dtype=object) for name in _COLUMNS}
        candidate = known["is_candidate"].to_numpy(bool)
        if used is not None:
            extra = np.setdiff1d(used.astype(str).unique().astype(object), columns["account_id"])
            for name in _COLUMNS:
                value = extra if name == "account_id" else np.full(len(extra), "", dtype=object)
                columns[name] = np.concatenate([columns[name], value])
            candidate = np.r_[candidate, np.zeros(len(extra), bool)]
        return cls(**{n: _fixed(v) for n, v in columns.items()}, is_candidate=candidate)

    def __len__(self) -> int:
        return len(self.account_id)

    def frame(self) -> pd.DataFrame:
        """The same as a data frame in the shape of ``read_chart``."""
        columns = {name: getattr(self, name).astype(object) for name in _COLUMNS}
        return pd.DataFrame({**columns, "is_candidate": self.is_candidate})

    def codes(self, account_id: pd.Series) -> np.ndarray:
        """Code of each account id; -1 for unknown or missing ids."""
        ids = account_id.astype(object).where(account_id.notna(), None)
        wanted = [None if value is None else str(value) for value in ids]
        return pd.Index(self.account_id.astype(object)).get_indexer(pd.Index(wanted, dtype=object))

    def updated(self, chart: pd.DataFrame) -> Accounts:
        """The same codes under a newer chart: renamed, no longer candidates, or appended."""
        new = read_chart(chart).set_index("account_id", drop=False)
        old = self.frame().set_index("account_id", drop=False)
        both = new.reindex(old.index)
        kept = both["account_id"].notna()
        merged = both.where(kept, old)
        merged["is_candidate"] = np.where(kept, both["is_candidate"].eq(True), False)
        merged["account_id"] = old["account_id"]
        appended = new[~new.index.isin(old.index)]
        joined = pd.concat([merged, appended], ignore_index=True)
        columns = {name: _fixed(joined[name].to_numpy(dtype=object)) for name in _COLUMNS}
        return Accounts(**columns, is_candidate=joined["is_candidate"].to_numpy(bool))

    @property
    def is_income(self) -> np.ndarray:
        return account_kind(pd.Series(self.account_type.astype(object), dtype=object)) == "income"

    @property
    def is_asset(self) -> np.ndarray:
        return account_kind(pd.Series(self.account_type.astype(object), dtype=object)) == "asset"

    @property
    def words(self) -> np.ndarray:
        """Normalised name of each account, for comparing with the words of a line."""
        return np.array([text_key(str(name)) for name in self.account_name], dtype=object)


def _fixed(values: np.ndarray) -> np.ndarray:
    return np.asarray([str(value) for value in values], dtype=np.str_)
