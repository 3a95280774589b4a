"""What each sensor does for no client, a new client, a busy one, one in trouble."""

from __future__ import annotations

import contextlib
import json
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import filelock
import pytest
from dagster._utils.error import serializable_error_info_from_exc_info
from pydantic import SecretStr

from bill_pipeline.bill.budget import SharedBudget
from bill_pipeline.dagster import first_imports, retention, run_locks
from bill_pipeline.dagster.alerts import AlertNotSent, _send_mail
from bill_pipeline.dagster.definitions import defs
from bill_pipeline.dagster.first_imports import FIRST_IMPORTS_IN_OWN_RUN
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.pipeline.client_sync import SyncOptions, bring_up_to_date
from bill_pipeline.publishing.publish import publish
from bill_pipeline.registry.client_files import client_lock
from bill_pipeline.registry.clients import Registry, State, utc_now
from bill_pipeline.settings import Home, SettingsError
from bill_pipeline.warehouse.transforms import load_transforms

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
Tick = Callable[..., Any]
Connect = Callable[..., str]


@pytest.fixture
def tick(instance: dg.DagsterInstance, sync: SyncResource) -> Tick:
    """One tick of a sensor; partitions it asks for are added, as the daemon does."""

    def tick(sensor: str, cursor: str | None = None) -> Any:
        with dg.build_sensor_context(
            instance=instance, definitions=defs, cursor=cursor, resources={"sync": sync}
        ) as context:
            answer: Any = defs.resolve_sensor_def(sensor)(context)
        if isinstance(answer, dg.RunRequest):
            answer = dg.SensorResult(run_requests=[answer])
        if isinstance(answer, dg.SkipReason):
            answer = dg.SensorResult(skip_reason=answer)
        for request in answer.dynamic_partitions_requests or []:
            if isinstance(request, dg.AddDynamicPartitionsRequest):
                instance.add_dynamic_partitions("client", list(request.partition_keys))
        reason = answer.skip_reason
        return SimpleNamespace(
            run_requests=list(answer.run_requests or []),
            dynamic_partitions_requests=list(answer.dynamic_partitions_requests or []),
            asset_events=list(answer.asset_events or []),
            cursor=answer.cursor,
            skip_message=reason.skip_message if isinstance(reason, dg.SkipReason) else reason,
        )

    return tick


def test_without_clients_every_sensor_says_what_to_do_or_why_it_rests(tick: Tick) -> None:
    assert "bill-pipeline connect" in tick("add_new_clients").skip_message
    for sensor in (
        "sync_due_clients",
        "alert_on_failures",
        "watch_freshness",
        "mend_dead_runs",
        "show_what_others_built",
    ):
        message = tick(sensor).skip_message
        assert message.endswith(".")
        assert " " in message


def test_a_new_client_becomes_a_partition_and_is_imported_once(
    tick: Tick, connect: Connect, instance: dg.DagsterInstance
) -> None:
    client = connect()
    first = tick("add_new_clients")
    assert instance.get_dynamic_partitions("client") == [client]
    (request,) = first.run_requests
    assert request.partition_key == client
    assert request.job_name == "bring_books_up_to_date"
    # The daemon launches a run key once, whatever later ticks ask for.
    again = tick("add_new_clients", first.cursor)
    assert [r.run_key for r in again.run_requests] == [request.run_key]
    assert not again.dynamic_partitions_requests


def test_a_killed_first_import_is_started_again_without_anyones_help(
    tick: Tick, connect: Connect, home: Home, instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    client = connect()
    (request,) = tick("add_new_clients").run_requests
    run = instance.create_run_for_job(
        defs.resolve_job_def(request.job_name),
        status=dg.DagsterRunStatus.STARTED,
        tags={**request.tags, "dagster/partition": client},
    )
    Registry(home).update(client, state=State.IMPORTING)
    assert "under way" in tick("add_new_clients").skip_message
    instance.report_run_failed(run, "killed")
    assert "waits for its next try" in tick("add_new_clients").skip_message
    monkeypatch.setattr(first_imports, "utc_now", lambda: utc_now() + timedelta(minutes=3))
    (again,) = tick("add_new_clients").run_requests
    assert again.run_key != request.run_key
    assert again.partition_key == client
    home.client_file(client).touch()
    with client_lock(home, client, "synced"):  # somebody imports it from the command line
        assert not tick("add_new_clients").run_requests


def test_a_client_that_was_purged_and_connected_again_is_imported_at_once(
    tick: Tick, connect: Connect, home: Home, instance: dg.DagsterInstance
) -> None:
    client = connect()
    (request,) = tick("add_new_clients").run_requests
    run = instance.create_run_for_job(
        defs.resolve_job_def(request.job_name),
        status=dg.DagsterRunStatus.STARTED,
        tags={**request.tags, "dagster/partition": client},
    )
    instance.report_run_failed(run, "killed")
    assert "waits for its next try" in tick("add_new_clients").skip_message
    Registry(home).disconnect(client, purge=True)
    time.sleep(1.1)  # Dagster's moments are whole seconds
    assert connect() == client
    (again,) = tick("add_new_clients").run_requests
    assert again.run_key != request.run_key


def test_many_new_clients_share_runs(tick: Tick, connect: Connect) -> None:
    for number in range(FIRST_IMPORTS_IN_OWN_RUN + 25):
        connect(0, name=f"client-{number:03}")
    requests = tick("add_new_clients").run_requests
    assert [request.job_name for request in requests] == ["sync_due_clients"] * 2
    named = [c for r in requests for c in r.run_config["ops"]["bring_many"]["config"]["clients"]]
    assert len(set(named)) == len(named) == FIRST_IMPORTS_IN_OWN_RUN + 25


def test_a_partition_added_by_hand_waits_for_its_connection(
    tick: Tick, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions("client", ["by-hand"])
    data = tick("add_new_clients")
    assert not data.run_requests
    assert "by-hand" in data.skip_message
    assert instance.get_dynamic_partitions("client") == ["by-hand"]


def test_a_purged_client_loses_its_partition_and_a_kept_one_stays(
    tick: Tick, connect: Connect, home: Home
) -> None:
    purged, kept = connect(0, name="purged"), connect(1, name="kept")
    cursor = tick("add_new_clients").cursor
    home.client_file(kept).touch()
    for client in (purged, kept):
        Registry(home).disconnect(client, purge=False)
    (request,) = tick("add_new_clients", cursor).dynamic_partitions_requests
    assert isinstance(request, dg.DeleteDynamicPartitionsRequest)
    assert list(request.partition_keys) == [purged]


def test_due_clients_are_swept_together_and_one_sweep_at_a_time(
    tick: Tick, connect: Connect, home: Home, instance: dg.DagsterInstance
) -> None:
    registry = Registry(home)
    long_ago = utc_now() - timedelta(days=2)
    for number in (0, 1):
        registry.update(connect(number), last_attempt_at=long_ago, last_success_at=long_ago)
    (request,) = tick("sync_due_clients").run_requests
    clients = request.run_config["ops"]["bring_many"]["config"]["clients"]
    assert sorted(clients) == registry.names()
    job = defs.resolve_job_def("sync_due_clients")
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    busy = tick("sync_due_clients")
    assert not busy.run_requests
    assert "still running" in busy.skip_message


def test_when_the_hours_requests_are_spent_nobody_is_swept_until_the_next_hour(
    tick: Tick, connect: Connect, home: Home
) -> None:
    client = connect()
    long_ago = utc_now() - timedelta(days=2)
    Registry(home).update(
        client, state=State.UP_TO_DATE, last_attempt_at=long_ago, last_success_at=long_ago
    )
    key = Registry(home).connection(client).dev_key_hash
    SharedBudget(home.budget).spend_hour(key, is_login=False)
    spent = tick("sync_due_clients")
    assert not spent.run_requests
    assert "1 client is due, but the hour's 20,000 requests" in spent.skip_message


def test_when_nobody_is_due_the_sensor_says_so(tick: Tick, connect: Connect, home: Home) -> None:
    client = connect()
    now = utc_now()
    Registry(home).update(client, state=State.UP_TO_DATE, last_attempt_at=now,
                          last_success_at=now, last_whole_sync_at=now)  # fmt: skip
    data = tick("sync_due_clients")
    assert not data.run_requests
    assert "the news of 1 client a short while ago" in data.skip_message


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    received: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(json.loads(body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("BILL_PIPELINE_ALERT_WEBHOOK", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("BILL_PIPELINE_ALERT_HOSTS", "127.0.0.1")
    yield received
    server.shutdown()


def test_an_alert_is_sent_once_per_trouble_and_once_when_it_is_over(
    tick: Tick, connect: Connect, home: Home, webhook: list[dict[str, Any]]
) -> None:
    client = connect()
    registry = Registry(home)
    registry.update(client, state=State.RECONNECT, error="BILL refused it.", remedy="Reconnect.")
    cursor = tick("alert_on_failures").cursor
    cursor = tick("alert_on_failures", cursor).cursor
    assert len(webhook) == 1
    assert webhook[0]["clients"][0]["client"] == client
    assert "BILL refused it. Reconnect." in webhook[0]["text"]
    registry.update(client, state=State.UP_TO_DATE, error=None, remedy=None)
    tick("alert_on_failures", cursor)
    assert [body["recovered"] for body in webhook] == [[], [client]]


def test_an_alert_is_mailed_to_everyone_named(
    tick: Tick, connect: Connect, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[EmailMessage] = []

    class Server(smtplib.SMTP):
        def __init__(self, host: str, port: int, **_: Any) -> None:
            assert (host, port) == ("mail.example.com", 587)

        def starttls(self, **_: Any) -> Any:
            sent.append(EmailMessage())

        def login(self, user: str, password: str, **_: Any) -> Any:
            assert sent, "the password would have travelled in clear"
            assert (user, password) == ("robot", "p@ss")

        def send_message(self, mail: Any, **_: Any) -> Any:
            sent.append(mail)

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(smtplib, "SMTP", Server)
    monkeypatch.setenv("BILL_PIPELINE_ALERT_EMAIL", "books@example.com, boss@example.com")
    client = connect()
    Registry(home).update(client, state=State.RECONNECT, error="BILL refused it.")
    with pytest.raises(SettingsError, match="ALERT_SMTP_URL"):
        tick("alert_on_failures")
    monkeypatch.setenv("BILL_PIPELINE_ALERT_SMTP_URL", "smtp://robot:p%40ss@mail.example.com:587")
    tick("alert_on_failures")
    mail = sent[-1]
    assert mail["To"] == "books@example.com, boss@example.com"
    assert mail["Subject"] == "bill-pipeline: 1 failing"
    assert f"{client}: BILL refused it." in mail.get_content()


@pytest.mark.parametrize("address", ["http://127.0.0.1:{}/T0/s3cret", "http://127.0.0.1:x/s3cret"])
def test_the_secret_address_of_a_webhook_stands_in_no_tick(
    tick: Tick, connect: Connect, home: Home, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # it answers 501
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("BILL_PIPELINE_ALERT_WEBHOOK", address.format(server.server_port))
    monkeypatch.setenv("BILL_PIPELINE_ALERT_HOSTS", "127.0.0.1")
    Registry(home).update(connect(), state=State.RECONNECT, error="BILL refused it.")
    try:
        tick("alert_on_failures")
    except AlertNotSent:
        told = str(serializable_error_info_from_exc_info(sys.exc_info()))
    else:
        pytest.fail("nobody was told, and the tick says that somebody was")
    finally:
        server.shutdown()
    assert "BILL_PIPELINE_ALERT_WEBHOOK" in told
    assert "s3cret" not in told


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_mail_server_that_cannot_prove_its_name_gets_no_password(
    tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILL_PIPELINE_ALERT_HOSTS", "localhost")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    proof = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    proof.load_cert_chain(certificate, key)
    heard: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listening.accept()
                with contextlib.suppress(OSError):
                    _play_a_mail_server(caller, proof, heard, in_tls=scheme == "smtps")

    threading.Thread(target=serve, daemon=True).start()
    port = listening.getsockname()[1]
    address = SecretStr(f"{scheme}://robot:s3cret@localhost:{port}")
    with pytest.raises(AlertNotSent, match="SSL_CERT_FILE") as refused:
        _send_mail("a@example.com", address, "subject", "text")
    assert "s3cret" not in str(refused.value)
    assert not [line for line in heard if line.startswith(b"AUTH")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificate))  # the remedy
        _send_mail("a@example.com", address, "subject", "text")
    assert [line for line in heard if line.startswith(b"AUTH")]
    listening.close()


def _play_a_mail_server(
    caller: socket.socket, proof: ssl.SSLContext, heard: list[bytes], *, in_tls: bool
) -> None:
    answers = {b"STAR": b"220 go", b"AUTH": b"235 ok", b"DATA": b"354 go", b"QUIT": b"221 bye",
               b"EHLO": b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN"}  # fmt: skip
    if in_tls:
        caller = proof.wrap_socket(caller, server_side=True)
    caller.sendall(b"220 x\r\n")
    is_letter = False
    while line := _line(caller):
        heard.append(line)
        if is_letter and line != b".\r\n":
            continue
        caller.sendall(answers.get(line[:4].upper(), b"250 ok") + b"\r\n")
        is_letter = line.startswith((b"DATA", b"data"))
        if line.upper().startswith(b"STARTTLS"):
            caller = proof.wrap_socket(caller, server_side=True)


def _line(caller: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and (sign := caller.recv(1)):
        line += sign
    return line


def test_two_failures_are_weather_and_the_third_an_alert(
    tick: Tick, connect: Connect, home: Home, webhook: list[dict[str, Any]]
) -> None:
    client = connect()
    for count in (1, 2, 3):
        Registry(home).update(client, state=State.FAILING, failure_count=count, error="No.")
        tick("alert_on_failures")
        assert len(webhook) == (count == 3)


def test_a_stale_client_is_named_in_the_check(tick: Tick, connect: Connect, home: Home) -> None:
    fresh, stale = connect(0), connect(1)
    Registry(home).update(fresh, last_success_at=utc_now())
    Registry(home).update(stale, last_success_at=utc_now() - timedelta(hours=13))
    (evaluation,) = tick("watch_freshness").asset_events
    assert not evaluation.passed
    (record,) = evaluation.metadata["clients to look at"].records
    assert record.data["client"] == stale


def reported(instance: dg.DagsterInstance, events: list[Any]) -> None:
    """As the daemon does with what a sensor answers."""
    for event in events:
        instance.report_runless_asset_event(event)


def test_what_the_command_line_built_is_shown_once(
    tick: Tick, connect: Connect, run: Callable[..., Any], home: Home, instance: dg.DagsterInstance
) -> None:
    mine, runs_own = connect(0), connect(1)
    assert run(partition=runs_own).success
    bring_up_to_date(Registry(home), mine)
    publish(Registry(home), [mine])
    first = tick("show_what_others_built")
    assert {event.partition for event in first.asset_events} == {mine}
    reported(instance, first.asset_events)
    every_table = [key.replace(".", "/") for key in load_transforms()]
    for key in (*every_table, "raw/bills", "decisions/categories", "published/ledger"):
        shown = instance.get_materialized_partitions(dg.AssetKey(key.split("/")))
        assert shown >= {mine}, key
    assert tick("show_what_others_built", first.cursor).asset_events == []
    assert tick("show_what_others_built").asset_events == [], "also where the cursor was lost"
    bring_up_to_date(Registry(home), mine, SyncOptions(rebuild=True))
    assert tick("show_what_others_built", first.cursor).asset_events == [], "not published yet"
    publish(Registry(home), [mine])
    second = tick("show_what_others_built", first.cursor)
    reported(instance, second.asset_events)
    assert {event.partition for event in second.asset_events} == {mine}
    assert tick("show_what_others_built", second.cursor).asset_events == []
    bring_up_to_date(Registry(home), mine, SyncOptions(rebuild=True))
    publish(Registry(home), [mine])
    with client_lock(home, mine, "synced"):
        waiting = tick("show_what_others_built", second.cursor)
    assert waiting.asset_events == []
    assert tick("show_what_others_built", waiting.cursor).asset_events


def test_a_run_whose_process_died_is_marked_as_failed_and_a_living_one_is_not(
    tick: Tick, home: Home, instance: dg.DagsterInstance
) -> None:
    job = defs.resolve_job_def("sync_due_clients")
    dead, alive, starting = (
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED) for _ in range(3)
    )
    folder = home.dagster / "run_locks"
    folder.mkdir(parents=True)
    (folder / f"{dead.run_id}.lock").touch()
    with filelock.FileLock(folder / f"{alive.run_id}.lock"):
        tick("mend_dead_runs")
    states = [instance.get_run_by_id(run.run_id).status for run in (dead, alive, starting)]  # type: ignore[union-attr]
    started, failed = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE
    assert states == [failed, started, started]


def test_a_client_whose_import_was_killed_is_mended_and_one_at_work_is_not(
    tick: Tick, connect: Connect, home: Home
) -> None:
    killed, at_work = connect(0), connect(1)
    for client in (killed, at_work):
        Registry(home).update(client, state=State.IMPORTING, progress={"bills": 300})
    with client_lock(home, at_work, "synced"):
        message = tick("mend_dead_runs").skip_message
    assert "1 interrupted imports" in message
    assert Registry(home).status(killed).state is State.CONNECTED
    assert Registry(home).status(at_work).state is State.IMPORTING


def test_a_run_that_is_just_ending_is_not_taken_for_dead(home: Home) -> None:
    with run_locks.hold_run_lock(home, "run"):
        assert run_locks.is_alive(home, "run", started_at=0.0)
    assert run_locks.is_alive(home, "run", started_at=0.0)


def test_runs_are_forgotten_when_they_are_old_and_finished(
    tick: Tick, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = defs.resolve_job_def("sync_due_clients")
    done = instance.create_run_for_job(job, status=dg.DagsterRunStatus.SUCCESS)
    running = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert tick("forget_old_runs").skip_message == "No run is older than 62 days."
    monkeypatch.setattr(retention, "utc_now", lambda: utc_now() + timedelta(days=63))
    assert "1 runs older" in tick("forget_old_runs").skip_message
    assert [run.run_id for run in instance.get_runs()] == [running.run_id] != [done.run_id]


def test_what_a_sweep_only_published_is_told_of_too(
    tick: Tick, connect: Connect, run: Callable[..., Any], home: Home, instance: dg.DagsterInstance
) -> None:
    """The command line died between building and publishing; a run over others made up for it."""
    mine, runs_own = connect(0), connect(1)
    bring_up_to_date(Registry(home), mine)
    assert run("sync_due_clients", clients=[runs_own]).success
    told = tick("show_what_others_built")
    assert {event.partition for event in told.asset_events} == {mine}
    keys = {event.asset_key.to_user_string() for event in told.asset_events}
    assert {"raw/bills", "ledger/journal_lines", "published/ledger"} <= keys
