"""The main job as a user runs it: connect, sync, query; again; after changes; and in trouble."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from bill_pipeline.ingest import loading
from bill_pipeline.ingest.raw import open_client_file
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home
from tests.journey.firm import Firm

pytestmark = pytest.mark.rotating(days=8)


@pytest.mark.rotating(days=1)
def test_a_client_is_connected_imported_booked_and_published(synced: Firm) -> None:
    (balance,) = synced.query("select sum(debit) - sum(credit) as difference from trial_balance")
    assert float(balance["difference"]) == 0
    bills = synced.sandbox.state.organization(synced.client)["bills"]
    (documents,) = synced.query("select count(*) as n from documents where document_type = 'bill'")
    assert documents["n"] == len(bills)
    (status,) = synced.query("from sync_status")
    assert status["state"] == "up_to_date"


def test_open_payables_agree_with_bill(synced: Firm) -> None:
    bills = synced.sandbox.state.organization(synced.client)["bills"]
    due = sum(
        round(100 * (bill["dueAmount"] + bill["scheduledAmount"]))
        for bill in (bills.at(position) for position in range(len(bills)))
        if not bill["archived"]
    )
    (open_bills,) = synced.query(
        "select sum(amount_open) as amount from documents where document_type = 'bill'"
    )
    assert round(100 * float(open_bills["amount"])) == due


def test_a_second_sync_without_changes_writes_nothing(synced: Firm) -> None:
    before = synced.counts()
    result = synced.run("sync", synced.client)
    assert "nothing changed" in result.output
    assert synced.counts() == before


def test_changed_bills_and_nothing_else_arrive(synced: Firm) -> None:
    versions = synced.counts()[0]
    changed = synced.sandbox.control.change(synced.client, count=100)
    assert synced.run("sync", synced.client).exit_code == 0
    with duckdb.connect(str(synced.home.client_file(synced.client)), read_only=True) as books:
        new = books.execute(
            "select distinct id from raw.document_versions where version > 1 and list = 'bills'"
        ).fetchall()
    assert {row[0] for row in new} == set(changed)
    with duckdb.connect(str(synced.home.client_file(synced.client)), read_only=True) as books:
        others = books.execute(
            "select list, count(*) from raw.document_versions where version > 1 and list not in "
            "('bills', 'bill_details', 'bill_approvers') group by list"
        ).fetchall()
    assert others == []
    assert synced.counts()[0] > versions


def test_what_a_later_sync_loads_can_leave_memory(
    synced: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the sync may hold a transaction open while its import writes."""

    def must_write(database: Path) -> None:
        with open_client_file(database) as connection:
            connection.execute("checkpoint")

    monkeypatch.setattr(loading, "DOCUMENTS_WORTH_PAGES", 1)
    monkeypatch.setattr(loading, "put_into_pages", must_write)
    synced.sandbox.control.change(synced.client, count=3)
    result = synced.run("sync", synced.client)
    assert result.exit_code == 0, result.output


def test_a_person_corrects_a_line_and_the_answer_survives_a_rebuild(
    synced: Firm, tmp_path: Path
) -> None:
    file = tmp_path / "review.csv"
    assert synced.run("review", "--export", str(file)).exit_code == 0
    rows = file.read_text(encoding="utf-8").splitlines()
    assert len(rows) > 1, "this seed leaves lines to review"
    names = rows[0].split(",")
    first = rows[1].split(",")
    (rent,) = synced.query("select account_id from accounts where account_name = 'Rent'")
    answer = dict.fromkeys(names, "") | dict(zip(names[:4], first[:4], strict=True))
    answer["account"] = rent["account_id"]
    file.write_text(",".join(names) + "\n" + ",".join(answer.values()) + "\n", encoding="utf-8")
    result = synced.run("correct", str(file), "--by", "a bookkeeper")
    assert result.exit_code == 0, result.output
    line = f"select account_name, category_source from transactions where line_id = '{first[3]}'"
    expected = [{"account_name": "Rent", "category_source": "person"}]
    assert synced.query(line) == expected
    result = synced.run("sync", synced.client, "--rebuild")
    assert result.exit_code == 0, result.output
    assert synced.query(line) == expected


def test_a_client_without_books_cannot_be_closed(firm: Firm) -> None:
    assert firm.connect().exit_code == 0
    result = firm.run("close", firm.client, "2026-01", "--anyway")
    assert result.exit_code == 1
    assert f"bill-pipeline sync {firm.client}" in result.output


def test_only_months_that_are_over_can_be_closed(synced: Firm) -> None:
    result = synced.run("close", synced.client, "2199-01", "--anyway")
    assert result.exit_code == 1
    assert "not over" in result.output
    assert synced.run("close", synced.client, "2026-01", "--anyway").exit_code == 0
    assert synced.query("select closed_through from books") == [{"closed_through": "2026-01-31"}]


def test_the_books_name_their_organization(synced: Firm) -> None:
    expected = synced.sandbox.companies[0].organization_id
    assert synced.query("select organization_id from books") == [{"organization_id": expected}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sync", "--all", "--full", "--rebuild"], "--rebuild imports nothing"),
        (["sync", "--all", "--since", "2199-01-01"], "future"),
        (["sync"], "--all"),
        (["close", "nobody", "2026-01"], "bill-pipeline connect nobody"),
        (["close", "nobody", "january"], "YYYY-MM"),
        (["correct", "no-such-file.csv"], "cannot be read"),
        (["train", "nobody"], "bill-pipeline connect nobody"),
        (["demo", "--companies", "0"], "--companies"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_that_makes_no_sense_says_so(firm: Firm, words: list[str], said: str) -> None:
    result = firm.run(*words)
    assert result.exit_code in (1, 2)
    assert said in result.output
    assert isinstance(result.exception, SystemExit), "an error for a person, not a traceback"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "not-the-password"}, ["Make a new token", "connect"]),
        ({"organization_id": "00802NOSUCHNOSUCHno01"}, ["organization"]),
        ({"environment": "http://127.0.0.1:9"}, ["127.0.0.1"]),
        ({"environment": "prodcution"}, ["'production', 'sandbox'"]),
    ],
    ids=["wrong token", "unknown organization", "sandbox down", "unknown environment"],
)
def test_a_connection_that_cannot_work_is_refused_with_the_remedy(
    firm: Firm, changes: dict[str, str], words: list[str]
) -> None:
    result = firm.connect(**changes)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert all(word in result.output for word in words), result.output
    assert Registry(firm.home).names() == []
    assert firm.sandbox.companies[0].token_password not in result.output


def test_trouble_keeps_the_last_good_books(synced: Firm) -> None:
    before = synced.query("from trial_balance order by account_id")
    synced.sandbox.control.change(synced.client, count=3)
    synced.sandbox.control.faults([{"kind": "invalid_json", "match": "/v3/bills", "rate": 1.0}])
    result = synced.run("sync", synced.client)
    assert result.exit_code == 1
    assert synced.client in result.output
    assert "last good books stay" in result.output
    status = Registry(synced.home).status(synced.client)
    assert status.state is State.FAILING
    assert synced.query("from trial_balance order by account_id") == before
    synced.sandbox.control.faults([])
    assert synced.run("sync", synced.client).exit_code == 0
    assert Registry(synced.home).status(synced.client).state is State.UP_TO_DATE


def test_a_revoked_token_stops_the_client_until_it_is_connected_again(synced: Firm) -> None:
    synced.sandbox.control.revoke_token(synced.client)
    assert synced.run("sync", synced.client).exit_code == 1
    assert Registry(synced.home).status(synced.client).state is State.RECONNECT
    requests = synced.sandbox.control.statistics()
    again = synced.run("sync", synced.client)
    assert again.exit_code == 1
    assert "connect" in again.output
    assert synced.sandbox.control.statistics() == requests, "a refused token was tried again"


@pytest.mark.slow
def test_readers_are_never_locked_out_while_ten_clients_are_imported(tmp_path: Path) -> None:
    with SandboxServer(companies=10, documents=120, seed=5) as sandbox:
        firm = Firm(sandbox, tmp_path / "home")
        for number in range(10):
            assert firm.connect(number).exit_code == 0
        assert firm.run("sync", sandbox.companies[0].client).exit_code == 0
        done = threading.Event()
        answers: list[tuple[int, str]] = []
        reader = threading.Thread(target=read_until, args=(firm.home, done, answers))
        reader.start()
        try:
            result = firm.run("sync", "--all")
        finally:
            done.set()
            reader.join()
        assert result.exit_code == 0, result.output
        assert len(answers) >= 3
        assert [text for code, text in answers if code != 0] == []
        (clients,) = firm.query("select count(distinct client) as n from trial_balance")
        assert clients["n"] == 10


def read_until(home: Home, done: threading.Event, answers: list[tuple[int, str]]) -> None:
    """Ask in other processes, by our command and by plain DuckDB in turn."""
    sql = "select client, sum(debit) - sum(credit) from trial_balance group by client"
    plain = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); "
        "assert all(d == 0 for _, d in c.execute(sys.argv[2]).fetchall())"
    )
    program = Path(sys.executable).with_name("bill-pipeline")
    commands = [
        [str(program), "query", sql, "--home", str(home.path)],
        [sys.executable, "-c", plain, str(home.ledger), sql],
    ]
    while not done.is_set():
        for command in commands:
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            answers.append((ended.returncode, ended.stderr))
