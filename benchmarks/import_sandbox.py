"""Measure imports from the sandbox: the first, one with 100 changes, one with none, a probe.

Run it as ``python benchmarks/import_sandbox.py --documents 200000``. The sandbox runs in a process
of its own, so that the memory shown is the import's alone. All books are computed, none are real.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from pydantic import SecretStr

CHANGES = 100


def serve(pipe: Pipe, documents: int) -> None:
    """A sandbox with one company of ``documents`` computed documents; obeys ``pipe``."""
    from bill_pipeline.sandbox.server import SandboxServer

    with SandboxServer(companies=1, documents=documents) as sandbox:
        state = sandbox.state
        company = sandbox.companies[0]
        pipe.send(
            {
                "organization_id": company.organization_id,
                "token_name": company.token_name,
                "token_password": company.token_password,
                "dev_key": sandbox.dev_key,
                "base_url": sandbox.base_url,
                "v2_url": sandbox.v2_url,
            }
        )
        while pipe.recv() == "change":
            bills = state.organization(company.client)["bills"]
            state.clock.step_ms(3_600_000)
            for position in range(0, len(bills), max(len(bills) // CHANGES, 1)):
                changed = bills.at(position) | {"description": f"changed at {time.time()}"}
                bills.replace(changed, state.clock.stamp_ms())
            pipe.send("changed")


def measured(name: str, work: Callable[[], Any], requests: Callable[[], int]) -> dict[str, Any]:
    before, started, cpu = requests(), time.perf_counter(), time.process_time()
    result = work()
    seconds = time.perf_counter() - started
    documents = sum(getattr(result, "documents", {}).values())
    return {
        "what": name,
        "documents_read": documents,
        "versions_added": getattr(result, "changed", 0),
        "requests": requests() - before,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "documents_per_second": round(documents / seconds),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--documents", type=int, default=50_000)
    arguments.add_argument("--with-v2", action="store_true", help="read the v2 lists as well")
    chosen = arguments.parse_args()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs, chosen.documents), daemon=True
    )
    process.start()
    try:
        run(ours, with_v2=chosen.with_v2)
    finally:
        ours.send("stop")
        process.join(10)


def run(pipe: Pipe, *, with_v2: bool) -> None:
    from bill_pipeline.bill.api import BillApi
    from bill_pipeline.bill.budget import SharedBudget
    from bill_pipeline.bill.connection import Connection
    from bill_pipeline.ingest.change_check import changed_lists
    from bill_pipeline.ingest.loading import load_lists

    values = pipe.recv()
    for secret in ("token_password", "dev_key"):
        values[secret] = SecretStr(values[secret])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        budget = SharedBudget(folder / "budget.sqlite")
        with BillApi(Connection(**values), client="benchmark", budget=budget) as api:

            def load() -> Any:
                return load_lists(
                    api,
                    database=folder / "benchmark.duckdb",
                    dlt_folder=folder / "dlt",
                    as_of=datetime.now(UTC),
                    with_v2=with_v2,
                )

            def show(title: str, work: Callable[[], Any]) -> None:
                print(json.dumps(measured(title, work, lambda: api.requests)), flush=True)

            show("first import", load)
            show("nothing changed", load)
            pipe.send("change")
            pipe.recv()
            show(f"{CHANGES} bills changed", load)
            show("nothing changed again", load)
            show("probe", lambda: changed_lists(api, folder / "dlt", folder / "benchmark.duckdb"))


if __name__ == "__main__":
    main()
