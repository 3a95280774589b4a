"""A storm of signals over clients that live, with everything wrong that BILL can do wrong.

Afterwards somebody who was not there looks at every client: nothing of BILL's is missing or old,
every entry balances, every bill owes what BILL says, and what is published is what was built.
All the while four analysts ask the published ledger, each in another way, and are never refused,
never shown half of anything and never taken back in time.
"""

from __future__ import annotations

import contextlib
import json
import math
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.sandbox.server import SandboxServer
from tests.imports.books import Client
from tests.imports.test_fault_scripts import FAULTS
from tests.journey.analyst_process import WAYS, watch
from tests.journey.command_process import work
from tests.journey.firm import Firm

SIGNALS = 150
#: A storm in which no command lives long enough to be told anything is no storm.
LONGEST_STORM_SECONDS = 30 * SIGNALS
CLIENTS = 5
AT_ONCE = 2
#: Of all faults together, the share of requests that meet one.
TROUBLE = 0.1
#: Of a company's time, in one of ours: days pass while the storm lasts.
COMPANY_SECONDS = 10_000
#: Longer than a sync of one client takes on a quiet machine.
LONGEST_LIFE_SECONDS = 3.0
#: One in so many is let live to its end, however slow the machine: else nothing new is ever shown.
SPARED = 15
#: An analyst who hardly ever gets an answer has seen nothing of the storm.
LEAST_ANSWERS = SIGNALS // 5

LINES = "select line_id, date, debit, credit from {} order by line_id"

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "bill_pipeline.pipeline.client_sync",
        "bill_pipeline.categorization.categorize",
        "bill_pipeline.cli.sync",
        "dlt",
    ]
)

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8, part=0)]


@dataclass
class Victim:
    """A command that is at work, and when it is told to end."""

    client: str
    process: BaseProcess
    number: signal.Signals
    dies_at: float


def begin(firm: Firm, chance: random.Random, *, not_of: set[str], is_spared: bool) -> Victim:
    clients = [company.client for company in firm.sandbox.companies]
    # Two at work on one client are part of the storm, but the second one ends at once.
    client = chance.choice([name for name in clients if not (is_spared and name in not_of)])
    process = PROCESSES.Process(target=work, args=(str(firm.home.path), client))
    process.start()
    number = chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    life = math.inf if is_spared else chance.uniform(0, LONGEST_LIFE_SECONDS)
    return Victim(client, process, number, time.monotonic() + life)


def storm(firm: Firm, chance: random.Random) -> int:
    """Signals that met a command at work."""
    sent, begun = 0, 0
    victims: list[Victim] = []
    ends = time.monotonic() + LONGEST_STORM_SECONDS
    while sent < SIGNALS or victims:
        assert time.monotonic() < ends, f"only {sent} commands could be told to end"
        while sent + len(victims) < SIGNALS and len(victims) < AT_ONCE:
            begun += 1
            at_work = {victim.client for victim in victims}
            is_spared = begun % SPARED == 0
            victims.append(begin(firm, chance, not_of=at_work, is_spared=is_spared))
        time.sleep(0.02)
        for victim in list(victims):
            pid = victim.process.pid
            if pid and victim.process.is_alive() and time.monotonic() >= victim.dies_at:
                os.kill(pid, victim.number)
                victim.process.join(timeout=10)
                assert not victim.process.is_alive(), f"{victim.number!r} did not end it"
                sent += 1
            if not victim.process.is_alive():
                victims.remove(victim)
    return sent


@contextlib.contextmanager
def analysts(firm: Firm, folder: Path) -> Iterator[list[dict[str, Any]]]:
    """Analysts at work inside the ``with``; after it, what each has found."""
    found: list[dict[str, Any]] = []
    names = [company.client for company in firm.sandbox.companies]
    stop = PROCESSES.Event()
    at_work = {}
    for way in WAYS:
        log = folder / f"{way.__name__}.json"
        arguments = (str(firm.home.path), way.__name__, names, stop, str(log))
        at_work[log] = PROCESSES.Process(target=watch, args=arguments, daemon=True)
        at_work[log].start()
    try:
        yield found
    finally:
        stop.set()
        for process in at_work.values():
            process.join(timeout=60)
    found += [json.loads(log.read_text()) for log in at_work]


def faults_of() -> list[dict[str, Any]]:
    rate = TROUBLE / len(FAULTS)
    return [{"match": "connect/v3/(?!login)", **fault, "rate": rate} for fault in FAULTS]


def what_is_wrong(firm: Firm, number: int) -> list[str]:
    """An independent look at one client: raw against BILL, journal, bills, publication."""
    company = firm.sandbox.companies[number]
    client = company.client
    reader = Client(firm.sandbox, firm.home.path, number)
    reader.database = firm.home.client_file(client)
    wrong = [f"{client}: {table} differs from BILL" for table in reader.differences()]
    with duckdb.connect(str(firm.home.client_file(client)), read_only=True) as books:
        unbalanced = books.execute(
            "select entry_id from ledger.journal_lines group by all having sum(amount) <> 0"
        ).fetchall()
        built = books.execute(LINES.format("ledger.journal_lines")).fetchall()
    with duckdb.connect(str(firm.home.ledger), read_only=True) as ledger:
        shown = ledger.execute(LINES.format(f"journal_lines where client = '{client}'")).fetchall()
        differing = ledger.execute(
            "select claim from tie_out where client = ? and difference <> 0", [client]
        ).fetchall()
    wrong += [f"{client}: entry {entry} does not balance" for (entry,) in unbalanced]
    wrong += [f"{client}: not so: {claim}" for (claim,) in differing]
    if not built or built != shown:
        wrong.append(f"{client}: {len(shown)} journal lines are published, {len(built)} were built")
    if Registry(firm.home).status(client).state is not State.UP_TO_DATE:
        wrong.append(f"{client}: its state is {Registry(firm.home).status(client)}")
    return wrong


def test_a_storm_of_signals_loses_nothing_and_leaves_nothing_old(tmp_path: Path) -> None:
    chance = random.Random(17)  # noqa: S311 - not for secrets
    with SandboxServer(companies=CLIENTS, documents=40, seed=17) as sandbox:
        firm = Firm(sandbox, tmp_path / "home")
        for number in range(CLIENTS):
            assert firm.connect(number).exit_code == 0
        # The others are imported for the first time while the storm lasts.
        assert firm.run("sync", firm.client).exit_code == 0
        sandbox.control.live()
        sandbox.state.clock.set_speed(COMPANY_SECONDS)
        sandbox.control.faults(faults_of())
        with analysts(firm, tmp_path) as found:
            assert storm(firm, chance) == SIGNALS
        print(*found, sep="\n")
        assert [fault for one in found for fault in one["wrong"]] == []
        assert min(one["answers"] for one in found) >= LEAST_ANSWERS
        # All but the one who kept a connection have seen books change.
        assert [one["way"] for one in found if one["states"] < 2] == ["held"]
        sandbox.control.faults([])
        sandbox.control.live(False)
        sandbox.state.clock.set_speed(0)
        # Whoever's books were built and not shown is shown now, named here or not.
        for company in sandbox.companies:
            result = firm.run("sync", company.client)
            assert result.exit_code == 0, result.output
        assert [fault for n in range(CLIENTS) for fault in what_is_wrong(firm, n)] == []
