"""A smaller client out of a large one: some of its vendors, each with all of its lines.

Thinning rows would leave every vendor without its history, a mere slice of time without months to
learn from. Keeping whole vendors gives what a smaller client looks like.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.normalize import stable_hash


def newest_months(lines: pd.DataFrame, months: int) -> pd.DataFrame:
    """The lines of the newest ``months`` months that have any."""
    month = lines["date"].dt.to_period("M")
    kept = np.sort(month.unique())[-months:]
    return lines[month.isin(kept)]


def some_vendors(lines: pd.DataFrame, lines_max: int) -> pd.DataFrame:
    """All lines of some vendors, at most ``lines_max`` lines in all.

    Which vendors is decided by the hash of their names, so the choice depends on nothing that the
    lines say. A vendor larger than the room that is left is passed over; when that leaves less than
    half of the room filled, the newest lines fill it.
    """
    if len(lines) <= lines_max:
        return lines
    size = lines.groupby("party_name").size()
    names = size.index.to_numpy(dtype=object)
    chosen, total = set(), 0
    for name in names[np.argsort(stable_hash(names), kind="stable")]:
        if total + size[name] <= lines_max:
            chosen.add(name)
            total += size[name]
    kept = lines["party_name"].isin(chosen)
    if total * 2 < lines_max:
        rest = np.flatnonzero(~kept.to_numpy())[-(lines_max - total) :]
        kept.iloc[rest] = True
    return lines[kept]
