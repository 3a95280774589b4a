"""Invented ledgers with the troubles of real ones, in the layout of the published ledgers.

Vendors of very different size; trade words in some names; a second account by department or by
amount; vendors that arrive late, switch their account for good, or are simply miscoded at times.
Everything is synthetic; a ledger like this is easier than a real one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

TRADES = (
    "plumbing", "roofing", "catering", "courier", "legal", "insurance", "software", "hosting",
    "printing", "fuel", "cleaning", "security", "training", "travel", "energy", "water",
    "telecom", "advertising", "recruitment", "rent",
)  # fmt: skip
FIRST = (
    "north",
    "amber",
    "copper",
    "harbor",
    "summit",
    "willow",
    "iron",
    "silver",
    "meadow",
    "blue",
)
SECOND = ("ridge", "works", "partners", "group", "and sons", "services", "direct", "house")
DEPARTMENTS = ("adults", "children", "housing", "parks", "highways")
DAYS = 400


def invented_ledger(organizations: int, lines: int, *, seed: int) -> pd.DataFrame:
    """``organizations`` invented clients with ``lines`` lines each over thirteen months."""
    print(f"seed {seed}")
    parts = [_one(f"org{i}", lines, np.random.default_rng([seed, i])) for i in range(organizations)]
    return pd.concat(parts, ignore_index=True)


def _one(name: str, lines: int, random: np.random.Generator) -> pd.DataFrame:
    count = max(lines // 12, 20)
    trade = random.integers(0, len(TRADES), count)
    is_named = random.random(count) < 0.6
    names = [
        f"{random.choice(FIRST)} {random.choice(SECOND)} {TRADES[t] if named else ''} {i}".strip()
        for i, (t, named) in enumerate(zip(trade, is_named, strict=True))
    ]
    other = random.integers(0, len(TRADES), count)
    habit = random.choice(
        ["one", "department", "amount", "switch"], count, p=[0.55, 0.2, 0.15, 0.1]
    )
    arrives = np.where(random.random(count) < 0.3, random.integers(0, DAYS, count), 0)
    switches = random.integers(DAYS // 4, DAYS, count)
    vendor = random.choice(count, lines, p=_shares(count))
    day = arrives[vendor] + (random.random(lines) * (DAYS - arrives[vendor])).astype(int)
    department = random.integers(0, len(DEPARTMENTS), lines)
    amount = np.exp(random.normal(5, 1.2, lines)).round(2)
    is_second = (
        ((habit[vendor] == "department") & (department == vendor % len(DEPARTMENTS)))
        | ((habit[vendor] == "amount") & (amount > 400))
        | ((habit[vendor] == "switch") & (day > switches[vendor]))
    )
    account = np.where(is_second, other[vendor], trade[vendor])
    is_miscoded = random.random(lines) < 0.05
    account = np.where(is_miscoded, random.integers(0, len(TRADES), lines), account)
    titles = np.array([f"{word} costs" for word in TRADES], dtype=object)
    frame = pd.DataFrame(
        {
            "organization": name,
            "date": pd.Timestamp("2025-01-01") + pd.to_timedelta(day, unit="D"),
            "vendor": np.array(names, dtype=object)[vendor],
            "description": "",
            "amount": amount,
            "account": titles[account],
            "canonical_account": titles[account],
            "department": np.array(DEPARTMENTS, dtype=object)[department],
        }
    )
    return frame.sort_values("date", kind="stable")


def _shares(count: int) -> np.ndarray:
    """Few vendors with many lines, many with few."""
    weight = 1.0 / np.arange(1, count + 1) ** 0.9
    return weight / weight.sum()
