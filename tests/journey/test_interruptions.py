"""Ctrl-C, SIGTERM and Terminate end the work within seconds, and nobody has failed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from bill_pipeline.pipeline import client_sync as books
from bill_pipeline.pipeline.client_sync import open_sync
from bill_pipeline.registry.client_errors import ClientBusy
from bill_pipeline.registry.client_files import client_lock
from bill_pipeline.registry.clients import ClientStatus, Registry, State
from bill_pipeline.runtime.signals import EXIT_CODE, SENTENCE, interruption_in
from tests.journey.firm import Firm

pytestmark = pytest.mark.rotating(days=8)

#: What a person waits for; the aim is a few seconds on a machine that does nothing else.
SECONDS = 8.0
STARTS_WITHIN = 90.0


def begun(firm: Firm, *arguments: str) -> subprocess.Popen[str]:
    program = Path(sys.executable).with_name("bill-pipeline")
    environment = {**os.environ, "BILL_PIPELINE_HOME": str(firm.home.path)}
    return subprocess.Popen(
        [program, *arguments], env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """What the command wrote to standard error after the signal, which it must obey at once."""
    process.send_signal(number)
    asked_at = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - asked_at < SECONDS
    assert process.returncode == EXIT_CODE
    return said


def wait_for_import(firm: Firm) -> None:
    ends = time.monotonic() + STARTS_WITHIN
    while Registry(firm.home).status(firm.client).state is not State.IMPORTING:
        assert time.monotonic() < ends
        time.sleep(0.05)


def state_of(status: ClientStatus) -> tuple[object, ...]:
    return (
        status.state, status.failure_count, status.error, status.remedy, status.progress,
        status.last_success_at, status.next_sync_at,
    )  # fmt: skip


@pytest.fixture
def slow(firm: Firm) -> Iterator[Firm]:
    """A connected client whose BILL takes a second for each answer."""
    assert firm.connect().exit_code == 0
    firm.sandbox.state.switches.service_ms = 1_000
    yield firm
    firm.sandbox.state.switches.service_ms = 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_import_says_one_sentence_and_is_no_failure(
    slow: Firm, number: signal.Signals
) -> None:
    before = state_of(Registry(slow.home).status(slow.client))
    process = begun(slow, "sync", slow.client)
    wait_for_import(slow)
    assert ended(process, number).strip() == SENTENCE
    assert state_of(Registry(slow.home).status(slow.client)) == before
    slow.sandbox.state.switches.service_ms = 0
    assert slow.run("sync", slow.client).exit_code == 0


@pytest.mark.slow
def test_waiting_for_the_next_hour_of_bill_is_interrupted(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that sleep until BILL's next hour hold nobody up."""
    assert firm.connect().exit_code == 0
    monkeypatch.setenv("BILL_PIPELINE_REQUESTS_PER_HOUR", "5")  # connecting has spent them
    process = begun(firm, "sync", firm.client)
    wait_for_import(firm)
    time.sleep(2)
    assert ended(process, signal.SIGTERM).strip() == SENTENCE


def test_a_query_that_was_interrupted_fails_nobody(firm: Firm) -> None:
    """DuckDB ends an interrupted query with an error of its own."""
    assert firm.connect().exit_code == 0
    before = state_of(Registry(firm.home).status(firm.client))
    with pytest.raises(KeyboardInterrupt):
        interrupt_a_query(firm)
    assert state_of(Registry(firm.home).status(firm.client)) == before


def test_an_end_is_recorded_before_another_sync_may_begin(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert firm.connect().exit_code == 0
    is_held = []

    def record(*_: object) -> None:
        with pytest.raises(ClientBusy), client_lock(firm.home, firm.client, "synced"):
            pass
        is_held.append(True)

    monkeypatch.setattr(books, "_record_end", record)
    with pytest.raises(ValueError, match="a mistake"), open_sync(Registry(firm.home), firm.client):
        raise ValueError("a mistake")
    assert is_held == [True]


def interrupt_a_query(firm: Firm) -> None:
    with open_sync(Registry(firm.home), firm.client) as sync:
        sync.import_lists()
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interruption:
            raise duckdb.InvalidInputException("Query interrupted") from interruption


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), ValueError("an amount")])
def test_a_client_that_is_paused_meanwhile_stays_paused(firm: Firm, ending: BaseException) -> None:
    assert firm.connect().exit_code == 0
    with contextlib.suppress(type(ending)), open_sync(Registry(firm.home), firm.client):
        assert firm.run("pause", firm.client).exit_code == 0
        raise ending
    assert Registry(firm.home).status(firm.client).state is State.PAUSED


def test_an_error_is_no_interruption() -> None:
    assert interruption_in(ValueError("an amount")) is None


@pytest.mark.slow
def test_terminate_in_dagster_cancels_the_run_and_fails_nobody(slow: Firm) -> None:
    import dagster as dg

    from bill_pipeline.dagster.definitions import defs
    from bill_pipeline.dagster.partitions import CLIENT_PARTITIONS

    before = state_of(Registry(slow.home).status(slow.client))

    def terminate(instance: dg.DagsterInstance) -> None:
        """What the page's button does."""
        wait_for_import(slow)
        (run,) = instance.get_runs()
        instance.report_run_canceling(run)
        os.kill(os.getpid(), signal.SIGINT)

    with dg.instance_for_test() as instance:
        instance.add_dynamic_partitions(CLIENT_PARTITIONS.name or "", [slow.client])
        threading.Thread(target=terminate, args=(instance,), daemon=True).start()
        with pytest.raises(dg.DagsterExecutionInterruptedError):
            defs.resolve_job_def("bring_books_up_to_date").execute_in_process(
                instance=instance,
                partition_key=slow.client,
                run_config={"resources": {"sync": {"config": {"home": str(slow.home.path)}}}},
            )
        (run,) = instance.get_runs()
        assert run.status is dg.DagsterRunStatus.CANCELED
    assert state_of(Registry(slow.home).status(slow.client)) == before


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ui_and_its_services_are_gone_within_five_seconds(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Until then they listen on one port, the console's."""
    home = str(tmp_path / "home")
    program = Path(sys.executable).with_name("bill-pipeline")
    port = free_port()
    ui = subprocess.Popen(
        [program, "ui", "--port", str(port)],
        env={**os.environ, "BILL_PIPELINE_HOME": home}, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert ui.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = ui.stdout.readline()
        assert line, said
        said += line
    assert f"Dagster is at http://127.0.0.1:{port}/dagster" in said
    assert "bill-pipeline console --create-admin NAME" in said
    assert ports_of(home) == {port}
    ui.send_signal(number)
    asked_at = time.monotonic()
    assert ui.wait(timeout=60) == 0
    assert time.monotonic() - asked_at < 5
    assert list(processes_of(home)) == []


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def processes_of(home: str) -> Iterator[Path]:
    """The folders in /proc of processes that work on ``home``; Linux alone can say so."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if home.encode() in (process / "environ").read_bytes():
                yield process


def ports_of(home: str) -> set[int]:
    """Where processes that work on ``home`` listen for TCP."""
    held = set()
    for process in processes_of(home):
        for file in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                held.add(str(file.readlink()))
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            local, state = fields[1], fields[3]
            if state == "0A" and f"socket:[{fields[9]}]" in held:
                ports.add(int(local.rpartition(":")[2], 16))
    return ports
