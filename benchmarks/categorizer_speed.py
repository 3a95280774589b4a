"""How long the categorizer learns and decides, and its memory, beside a linear text model.

    python benchmarks/categorizer_speed.py --data uk_ledgers.parquet --organization calderdale

One core, CPU seconds. The client learns from its oldest lines, then all of its lines are decided;
where it has fewer than are asked for, they are taken several times over, as a client's lines
repeat. Prints one JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.baselines import Judged
from models.categorizer import Categorizer
from models.published_ledgers import chart_of, read_ledger
from models.ranker import one_thread

PEER = "linear text"
NEVER_LATE = 100_000  # published ledgers have gaps that a client's books do not have


def measured(what: str, model: str, lines: int, work: Callable[[], Any]) -> Any:
    """Do ``work`` and print what it cost."""
    began = time.process_time()
    result = work()
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps({
            "what": what, "model": model, "lines": lines, "cpu_seconds": round(seconds, 1),
            "lines_per_second": round(lines / max(seconds, 1e-9)), "peak_megabytes": round(peak),
        }),
        flush=True,
    )  # fmt: skip
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="Parquet of published ledgers")
    parser.add_argument("--organization", default="calderdale")
    parser.add_argument("--learned", type=int, nargs="+", default=[2_000, 500_000])
    parser.add_argument("--decided", type=int, default=1_000_000)
    options = parser.parse_args()
    wanted = [("organization", "==", options.organization)]
    ledger = read_ledger(pd.read_parquet(options.data, filters=wanted))
    decided = ledger.iloc[np.resize(np.arange(len(ledger)), options.decided)].reset_index(drop=True)
    chart = chart_of(ledger["account_id"])
    with one_thread():
        for count in options.learned:
            past = ledger.iloc[:count]
            model = measured(
                "learn", "ours", len(past),
                lambda past=past: Categorizer(gap_days_max=NEVER_LATE).fit(past, chart),
            )  # fmt: skip
            peer = measured("learn", PEER, len(past), lambda past=past: Judged.fit(PEER, past))
        for name, lines in (("all lines once", ledger), ("with repetitions", decided)):
            measured(name, "ours", len(lines), lambda lines=lines: model.suggest(lines))
        measured("all lines once", PEER, len(ledger), lambda: peer.outcomes(ledger))


if __name__ == "__main__":
    main()
