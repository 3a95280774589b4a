"""Homes made by every release so far, opened, synced and rebuilt by the code of the day."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from bill_pipeline.cli import main
from bill_pipeline.pipeline.steps import LAYERS
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.registry.registry_file import HOME_VERSION
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.transforms import load_transforms
from tests.upgrades.archived_bill import ArchivedBill

pytestmark = pytest.mark.rotating(days=8)

FOLDER = Path(__file__).parent
HOMES = sorted((FOLDER / "homes").glob("*.tar.xz"))
CHANGELOG = (FOLDER.parent.parent / "CHANGELOG.md").read_text(encoding="utf-8")
#: Columns that every release has; later ones add some.
ENTRIES = """
select entry_id, document_type, document_id, event, ordinal, entry_kind, date, posted_at
from ledger.journal_entries order by entry_id
"""
LINES = """
select line_id, date, account_id, amount, currency, amount_currency, party_id, open_item_id
from ledger.journal_lines order by line_id
"""


class OldHome:
    """A home of a release, with its documents to be had from a BILL once more."""

    def __init__(self, home: Home, bill: ArchivedBill) -> None:
        self.home = home
        self.bill = bill
        (self.client,) = Registry(home).syncable()

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(
            main, [*words, "--home", str(self.home.path)], env={"BILL_PIPELINE_DEV_KEY": "a key"}
        )

    def query(self, sql: str) -> list[dict[str, Any]]:
        result = self.run("query", sql, "--format", "json")
        assert result.exit_code == 0, result.output
        return json.loads(result.output)  # type: ignore[no-any-return]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        path = str(self.home.client_file(self.client))
        with duckdb.connect(path, read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(params=HOMES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OldHome]:
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    (file,) = (tmp_path / "clients").glob("*.duckdb")
    with contextlib.closing(sqlite3.connect(tmp_path / "registry.sqlite")) as registry, registry:
        (organization,) = registry.execute("select organization_id from clients").fetchone()
    with ArchivedBill(file, organization) as bill:
        with contextlib.closing(sqlite3.connect(tmp_path / "registry.sqlite")) as db, db:
            db.execute(
                "update clients set environment = ?, base_url = ?, v2_url = ?",
                [bill.root, f"{bill.root}/connect", f"{bill.root}/api/v2"],
            )
            db.execute("delete from sessions")
        yield OldHome(Home.at(tmp_path), bill)


def test_analysts_read_an_old_ledger_before_anything_is_synced(old: OldHome) -> None:
    (total,) = old.query("select count(*) as n, sum(balance) as total from trial_balance")
    assert total["n"] > 5
    assert float(total["total"]) == 0
    ((client,),) = (row.values() for row in old.query("select distinct client from accounts"))
    now = old.query("select account_id, account_type, balance from trial_balance order by all")
    of_day = f"select account_id, account_type, balance from trial_balance_at('{client}')"
    assert old.query(f"{of_day} order by all") == now
    # What it published nothing of was what it was last.
    last = "known_at := timestamp '9999-01-01'"
    for macro, columns in (
        ("balance_sheet_at", "account_id, account_type, amount"),
        ("open_items_at", "control, document_id, number, party, due_date, amount_open"),
        ("payables_aging_at", "*"),
        ("vendor_spend_between", "party_id, party, month, account_id, amount"),
        ("form_1099_totals_at", "party, year, amount, is_reportable"),
    ):
        rows = f"select {columns} from {macro}('{client}'{{}}) order by all"
        day = "" if "between" in macro else ", (select known_until::date from books)"
        of_last = rows.format(f"{day}, {last}")
        assert old.query(of_last) == old.query(rows.format("")), macro


def test_an_old_home_is_synced_rebuilt_and_keeps_what_it_posted(old: OldHome) -> None:
    entries, lines = old.rows(ENTRIES), old.rows(LINES)
    closed = "select sum(amount) filter (where debit > 0), count(*) from ledger.journal_lines {}"
    in_closed = closed.format("where date <= (select closed_through from ledger.books)")
    before = old.rows(in_closed)
    shown = old.run("sync", old.client, "--dry-run", "--json")
    assert shown.exit_code == 0, shown.output
    would = {line["entry_id"] for line in json.loads(shown.output)["would_be_posted"]}
    result = old.run("sync", old.client)
    assert result.exit_code == 0, result.output
    assert Registry(old.home).status(old.client).state is State.UP_TO_DATE
    after = old.rows(ENTRIES)
    assert set(entries) <= set(after)
    assert set(lines) <= set(old.rows(LINES))
    assert {row[0] for row in set(after) - set(entries)} == would
    assert old.rows(in_closed) == before
    causes = "select distinct cause from ledger.journal_entries where entry_id = any(?)"
    with duckdb.connect(str(old.home.client_file(old.client)), read_only=True) as connection:
        assert set(connection.execute(causes, [sorted(would)]).fetchall()) <= {
            ("posting rules changed",)
        }
        tables = (
            "select distinct concat(table_schema, '.', table_name) from information_schema.tables"
        )
        of_layers = f"{tables} where table_schema in (select unnest(?::varchar[]))"
        found = {name for (name,) in connection.execute(of_layers, [list(LAYERS)]).fetchall()}
        kept = {key for key, t in load_transforms().items() if t.materialize != "temporary"}
        assert found == kept, "nothing is left over of an earlier release"
    rebuilt = old.run("sync", old.client, "--rebuild")
    assert rebuilt.exit_code == 0, rebuilt.output
    assert old.rows(ENTRIES) == after
    (total,) = old.query("select sum(balance) as total from trial_balance")
    assert float(total["total"]) == 0


def test_what_bill_changes_after_the_upgrade_reaches_an_old_home(old: OldHome) -> None:
    assert old.run("sync", old.client).exit_code == 0
    bill = next(
        document
        for document in old.bill.documents["bills"].values()
        if document["paymentStatus"] == "UNPAID" and not document.get("archived")
    )
    line = bill["billLineItems"][0]
    line["amount"] = round(line["amount"] + 7, 2)
    for name in ("amount", "fundingAmount", "dueAmount"):
        if name in bill:
            bill[name] = round(bill[name] + 7, 2)
    old.bill.touch(bill)
    result = old.run("sync", old.client)
    assert result.exit_code == 0, result.output
    (document,) = old.query(f"select amount from documents where document_id = '{bill['id']}'")
    assert round(float(document["amount"]), 2) == bill["amount"]


def test_a_home_of_newer_code_is_refused_in_one_sentence(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    Registry(home)
    with contextlib.closing(sqlite3.connect(home.registry)) as db:
        db.execute(f"pragma user_version = {HOME_VERSION + 1}")
    result = CliRunner().invoke(main, ["clients", "--home", str(tmp_path)])
    assert result.exit_code == 1
    assert len(result.output.strip().splitlines()) == 1
    assert "newer release" in result.output
    assert "Traceback" not in result.output


def test_every_release_of_the_changelog_has_a_home(request: pytest.FixtureRequest) -> None:
    released = re.findall(r"^## (\d+\.\d+\.\d+)", CHANGELOG, re.M)
    assert released
    assert [path.name.removesuffix(".tar.xz") for path in HOMES] == sorted(released)
