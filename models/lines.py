"""Document lines in the form the models read: arrays of keys and numbers instead of words.

``Lines.read`` checks the columns and normalises every distinct string once. Everything downstream
(history, text model, knowledge) works on these arrays; no module but this one reads the raw frame.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from models.normalize import apply_to_distinct, combine, fold, stable_hash, text_key, vendor_key

REQUIRED_COLUMNS = (
    "date", "document_type", "party_id", "party_name", "description", "amount", "department_id",
)  # fmt: skip
CREDIT_TYPES = ("vendor_credit", "credit_memo")
AMOUNT_BUCKETS_PER_DOUBLING = 1
# Amounts that differ by less than a twelfth look alike to the model, unless one is known exactly.
AMOUNT_STEPS_PER_DOUBLING = 8


class LineColumnsMissing(ValueError):
    """The frame given to a model lacks columns of the contract; the message names them."""


@dataclass(frozen=True)
class Lines:
    """Lines as parallel arrays, all of length n; the ``distinct_*`` arrays are shared tables."""

    day: np.ndarray  # int64, days since 1970-01-01
    is_credit: np.ndarray  # bool: a credit document or a negative amount
    is_sale: np.ndarray  # bool: invoice or credit memo (receivables)
    log_amount: np.ndarray  # float32, log2(1 + |amount|) in steps of an eighth
    cents: np.ndarray  # int64, exact amount in hundredths, a key and never booked
    party: np.ndarray  # uint64 hash: BILL's party id, else the normalised name; 0 = none
    name: np.ndarray  # uint64 hash of the normalised name; 0 = none
    first_word: np.ndarray  # uint64 hash of the first word of the name; 0 = none
    text: np.ndarray  # uint64 hash of the normalised line text; 0 = none
    department: np.ndarray  # uint64 hash; 0 = none
    name_code: np.ndarray  # int64 index into distinct_names
    text_code: np.ndarray  # int64 index into distinct_texts
    department_code: np.ndarray  # int64 index into distinct_departments
    distinct_names: np.ndarray  # object: normalised names
    distinct_texts: np.ndarray  # object: normalised texts
    distinct_departments: np.ndarray  # object: folded department names (ids where unnamed)

    def __len__(self) -> int:
        return len(self.day)

    def take(self, index: np.ndarray | slice) -> Lines:
        """The lines at ``index`` (positions, mask or slice); distinct tables stay shared."""
        parts = {
            f.name: value if f.name.startswith("distinct_") else value[index]
            for f in fields(self)
            for value in [getattr(self, f.name)]
        }
        return Lines(**parts)

    @property
    def amount_bucket(self) -> np.ndarray:
        """Signed bucket of the amount: one step per doubling, credits apart; int64."""
        bucket = np.floor(self.log_amount * AMOUNT_BUCKETS_PER_DOUBLING).astype(np.int64)
        return np.where(self.is_credit, -bucket - 1, bucket)

    @classmethod
    def read(cls, frame: pd.DataFrame) -> Lines:
        """Read the columns of the contract; ``department_name`` is used where present.

        Raises ``LineColumnsMissing``.
        """
        missing = [column for column in REQUIRED_COLUMNS if column not in frame.columns]
        if missing:
            raise LineColumnsMissing(
                f"lines lack the columns {', '.join(missing)}; the contract is in models/README.md"
            )
        name_code, names = apply_to_distinct(frame["party_name"], vendor_key)
        text_code, texts = apply_to_distinct(frame["description"], text_key)
        department = frame["department_id"]
        if "department_name" in frame.columns:
            department = frame["department_name"].where(
                frame["department_name"].notna(), department
            )
        department_code, departments = apply_to_distinct(department, fold)
        name = _hash_or_zero(names)[name_code]
        party_code, parties = apply_to_distinct(frame["party_id"], str)
        party = _hash_or_zero(parties)[party_code]
        amount = pd.to_numeric(frame["amount"], errors="coerce").fillna(0.0).to_numpy(np.float64)
        amount = np.clip(np.nan_to_num(amount), -1e14, 1e14)
        kind = frame["document_type"].astype(object)
        words = np.array([n.split(" ", 1)[0] for n in names], dtype=object)
        return cls(
            day=_days(frame["date"]),
            is_credit=(amount < 0) ^ kind.isin(CREDIT_TYPES).to_numpy(bool),
            is_sale=kind.isin(("invoice", "credit_memo")).to_numpy(bool),
            log_amount=_in_steps(np.log2(1.0 + np.abs(amount))),
            cents=np.round(amount * 100).astype(np.int64),
            party=np.where(party == 0, name, party),
            name=name,
            first_word=_hash_or_zero(words)[name_code],
            text=_hash_or_zero(texts)[text_code],
            department=_hash_or_zero(departments)[department_code],
            name_code=name_code,
            text_code=text_code,
            department_code=department_code,
            distinct_names=names,
            distinct_texts=texts,
            distinct_departments=departments,
        )


def _in_steps(log_amount: np.ndarray) -> np.ndarray:
    steps = np.floor(log_amount * AMOUNT_STEPS_PER_DOUBLING) / AMOUNT_STEPS_PER_DOUBLING
    return steps.astype(np.float32)


def _hash_or_zero(strings: np.ndarray) -> np.ndarray:
    hashes = stable_hash(strings)
    return np.where(strings == "", np.uint64(0), hashes)


def _days(dates: pd.Series) -> np.ndarray:
    """Days since 1970-01-01; an unreadable date counts as the earliest readable one."""
    parsed = pd.to_datetime(dates, errors="coerce")
    if getattr(parsed.dt, "tz", None) is not None:
        parsed = parsed.dt.tz_localize(None)
    days = parsed.to_numpy(dtype="datetime64[D]").astype(np.int64)
    missing = parsed.isna().to_numpy()
    earliest = days[~missing].min() if (~missing).any() else 0
    return np.where(missing, earliest, days)


def repeated_key(lines: Lines, is_known_amount: np.ndarray) -> np.ndarray:
    """Lines with the same key get the same suggestion; uint64.

    ``is_known_amount``: lines whose exact amount the history knows, so that it may count.
    """
    flags = lines.is_credit.astype(np.uint64) * 2 + lines.is_sale.astype(np.uint64)
    cents = np.where(is_known_amount, lines.cents, 0).view(np.uint64)
    about = (lines.log_amount * AMOUNT_STEPS_PER_DOUBLING).astype(np.uint64)
    return combine(lines.party, lines.name, lines.text, lines.department, cents, about, flags)
