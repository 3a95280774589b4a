"""What did not change is linked into the next version; what analysts read is always the books."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bill_pipeline.publishing.contents import read_contents
from bill_pipeline.publishing.publish import publish, stage_version
from bill_pipeline.publishing.tables import published_schema
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.ledger.company import Company
from tests.ledger.lives import FIRST_SYNC
from tests.ledger.test_unchanged import bill
from tests.publish.publish_fixture import connect_clients

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4)]

HOUR = timedelta(hours=1)


class Thrifty(Company):
    """Builds only what would come out differently, as a sync does."""

    reuse = True


@contextmanager
def books(home: Home) -> Iterator[Thrifty]:
    with Warehouse.open(Registry(home), "acme") as warehouse:
        yield Thrifty(warehouse)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One connected client with three bills, published; each test goes on from the last one."""
    home = Home.at(tmp_path_factory.mktemp("kept") / "home")
    connect_clients(home, ["acme"])
    with books(home) as company:
        for number in range(3):
            company.put("bills", bill(number, 10.0), FIRST_SYNC)
        company.sync(FIRST_SYNC)
    publish(Registry(home), ["acme"])
    return home


def add_bill(home: Home) -> None:
    with books(home) as company:
        number = len(company.rows("select distinct id from raw.document_versions"))
        company.put("bills", bill(number, 25.0), FIRST_SYNC + number * HOUR)
        company.sync(FIRST_SYNC + number * HOUR)


def files(home: Home) -> dict[str, Path]:
    """The current version's file of each table."""
    version = read_contents(home).current["acme"]
    return {
        table.table: home.published / table.table / "client=acme" / f"{version.number}.parquet"
        for table in version.tables
    }


def linked(before: dict[str, Path], after: dict[str, Path]) -> set[str]:
    return {table for table in after if before[table].samefile(after[table])}


def alter(path: Path, place: str) -> None:
    """Damage the file without a change of its length or its end."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size - 8)
        footer = int.from_bytes(file.read(4), "little")
        file.seek(size - 8 - footer // 2 if place == "footer" else 8)
        file.write(b"\xff" * 16)


def differing(home: Home) -> list[str]:
    """The published tables that are not what the client's file has."""
    found = []
    with books(home) as company, duckdb.connect(str(home.ledger), read_only=True) as ledger:
        for table in published_schema().tables:
            shown = ledger.execute(f"select * exclude (client) from {table.name}").fetchall()
            if sorted(shown, key=repr) != sorted(company.rows(f"from {table.source}"), key=repr):
                found.append(table.name)
    return found


def test_a_new_bill_writes_what_it_changed_and_links_the_rest(home: Home) -> None:
    first = files(home)
    assert differing(home) == []
    add_bill(home)
    report = publish(Registry(home), ["acme"])
    second = files(home)
    assert {"documents", "trial_balance", "journal_lines"}.isdisjoint(linked(first, second))
    assert {"parties", "receivables_aging", "accounts"} <= linked(first, second)
    assert differing(home) == []
    version = read_contents(home).current["acme"]
    rows = sum(duckdb.read_parquet(str(path)).shape[0] for path in second.values())
    assert report.published == {"acme": rows}
    assert version.row_count == rows


def test_collecting_a_version_leaves_what_later_ones_share(home: Home) -> None:
    for _ in range(2):
        add_bill(home)
        publish(Registry(home), ["acme"], grace=timedelta(0))
    publish(Registry(home), [], grace=timedelta(0))
    assert len(list(home.published.rglob("*.parquet"))) == len(files(home))
    assert differing(home) == []


def test_a_file_that_was_cut_off_is_written_anew(home: Home) -> None:
    first = files(home)
    damaged = first["parties"]
    os.truncate(damaged, damaged.stat().st_size // 2)
    publish(Registry(home), ["acme"])
    assert "parties" not in linked(first, files(home))
    assert differing(home) == []


@pytest.mark.parametrize("place", ["rows", "footer"])
@pytest.mark.parametrize("clients", [["acme"], []])
def test_a_file_altered_at_equal_length_is_written_anew_and_said_once(
    home: Home, caplog: pytest.LogCaptureFixture, place: str, clients: list[str]
) -> None:
    """By a publication of the client, and by one of anybody else."""
    first = files(home)
    for table in ("parties", "trial_balance"):  # one that may be linked, one that is written
        alter(first[table], place)
    publish(Registry(home), clients)
    assert len([r for r in caplog.records if "damaged" in r.message]) == 1
    assert not {"parties", "trial_balance"} & linked(first, files(home))
    assert differing(home) == []


def test_a_file_altered_while_its_tables_were_staged_is_not_linked_on(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    alter(files(home)["parties"], "rows")
    with books(home) as company:
        version = stage_version(home, "acme", company.connection)
    assert version
    assert len([r for r in caplog.records if "damaged" in r.message]) == 1
    publish(Registry(home), ["acme"], written=[version])
    assert differing(home) == []


def test_anew_writes_every_table(home: Home) -> None:
    first = files(home)
    publish(Registry(home), ["acme"])
    second = files(home)
    assert len(linked(first, second)) > 30
    publish(Registry(home), ["acme"], anew=True)
    assert linked(second, files(home)) == set()
    assert differing(home) == []


@pytest.mark.parametrize("note", [b"", b"[]", b'{"number": 1}', b'{"tables": {"parties": [1]}}'])
def test_a_strange_note_is_no_note(home: Home, note: bytes) -> None:
    (path,) = (home.published / ".kept").iterdir()
    path.write_bytes(note)
    first = files(home)
    publish(Registry(home), ["acme"])
    assert linked(first, files(home)) == set()
    assert differing(home) == []


def test_where_nothing_can_be_linked_everything_is_written(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    first = files(home)
    publish(Registry(home), ["acme"])
    assert linked(first, files(home)) == set()
    assert differing(home) == []


def test_other_code_links_nothing_that_was_written_before(home: Home) -> None:
    first = files(home)
    publish(Registry(home), ["acme"], schema=replace(published_schema(), code="other"))
    assert linked(first, files(home)) == set()
