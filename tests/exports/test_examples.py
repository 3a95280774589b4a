"""The examples of ``docs/analysts.md`` run as they stand there, on invented books."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from bill_pipeline.cli import main
from bill_pipeline.settings import Home

PAGE = (Path(__file__).parents[2] / "docs" / "analysts.md").read_text(encoding="utf-8")
#: The page says acme; the invented client that every test of exports uses is this one.
CLIENT = "bakery"


def examples(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return [text.replace("acme", CLIENT) for text in found]


@pytest.fixture
def folder(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where an analyst stands: a folder with the home ``data`` in it."""
    (tmp_path / "data").symlink_to(home.path)
    monkeypatch.setenv("BILL_PIPELINE_HOME", str(home.path))
    with contextlib.chdir(tmp_path):
        yield tmp_path


@pytest.mark.slow
def test_every_line_for_the_command_line_works(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)  # DuckDB's shell would replace us
    lines = [line for text in examples("sh") for line in text.splitlines()]
    mine = [shlex.split(line, comments=True) for line in lines if "bill-pipeline" in line]
    assert len(mine) >= 7
    Path("aging.sql").write_text(f"from payables_aging_at('{CLIENT}', report_date := $day)")
    for _program, *arguments in mine:
        result = CliRunner().invoke(main, arguments, input="", catch_exceptions=False)
        assert result.exit_code == 0, (arguments, result.output)
    written = {"aging.csv", f"{CLIENT}-books", f"{CLIENT}.xlsx", f"{CLIENT}-tables"}
    assert written <= {path.name for path in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3), ids=["plain", "pandas", "polars"])
def test_the_python_examples_work(folder: Path, number: int) -> None:
    text = examples("python")[number]
    for module in re.findall(r"^import (\w+)", text, re.MULTILINE):
        pytest.importorskip(module)
    names: dict[str, Any] = {}
    exec(compile(text, "docs/analysts.md", "exec"), names)  # noqa: S102 - our own page
    ledger = names["ledger"]
    with ledger:
        owed = ledger.sql("select sum(amount_total) from payables_aging").fetchall()[0][0]
        assert names.get("owed", owed) == owed
        if "by_month" in names:
            assert abs(names["by_month"].sum().sum()) < 0.005  # debits equal credits
        if "by_client" in names:
            assert names["by_client"]["amount_total"].sum() == owed
            assert isinstance(names["by_client"]["amount_total"][0], Decimal)


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")
def test_the_r_example_without_a_package_works(folder: Path) -> None:
    text = examples("r")[-1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["Rscript", "-e", text], check=True, env={**os.environ, "PATH": path})


@pytest.mark.skipif(not shutil.which("duckdb"), reason="DuckDB's command line is not installed")
def test_duckdbs_own_command_line_opens_it(folder: Path) -> None:
    (line,) = [text for text in examples("sh") if text.startswith("duckdb ")]
    answer = subprocess.run(shlex.split(line), check=True, capture_output=True, text=True)
    assert CLIENT in answer.stdout


def test_what_jdbc_sets_opens_the_ledger_beside_others_and_refuses_to_write(folder: Path) -> None:
    """``duckdb.read_only`` sets ``access_mode``; several processes may then have the file open."""
    opened = "duckdb.connect('data/ledger.duckdb', config={'access_mode': 'read_only'})"
    program = f"import duckdb; {opened}.execute('from trial_balance').fetchall()"
    with duckdb.connect("data/ledger.duckdb", config={"access_mode": "read_only"}) as ledger:
        subprocess.run([sys.executable, "-c", program], check=True)
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            ledger.execute("create table mine (a int)")
        comments = "select count(*) from duckdb_columns() where comment is null and not internal"
        own = f"{comments} and schema_name = 'main'"
        assert ledger.execute(own).fetchall() == [(0,)]  # the tree's tooltips


def test_power_query_can_read_the_parquet_files(folder: Path) -> None:
    result = CliRunner().invoke(
        main, ["export", CLIENT, "--format", "parquet", "-o", "tables"], catch_exceptions=False
    )
    assert result.exit_code == 0
    (query,) = examples("powerquery")
    named = re.findall(r"(\w+\.parquet)", query) + re.findall(r"\[(\w+)\]", query)
    assert named[1] in pq.read_schema(Path("tables") / named[0]).names
    nested = {
        path.stem
        for path in Path("tables").glob("*.parquet")
        if any(field.type.num_fields for field in pq.read_schema(path))
    }
    assert nested == {"category_decisions", "review_questions"}
