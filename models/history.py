"""A client's memory: how often, how recently and for what amounts each key went to each account.

A *key* is a fact of the line (its vendor, vendor and text, department …). Counts fade with a
half-life, so that a changed habit wins; corrections and newly coded lines enter at once through
``learn``. Nothing here turns counts into a decision (``evidence``, ``ranker``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.lines import Lines
from models.normalize import combine

HALF_LIFE_DAYS = 365.0
# A second, short memory: what the key went to in the last weeks, so that a switch is seen at once.
RECENT_HALF_LIFE_DAYS = 45.0
# Weights are 2 ** ((day - EPOCH_DAY) / half-life): shares need no update as time passes.
EPOCH_DAY = 18_262  # 2020-01-01

# From the general to the specific: the order in which the back-off estimate trusts them.
KEYS = (
    "any", "department", "department_amount", "text", "text_department", "first_word", "name",
    "party", "party_bucket", "party_department", "party_text", "party_amount",
    "party_text_department", "party_department_amount",
)  # fmt: skip

AMOUNT_KEYS = ("department_amount", "party_amount", "party_department_amount")


def keys_of(lines: Lines) -> dict[str, np.ndarray]:
    """The hash of each key of each line; 0 where a part is missing (no memory is kept of 0)."""
    salt = {name: np.full(len(lines), i + 1, np.uint64) for i, name in enumerate(KEYS)}

    def key(name: str, *parts: np.ndarray) -> np.ndarray:
        known = np.logical_and.reduce([part != 0 for part in parts])
        return np.where(known, combine(salt[name], *parts), np.uint64(0))

    sign = lines.is_sale.astype(np.uint64) + np.uint64(1)
    # Without the sign, so that a credit finds the bill that it takes back.
    cents = np.abs(lines.cents).astype(np.uint64) * np.uint64(2) + np.uint64(1)
    # Eight steps per doubling would be exact amounts again; two keep "about as much as last time".
    bucket = np.floor(lines.log_amount * 2).astype(np.uint64) * np.uint64(2) + np.uint64(1)
    bucket += lines.is_credit.astype(np.uint64) << np.uint64(32)
    return {
        "any": key("any", sign),
        "department": key("department", lines.department, sign),
        "department_amount": key("department_amount", lines.department, cents, sign),
        "text": key("text", lines.text, sign),
        "text_department": key("text_department", lines.text, lines.department, sign),
        "first_word": key("first_word", lines.first_word, sign),
        "name": key("name", lines.name, sign),
        "party": key("party", lines.party, sign),
        "party_bucket": key("party_bucket", lines.party, bucket, sign),
        "party_department": key("party_department", lines.party, lines.department, sign),
        "party_text": key("party_text", lines.party, lines.text, sign),
        "party_amount": key("party_amount", lines.party, cents, sign),
        "party_text_department": key(
            "party_text_department", lines.party, lines.text, lines.department, sign
        ),
        "party_department_amount": key(
            "party_department_amount", lines.party, lines.department, cents, sign
        ),
    }


@dataclass
class CountTable:
    """For one kind of key: a sparse (keys × accounts) table, rows sorted by key."""

    keys: np.ndarray  # uint64 (n_keys,), sorted, distinct
    start: np.ndarray  # int64 (n_keys + 1,): where each key's pairs begin
    account: np.ndarray  # int32 (n_pairs,)
    weight: np.ndarray  # float64 (n_pairs,): decayed count
    recent: np.ndarray  # float64 (n_pairs,): count decayed by the short half-life
    count: np.ndarray  # float32 (n_pairs,): plain count
    last_day: np.ndarray  # int32 (n_pairs,)
    amount: np.ndarray  # float32 (n_pairs,): sum of log amounts

    @classmethod
    def empty(cls) -> CountTable:
        return cls(
            keys=np.zeros(0, np.uint64), start=np.zeros(1, np.int64),
            account=np.zeros(0, np.int32), weight=np.zeros(0), recent=np.zeros(0),
            count=np.zeros(0, np.float32),
            last_day=np.zeros(0, np.int32), amount=np.zeros(0, np.float32),
        )  # fmt: skip

    def add(
        self, keys: np.ndarray, account: np.ndarray, day: np.ndarray, log_amount: np.ndarray
    ) -> CountTable:
        """A new table that also counts these lines, without those of key 0 or account -1."""
        kept = (keys != 0) & (account >= 0)
        keys, account, day, log_amount = (a[kept] for a in (keys, account, day, log_amount))
        if not len(keys):
            return self
        row_key = np.concatenate([np.repeat(self.keys, np.diff(self.start)), keys])
        pair_account = np.concatenate([self.account, account.astype(np.int32)])
        decayed = np.exp2((day - EPOCH_DAY) / HALF_LIFE_DAYS)
        weight = np.concatenate([self.weight, decayed])
        quickly = np.exp2((day - EPOCH_DAY) / RECENT_HALF_LIFE_DAYS)
        recent = np.concatenate([self.recent, quickly])
        count = np.concatenate([self.count, np.ones(len(keys), np.float32)])
        last_day = np.concatenate([self.last_day, day.astype(np.int32)])
        amount = np.concatenate([self.amount, log_amount.astype(np.float32)])
        order = np.lexsort((pair_account, row_key))
        row_key, pair_account = row_key[order], pair_account[order]
        new_pair = np.r_[
            True, (row_key[1:] != row_key[:-1]) | (pair_account[1:] != pair_account[:-1])
        ]
        first = np.flatnonzero(new_pair)
        row_key, pair_account = row_key[first], pair_account[first]
        new_key = np.flatnonzero(np.r_[True, row_key[1:] != row_key[:-1]])
        return CountTable(
            keys=row_key[new_key],
            start=np.r_[new_key, len(row_key)].astype(np.int64),
            account=pair_account,
            weight=np.add.reduceat(weight[order], first),
            recent=np.add.reduceat(recent[order], first),
            count=np.add.reduceat(count[order], first),
            last_day=np.maximum.reduceat(last_day[order], first),
            amount=np.add.reduceat(amount[order], first),
        )

    def find(self, keys: np.ndarray) -> np.ndarray:
        """Row of each key, -1 where it has no history; int64."""
        if not len(self.keys):
            return np.full(len(keys), -1, np.int64)
        row = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[row] == keys, row, -1)

    def pairs(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All pairs of the given rows: (index into ``rows``, index into the pair arrays)."""
        known = rows >= 0
        safe = np.where(known, rows, 0)
        if not len(self.keys):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        length = np.where(known, self.start[safe + 1] - self.start[safe], 0)
        line = np.repeat(np.arange(len(rows)), length)
        offset = np.arange(len(line)) - np.repeat(np.cumsum(length) - length, length)
        return line, self.start[safe][line] + offset


@dataclass
class History:
    """One ``CountTable`` per kind of key, and how recently every account was used at all."""

    tables: dict[str, CountTable]
    last_day: int

    @classmethod
    def empty(cls) -> History:
        return cls({name: CountTable.empty() for name in KEYS}, last_day=EPOCH_DAY)

    def knows_amount(self, lines: Lines) -> np.ndarray:
        """Whether the exact amount occurred before, for the vendor or the department; bool."""
        keys = keys_of(lines)
        found = [self.tables[name].find(keys[name]) >= 0 for name in AMOUNT_KEYS]
        return np.logical_or.reduce(found)

    def learn(self, lines: Lines, account: np.ndarray) -> History:
        """Memory that also holds these lines; ``account`` are codes, -1 for "no account"."""
        if not len(lines):
            return self
        keys = keys_of(lines)
        tables = {
            name: table.add(keys[name], account, lines.day, lines.log_amount)
            for name, table in self.tables.items()
        }
        return History(tables, max(self.last_day, int(lines.day.max())))
