"""A shared folder has all of one client's books and not a byte of anybody else's."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from bill_pipeline.cli import main
from bill_pipeline.exports.parquet import published_tables
from bill_pipeline.exports.share import ShareRefused, write_share
from bill_pipeline.registry.client_errors import UnknownClient
from bill_pipeline.settings import Home


@pytest.fixture(scope="module")
def folder(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_share(home, "cafe", tmp_path_factory.mktemp("share") / "cafe").folder


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(folder / "ledger.duckdb"), read_only=True)


@pytest.mark.slow
def test_every_table_has_the_clients_rows(folder: Path, ledger: duckdb.DuckDBPyConnection) -> None:
    with opened(folder) as shared:
        for table in published_tables(ledger):
            ours = f"select * from {table} where client = 'cafe' order by all"
            assert shared.execute(ours).fetchall() == ledger.execute(ours).fetchall()
            assert shared.execute(f"select distinct client from {table}").fetchall() in (
                [("cafe",)],
                [],
            )


@pytest.mark.slow
def test_nothing_of_other_clients_is_in_any_byte(folder: Path, home: Home) -> None:
    with duckdb.connect(str(home.client_file("bakery")), read_only=True) as books:
        sql = "select entry_id from ledger.journal_entries"
        entry_ids = [row[0] for row in books.execute(sql).fetchall()]
    names = [b"bakery", b"of company 1", *(entry_id.encode() for entry_id in entry_ids)]
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [name for name in names if name in content], path


def test_nothing_of_other_clients_is_in_any_cell(folder: Path) -> None:
    # Beside the bytes, because compressed text does not show there.
    text = {
        table.stem: str(duckdb.sql(f"from '{table}'").fetchall())
        for table in (folder / "tables").glob("*.parquet")
    }
    assert "of company 2" in text["parties"]
    assert not [table for table, cells in text.items() if "of company 1" in cells]
    assert not [table for table, cells in text.items() if "bakery" in cells]


def test_no_path_of_the_home_is_in_any_byte(folder: Path, home: Home) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(home.path).encode() not in content
            assert str(folder.parent).encode() not in content


def test_it_works_wherever_it_is_moved(folder: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(folder, tmp_path / "elsewhere" / "books"))
    with opened(moved) as shared:
        total = "select sum(balance) from trial_balance_at('cafe', date '2025-12-31')"
        assert shared.execute(total).fetchone() == (0,)
        assert shared.execute("select count(*) from journal_lines").fetchone()[0] > 100


def test_it_is_documented_in_itself(folder: Path) -> None:
    with opened(folder) as shared:
        sql = """select count(*) filter (where comment is null), count(*) from duckdb_columns()
                 where not internal"""
        undocumented, columns = shared.execute(sql).fetchone()
        assert (undocumented, columns > 100) == (0, True)


@pytest.mark.slow
def test_another_clients_folder_is_not_overwritten(home: Home, folder: Path) -> None:
    with pytest.raises(ShareRefused):
        write_share(home, "bakery", folder)
    assert write_share(home, "cafe", folder).folder == folder


def test_a_folder_with_other_things_is_left_alone(home: Home, tmp_path: Path) -> None:
    (tmp_path / "taxes.pdf").write_text("kept")
    with pytest.raises(ShareRefused):
        write_share(home, "cafe", tmp_path)
    assert (tmp_path / "taxes.pdf").exists()


def test_an_unknown_client_is_named(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UnknownClient):
        write_share(home, "nobody", tmp_path / "nobody")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "books"
    result = CliRunner().invoke(
        main, ["share", "cafe", "--to", str(folder), "--home", str(home.path)]
    )
    assert result.exit_code == 0, result.output
    assert "rows of cafe" in result.output
    assert (folder / "README.txt").exists()
