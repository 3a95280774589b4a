"""What goes wrong stays small: clear errors, quarantine, resumption, and books that stay good."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bill_pipeline.bill import errors
from bill_pipeline.bill.errors import BillError
from tests.imports.books import Client
from tests.imports.conftest import MakeClient

pytestmark = pytest.mark.rotating(days=16)

ROOT = Path(__file__).parents[2]


def archived(client: Client) -> list[tuple[object, ...]]:
    return client.query("select count(*), max(seen_at) from raw.document_versions")


@pytest.mark.parametrize(
    ("break_it", "kind", "words"),
    [
        ("password", errors.LoginRefused, "Make a new token in BILL"),
        ("organization", errors.UnknownOrganization, "Check the organization id"),
        ("dev_key", errors.DeveloperKeyRefused, "BILL_PIPELINE_DEV_KEY"),
        ("down", errors.BillUnavailable, "Check the network"),
    ],
)
def test_a_connection_that_cannot_work_says_so_and_the_last_books_stay(
    client: Client, break_it: str, kind: type[errors.BillError], words: str
) -> None:
    client.sync()
    before = archived(client)
    good = client.connection
    update = {
        "password": {"token_password": type(good.token_password)("wrong")},
        "organization": {"organization_id": "00801ZZZZZZZZZZZZZZZ"},
        "dev_key": {"dev_key": type(good.dev_key)("wrong")},
        "down": {"base_url": "http://127.0.0.1:9/connect", "v2_url": "http://127.0.0.1:9/api/v2"},
    }[break_it]
    client.connection = good.model_copy(update=update)
    client.sandbox.control.reset_statistics()
    with pytest.raises(kind, match=words) as caught:
        client.sync()
    assert client.name in str(caught.value)
    assert archived(client) == before
    logins = sum(client.sandbox.control.statistics()["logins_per_hour"].values())
    assert logins <= 3
    client.connection = good
    client.sync()
    assert client.differences() == {}


def test_a_malformed_page_is_an_error_that_names_the_list_and_archives_nothing(
    client: Client,
) -> None:
    client.sync()
    before = archived(client)
    client.live(30)
    client.sandbox.control.faults([{"kind": "invalid_json", "match": "v3/payments"}])
    with pytest.raises(errors.MalformedAnswer, match=rf"^{client.name}: .*\(payments\)"):
        client.sync()
    assert archived(client) == before
    client.sandbox.control.faults([])
    client.sync()
    assert client.differences() == {}


def test_one_forbidden_list_is_left_out_and_the_others_are_read(make_client: MakeClient) -> None:
    client = make_client(token_denied_lists=["vendor-credits"])
    report = client.sync()
    assert "permission" in report.skipped_lists["vendor_credits"]
    assert set(client.differences()) == {"vendor_credits"}
    client.sandbox.control.switches(token_denied_lists=[])
    client.sync()
    assert client.differences() == {}


@pytest.mark.parametrize(
    "refusal",
    [
        {"kind": "forbidden"},
        {"kind": "error", "status": 404, "code": "BDC_1205"},
        {"kind": "error", "status": 400, "code": "BDC_1171"},
        {"kind": "error", "status": 422, "code": "BDC_1171"},
    ],
    ids=["403", "404", "400", "422"],
)
def test_a_refused_list_stops_nobody_and_is_remembered_until_it_can_be_read(
    client: Client, refusal: dict[str, object]
) -> None:
    missing = (
        "select list from raw.list_refusals group by list "
        "having arg_max(is_refused, (seen_at, rowid))"
    )
    refusals = [{**refusal, "match": "v3/payments"}, {**refusal, "match": "v3/users"}]
    client.sandbox.control.faults(refusals)
    report = client.sync()
    assert {"payments", "users"} <= set(report.skipped_lists)
    assert report.lists_missing == ["payments"]  # no amount depends on who uses BILL
    assert "payments" in report.what_is_missing
    assert report.refuses_others
    assert client.query(missing) == [("payments",)]
    assert not client.sync().refuses_others
    client.sandbox.control.faults([])
    report = client.sync()
    assert report.refuses_others
    assert report.lists_missing == []
    assert client.query(missing) == []
    assert client.differences() == {}


def test_without_any_list_of_documents_there_are_no_books(client: Client) -> None:
    client.sandbox.control.faults([{"kind": "forbidden", "match": "v3/"}])
    with pytest.raises(errors.PermissionMissing, match=rf"^{client.name}: "):
        client.sync()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "missing_field", "field": "vendorId"}, "the field vendorId is missing"),
        ({"kind": "type_drift", "field": "amount"}, "the field amount is not a number: object"),
    ],
)
def test_a_document_that_cannot_be_read_waits_in_quarantine_and_heals_by_itself(
    client: Client, fault: dict[str, object], reason: str
) -> None:
    client.sandbox.control.faults([{**fault, "match": "v3/bills$", "times": 1}])
    report = client.sync()
    assert report.archive.quarantined == {"bills": 1}
    found = client.query("select list, id, reason, first_seen_at, healed_at from raw.quarantine")
    assert found[0][0] == "bills"
    assert found[0][2:] == (reason, client.as_of.replace(tzinfo=None), None)
    bill_id = found[0][1]
    in_force = (
        f"select count(*) from raw.document_versions where list = 'bills' and id = '{bill_id}'"
    )
    assert client.query(in_force) == [(0,)]
    report = client.sync()
    assert report.archive.healed == {"bills": 1}
    assert client.query(in_force) == [(1,)]
    assert client.differences() == {}
    assert client.sync().changed == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dueDate": "2024-02-30"}, "the field dueDate is no day, year first: 2024-02-30"),
        ({"dueDate": "0000-00-00"}, "the field dueDate is no day, year first: 0000-00-00"),
        (
            {"invoice": {"invoiceDate": "03/04/2024"}},
            "the field invoice.invoiceDate is no day, year first: 03/04/2024",
        ),
        ({"amount": 1e15}, "the field amount is no number below 10^15: 1000000000000000.0"),
        ({"amount": "NaN"}, "the field amount is no number below 10^15: NaN"),
        (
            {"billLineItems": [None, {"amount": "1,5"}]},
            "the field billLineItems.amount is no number below 10^15: 1,5",
        ),
    ],
)
def test_an_impossible_value_sets_its_document_aside_alone(
    client: Client, change: dict[str, object], reason: str
) -> None:
    bills, clock = client.organization["bills"], client.sandbox.state.clock
    count = len(bills)
    clock.step_ms(86_400_000)
    bills.replace(bills.at(0) | change, clock.stamp_ms())
    client.sync()
    found = client.query("select reason from raw.quarantine where list = 'bills'")
    assert found == [(reason,)]
    read = "select count(*) from raw.document_versions where list = 'bills'"
    assert client.query(read) == [(count - 1,)]


def test_numbers_sent_as_text_are_read_alike_in_headers_and_lines(client: Client) -> None:
    bills, clock = client.organization["bills"], client.sandbox.state.clock
    clock.step_ms(86_400_000)
    line = {"id": "1", "amount": "12.50"}
    bills.replace(bills.at(0) | {"amount": "12.50", "billLineItems": [line]}, clock.stamp_ms())
    client.sync()
    assert client.query("select list, reason from raw.quarantine") == []


def test_what_a_sync_that_died_left_unreadable_heals_in_the_next(client: Client) -> None:
    """Its cursor has passed the document, and no quarantine knows of it yet."""
    fault = {"kind": "missing_field", "field": "name", "match": "v3/vendors$", "times": 1}
    down = {"kind": "error", "status": 500, "match": "v3/bills", "rate": 1.0}
    client.sandbox.control.faults([fault, down])
    with pytest.raises(BillError):
        client.sync(documents_per_chunk=10)
    nameless = "select count(*) from raw.vendors where json_extract(document, '$.name') is null"
    assert client.query(nameless) == [(1,)]
    assert client.query("select count(*) from raw.quarantine") == [(0,)]
    client.sandbox.control.faults([])
    client.sync()
    assert client.differences() == {}
    assert client.query("select count(*) from raw.quarantine where healed_at is null") == [(0,)]


def test_the_last_good_version_stays_in_force_while_its_successor_is_unreadable(
    client: Client,
) -> None:
    client.sync()
    bills, clock = client.organization["bills"], client.sandbox.state.clock
    bill = bills.at(0)
    clock.step_ms(86_400_000)
    bills.replace(bill | {"amount": "twelve"}, clock.stamp_ms())
    client.sync()
    last = f"select count(*), max(version) from raw.document_versions where id = '{bill['id']}'"
    assert client.query(last + " and list = 'bills'") == [(1, 1)]
    clock.step_ms(86_400_000)
    bills.replace(bill | {"amount": 12.0}, clock.stamp_ms())
    client.sync()
    assert client.query(last + " and list = 'bills'") == [(2, 2)]
    assert client.query("select count(*) from raw.quarantine where healed_at is null") == [(0,)]


def test_a_new_field_is_kept_and_reported_once(client: Client) -> None:
    client.sync()
    bills, clock = client.organization["bills"], client.sandbox.state.clock
    for position in (0, 1):
        clock.step_ms(86_400_000)
        bills.replace(bills.at(position) | {"carbonFootprint": 1.5}, clock.stamp_ms())
        report = client.sync()
        assert report.archive.unknown_fields == (["bills.carbonFootprint"] if not position else [])
    kept = "select count(*) from raw.bills where document->>'carbonFootprint' = '1.5'"
    assert client.query(kept) == [(2,)]


_IMPORT = """
import os, sys
from pathlib import Path
from pydantic import SecretStr
from datetime import datetime, UTC
from bill_pipeline.ingest import loader
from bill_pipeline.ingest import loading
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.connection import Connection

chunks, kill_after, moment = 0, int(os.environ["KILL_AFTER"]), os.environ["KILL_MOMENT"]
load = loader.Loader.load

def killed_load(self, documents):
    global chunks
    chunks += 1
    if chunks == kill_after and moment == "before":
        os.kill(os.getpid(), 9)
    if chunks == kill_after and moment == "extracted":
        from bill_pipeline.bill.source import source_of
        pipeline = self._pipeline or self._new_pipeline()
        pipeline.extract(source_of(documents), loader_file_format="parquet")
        os.kill(os.getpid(), 9)
    load(self, documents)
    if chunks == kill_after and moment == "after":
        os.kill(os.getpid(), 9)

loader.Loader.load = killed_load
folder = Path(os.environ["FOLDER"])
connection = Connection.model_validate_json(sys.stdin.read())
with BillApi(connection, client=os.environ["CLIENT"]) as api:
    loading.load_lists(api, database=folder / f"{api.client}.duckdb", dlt_folder=folder / "dlt",
        as_of=datetime(2026, 7, 1, tzinfo=UTC), documents_per_chunk=200)
"""


def import_and_die(client: Client, kill_after: int, moment: str) -> None:
    connection = client.connection.model_dump()
    for secret in ("token_password", "dev_key"):
        connection[secret] = connection[secret].get_secret_value()
    import orjson

    done = subprocess.run(
        [sys.executable, "-c", _IMPORT],
        input=orjson.dumps(connection),
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "FOLDER": str(client.folder),
            "CLIENT": client.name,
            "KILL_AFTER": str(kill_after),
            "KILL_MOMENT": moment,
        },
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "extracted", "after"])
@pytest.mark.parametrize("kill_after", [2, 5])
def test_a_killed_first_import_continues_without_hole_or_repetition(
    make_client: MakeClient, kill_after: int, moment: str
) -> None:
    client = make_client(documents=1500)
    import_and_die(client, kill_after, moment)
    pages_before = client.sandbox.control.statistics()["requests"]
    client.sandbox.control.reset_statistics()
    client.sync(documents_per_chunk=200)
    assert client.differences() == {}
    assert client.query("select max(version) from raw.document_versions") == [(1,)]
    whole = make_client(documents=1500)
    whole.folder = client.folder / "whole"
    whole.folder.mkdir()
    whole.database = whole.folder / "whole.duckdb"
    whole.sync(documents_per_chunk=200)
    rest = client.sandbox.control.statistics()["requests"]
    in_one_go = whole.sandbox.control.statistics()["requests"]
    # The interrupted chunk is read again, and every list once more from its end to now.
    assert pages_before + rest <= in_one_go + 60


@pytest.mark.slow
def test_a_lost_working_folder_costs_nothing_but_a_look_into_the_file(client: Client) -> None:
    import shutil

    client.sync()
    shutil.rmtree(client.folder / "dlt")
    client.live(20)
    report = client.sync()
    assert report.documents["bills"] < len(client.raw("bills"))
    assert client.differences() == {}
