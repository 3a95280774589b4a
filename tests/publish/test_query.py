"""``bill-pipeline query`` reads, prints exactly and refuses everything else."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import tempfile
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from bill_pipeline.cli import main
from bill_pipeline.publishing.publish import publish
from bill_pipeline.publishing.query import QueryError, open_ledger, run
from bill_pipeline.registry.clients import Registry
from bill_pipeline.runtime.private_folder import PrivateFolder, _remove_left_over
from bill_pipeline.settings import Home
from tests.publish.publish_fixture import SCHEMA, write_books


@pytest.fixture
def ledger(home: Home, clients: list[str]) -> Home:
    publish(Registry(home), clients, schema=SCHEMA)
    return home


def ask(home: Home, *arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["query", *arguments, "--home", str(home.path)], input=stdin)


pytestmark = [
    pytest.mark.slow,
    pytest.mark.rotating(days=4),
    pytest.mark.parametrize("store", ["files"], indirect=True),
]


SUM = "select client, sum(amount) as amount from journal_lines group by 1 order by 1"


def test_what_does_not_fit_into_memory_is_nobody_elses_to_read(
    ledger: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left_over = tmp_path / "bill-pipeline-private-of-a-killed-process"
    left_over.mkdir()
    os.utime(left_over, (0, 0))
    with PrivateFolder() as held, open_ledger(ledger) as one, open_ledger(ledger) as other:
        os.utime(held, (0, 0))
        sql = "select current_setting('temp_directory')"
        folders = {Path(db.execute(sql).fetchall()[0][0]) for db in (one, other)}
        assert len(folders) == 2
        for folder in folders:
            assert folder.parent == tmp_path
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        _remove_left_over.cache_clear()  # as the next process begins
        with PrivateFolder():
            assert Path(held).exists()
    assert not list(tmp_path.glob("bill-pipeline-private-*"))


def test_a_table_lines_up_numbers_and_counts_rows(ledger: Home) -> None:
    result = ask(ledger, "select client, amount * 1000 as amount from totals order by 1")
    assert result.exit_code == 0, result.output
    assert "211,900.00" in result.output
    assert result.output.endswith("(2 rows)\n")


def test_a_probability_is_short_in_a_table_and_whole_in_a_file(ledger: Home) -> None:
    sql = "select 0.123456789::double as confidence"
    assert "0.123457" in ask(ledger, sql).output.split()
    assert "0.123456789" in ask(ledger, sql, "--format", "csv").output


def test_a_long_table_says_that_it_was_cut(ledger: Home) -> None:
    result = ask(ledger, "from journal_lines", "--rows", "3")
    assert "the first 3 rows" in result.output


def test_csv_json_and_parquet_hold_the_same_exact_amounts(ledger: Home, tmp_path: Path) -> None:
    by_csv = list(csv.DictReader(io.StringIO(ask(ledger, SUM, "--format", "csv").output)))
    by_json = json.loads(ask(ledger, SUM, "--format", "json").output, parse_float=Decimal)
    file = tmp_path / "sum.parquet"
    assert ask(ledger, SUM, "-o", str(file)).exit_code == 0
    expected = [("acme", Decimal("211.90")), ("birch", Decimal("211.90"))]
    assert [(row["client"], Decimal(row["amount"])) for row in by_csv] == expected
    assert [(row["client"], row["amount"]) for row in by_json] == expected
    parquet = pq.read_table(file).to_pylist()
    assert [(row["client"], row["amount"]) for row in parquet] == expected


def test_no_rows_are_an_empty_array_and_a_header(ledger: Home) -> None:
    nothing = "select client from totals where false"
    assert json.loads(ask(ledger, nothing, "--format", "json").output) == []
    assert ask(ledger, nothing, "--format", "csv").output == "client\n"


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("select count(*) from journal_lines where date <= $x", "2026-01-05"),
        ("select count(*) from lines_at('acme', $x)", "2026-01-10"),
        ("select count(*) from journal_lines where amount < $x", "6.00"),
        ("select 10 where 'acme' = $x", "acme"),
    ],
)
def test_a_parameter_is_read_as_what_its_place_needs(ledger: Home, sql: str, value: str) -> None:
    result = ask(ledger, sql, "--param", f"x={value}", "--format", "csv")
    assert result.output.splitlines()[1] == "10", result.output


def test_a_parameter_is_never_sql(ledger: Home) -> None:
    result = ask(
        ledger, "select $x as x", "--param", "x='; drop table clients --", "--format", "csv"
    )
    assert "'; drop table clients --" in result.output


def test_sql_comes_from_a_file_or_from_standard_input(ledger: Home, tmp_path: Path) -> None:
    file = tmp_path / "question.sql"
    file.write_text("create temp view t as from totals;\nselect count(*) as n from t;\n")
    assert ask(ledger, "-f", str(file), "--format", "csv").output == "n\n2\n"
    assert ask(ledger, "-f", "-", "--format", "csv", stdin="select 1 as n").output == "n\n1\n"


LOGGING = (
    "enable_logging('QueryLog', storage='file', storage_config={'path': '{home}/published/log'})"
)


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to '{home}/published/written.csv'",
        "explain analyze copy (select 1) to '{home}/published/written.csv'",
        "/* a */ explain -- b\n analyze copy (select 1) to '{home}/published/written.csv'",
        "prepare p as copy (select 1) to '{home}/published/written.csv'; execute p",
        "select 1; copy (select 1) to '{home}/published/written.csv'",
        "export database '{home}/published/written.csv'",
        "create table written (n int)",
        "create view written as select 1",
        "insert into clients select * from clients",
        "delete from clients",
        "update clients set client = 'x'",
        "drop view totals",
        "attach '{home}/clients/acme.duckdb' as books",
        "from read_csv('/etc/passwd')",
        "from read_text('{home}/secret.key')",
        "from glob('/etc/*')",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "reset lock_configuration",
        "set allowed_directories = ['/']",
        "pragma enable_profiling = 'json'",
        "call checkpoint()",
        "explain (/* ) select 1 -- */ analyze) copy (select 1) to '{home}/published/written.csv'",
        "explain (analyze) copy (select 1) to '{home}/published/written.csv'",
        f"create temp table t as from {LOGGING}",
        f"/* é */ select 'ü', * from {LOGGING}",
        f"create temp macro m() as table from {LOGGING}; from m()",
        "from " + LOGGING.replace("enable_logging", '"Enable_Logging" /* ( */ '),
        "from query('from " + LOGGING.replace("'", "''") + "')",
        "from enable_profiling()",
    ],
)
def test_nothing_but_reading_the_ledger_is_possible(ledger: Home, sql: str) -> None:
    before = {path: path.read_bytes() for path in ledger.published.rglob("*") if path.is_file()}
    catalogue = ledger.ledger.read_bytes()
    result = ask(ledger, sql.replace("{home}", str(ledger.path)))
    assert result.exit_code == 1, result.output
    after = {path: path.read_bytes() for path in ledger.published.rglob("*") if path.is_file()}
    assert (after, ledger.ledger.read_bytes()) == (before, catalogue)


@pytest.mark.parametrize(
    "sql",
    [
        "select 'from enable_logging(1)' as text",
        "select 1 as enable_logging -- enable_logging(1)",
        "explain (analyze, format json) select 1",
        "from duckdb_tables() limit 1",
        "pivot (from range(3) as r(n)) on n using count(*)",
    ],
)
def test_what_only_reads_is_answered(ledger: Home, sql: str) -> None:
    assert ask(ledger, sql).exit_code == 0


def test_a_wrong_name_is_explained(ledger: Home) -> None:
    result = ask(ledger, "from journal_line")
    assert result.exit_code == 1
    assert "journal_lines" in result.output
    assert "show tables" in result.output


def test_a_missing_parameter_is_named(ledger: Home) -> None:
    result = ask(ledger, "select $day")
    assert result.exit_code == 1
    assert "--param day=VALUE" in result.output


def test_a_home_without_a_ledger_says_how_to_get_one(home: Home) -> None:
    result = ask(home, "select 1")
    assert result.exit_code == 1
    assert "bill-pipeline sync" in result.output


def test_a_call_without_sql_is_a_wrong_call(ledger: Home) -> None:
    assert ask(ledger).exit_code == 2
    assert ask(ledger, "select 1", "--param", "nonsense").exit_code == 2


def test_a_failed_question_leaves_the_file_of_the_last_one(ledger: Home, tmp_path: Path) -> None:
    file = tmp_path / "kept.csv"
    file.write_text("kept")
    result = ask(
        ledger, "select 1 / (line_id - 9), error('late') from journal_lines", "-o", str(file)
    )
    assert result.exit_code == 1
    assert "late" in result.output
    assert file.read_text() == "kept"
    assert list(tmp_path.glob(".*")) == []


def test_a_moved_home_answers_without_a_command(ledger: Home) -> None:
    moved = Home(ledger.path.rename(ledger.path.with_name("moved")))
    assert ask(moved, SUM, "--format", "csv").output.splitlines()[1] == "acme,211.90"


def test_the_ledger_answers_while_a_client_file_is_being_written(
    ledger: Home, clients: list[str]
) -> None:
    import duckdb

    with duckdb.connect(str(ledger.client_file("acme"))) as books:
        books.execute("begin transaction; delete from ledger.journal_lines")
        assert "211.90" in ask(ledger, SUM, "--format", "csv").output


def test_collected_files_are_explained(ledger: Home) -> None:
    with open_ledger(ledger) as connection:
        for path in ledger.published.rglob("*.parquet"):
            path.unlink()
        with pytest.raises(QueryError, match="Open the ledger again"):
            run(connection, "select sum(amount) from journal_lines").fetchall()


def test_two_open_ledgers_in_one_process_each_see_their_own_moment(
    ledger: Home, clients: list[str]
) -> None:
    batches = "select max(batch) from journal_lines"
    with open_ledger(ledger) as before:
        write_books(ledger, "acme", 2)
        publish(Registry(ledger), ["acme"], schema=SCHEMA)
        with open_ledger(ledger) as after:
            assert run(after, batches).fetchall() == [(2,)]
            assert run(before, batches).fetchall() == [(1,)]


def test_an_answer_that_nobody_would_see_is_refused(ledger: Home) -> None:
    with open_ledger(ledger) as connection, pytest.raises(QueryError, match="one question"):
        run(connection, "select 1; select 2")
