"""Measure the sandbox itself: how soon a large organization starts, how fast its lists are served.

Run it as ``python benchmarks/sandbox_speed.py --documents 1000000``. Both are told in the sandbox's
own CPU seconds, read from /proc, so that other work on the machine does not count: documents per
CPU second are documents per second on one core. All books are computed, none are real.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import httpx

ROWS = 100


def serve(pipe: Pipe, documents: int) -> None:
    from bill_pipeline.sandbox.server import SandboxServer

    started = time.process_time()
    with SandboxServer(companies=1, documents=documents) as sandbox:
        company = sandbox.companies[0]
        pipe.send(
            {
                "cpu_seconds_to_start": round(time.process_time() - started, 2),
                "base_url": sandbox.base_url,
                "dev_key": sandbox.dev_key,
                "login": {
                    "username": company.token_name,
                    "password": company.token_password,
                    "organizationId": company.organization_id,
                    "devKey": sandbox.dev_key,
                },
            }
        )
        pipe.recv()


def cpu_seconds(process_id: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_pages(about: dict[str, Any], path: str, pages: int) -> int:
    """Follow a list for ``pages`` pages as a client does; the documents read."""
    with httpx.Client(trust_env=False, timeout=60) as http:
        session = http.post(f"{about['base_url']}/v3/login", json=about["login"]).json()
        headers = {"devKey": about["dev_key"], "sessionId": session["sessionId"]}
        parameters: dict[str, str] = {"max": str(ROWS), "sort": "updatedTime:asc"}
        documents = 0
        for _ in range(pages):
            answer = http.get(f"{about['base_url']}/v3/{path}", params=parameters, headers=headers)
            body = answer.json()
            documents += len(body["results"])
            if not body.get("nextPage"):
                break
            parameters["page"] = body["nextPage"]
    return documents


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--documents", type=int, default=1_000_000)
    arguments.add_argument("--pages", type=int, default=200)
    chosen = arguments.parse_args()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, chosen.documents), daemon=True)
    process.start()
    about = ours.recv()
    print(json.dumps({"documents": chosen.documents, "start": about["cpu_seconds_to_start"]}))
    for path in ("bills", "payments"):
        before = cpu_seconds(process.pid or 0)
        documents = read_pages(about, path, chosen.pages)
        spent = cpu_seconds(process.pid or 0) - before
        rate = round(documents / spent)
        print(json.dumps({"list": path, "read": documents, "documents_per_cpu_second": rate}))
    ours.send("stop")
    process.join(10)


if __name__ == "__main__":
    main()
