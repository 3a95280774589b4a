"""Measure ``bill_source`` beside dlt's own ``rest_api`` source, on the same lists in one run.

Run it as ``python benchmarks/dlt_peers.py --documents 30000``. Both load bills, vendors, payments
of a computed company into DuckDB; the sandbox runs in a process of its own,
so that the CPU seconds are the loads' alone. ``rest_api`` splits lines into tables of their own, as
it does by default, and once more with ``max_table_nesting=0``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import dlt
import httpx
from dlt.sources.rest_api import rest_api_source

LISTS = ("bills", "vendors", "payments")


def serve(pipe: Pipe, documents: int) -> None:
    from bill_pipeline.sandbox.server import SandboxServer

    with SandboxServer(companies=1, documents=documents) as sandbox:
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
        pipe.recv()


def ours(given: dict[str, str]) -> Any:
    from bill_pipeline.bill.source import bill_source

    return bill_source(**given).with_resources(*LISTS)


def generic(given: dict[str, str], **more: Any) -> Any:
    login = {
        "devKey": given["dev_key"],
        "username": given["token_name"],
        "password": given["token_password"],
        "organizationId": given["organization_id"],
    }
    answer = httpx.post(f"{given['base_url']}/v3/login", json=login)
    answer.raise_for_status()
    headers = {"sessionId": answer.json()["sessionId"], "devKey": given["dev_key"]}
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{given['base_url']}/v3/",
                "headers": headers,
                "paginator": {
                    "type": "cursor",
                    "cursor_path": "nextPage",
                    "cursor_param": "page",
                },
            },
            "resource_defaults": {
                "primary_key": "id",
                "write_disposition": "merge",
                "endpoint": {"data_selector": "results", "params": {"max": 100}},
            },
            "resources": [{"name": name, "endpoint": {"path": name}} for name in LISTS],
        }
    )
    for name, value in more.items():
        setattr(source, name, value)
    return source


def measured(make: Callable[[], Any], folder: Path) -> tuple[float, float, int]:
    """CPU seconds, seconds and documents of one load."""
    cpu, started = time.process_time(), time.perf_counter()
    pipeline = dlt.pipeline(
        "copied",
        destination=dlt.destinations.duckdb(str(folder / "copied.duckdb")),
        dataset_name="copied_bill",
        pipelines_dir=str(folder / "dlt"),
    )
    pipeline.run(make())
    spent = time.process_time() - cpu, time.perf_counter() - started
    with pipeline.sql_client() as client:
        counts = [client.execute_sql(f"select count(*) from {name}") for name in LISTS]
    shutil.rmtree(folder, ignore_errors=True)
    return *spent, sum(rows[0][0] for rows in counts if rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=30_000)
    documents = parser.parse_args().documents
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(there, documents), daemon=True)
    process.start()
    given = here.recv()
    first: float | None = None
    for name, make in (
        ("bill_source", lambda: ours(given)),
        ("rest_api", lambda: generic(given)),
        ("rest_api, nothing nested", lambda: generic(given, max_table_nesting=0)),
    ):
        cpu, seconds, count = measured(make, Path(tempfile.mkdtemp()))
        first = first or cpu
        print(f"{name}: {count:,} documents, {cpu:.1f} CPU s, {seconds:.1f} s, {cpu / first:.1f}x")
    here.send("end")
    process.join()


if __name__ == "__main__":
    main()
