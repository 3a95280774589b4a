"""What was built is published by whoever comes next, and the ledger says how fresh it is."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from bill_pipeline.cli import main
from bill_pipeline.pipeline.client_sync import bring_up_to_date, open_sync
from bill_pipeline.publishing import files
from bill_pipeline.publishing.publish import publish
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from tests.journey.firm import Firm

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("building"), pytest.mark.rotating(days=8)]
LINES = "select client, count(*) as n from journal_lines group by 1 order by 1"


def build_and_die(firm: Firm, client: str) -> None:
    """As when the process is killed between the building of the books and their publication."""
    bring_up_to_date(Registry(firm.home), client)


def version_of(firm: Firm, client: str) -> str:
    (row,) = firm.query(f"select published_version as v from sync_status where client = '{client}'")
    return str(row["v"])


def test_books_that_nobody_lived_to_publish_are_published_by_the_next_sync_of_anybody(
    firm: Firm, names: list[str]
) -> None:
    build_and_die(firm, names[0])
    before = version_of(firm, names[0])
    assert json.loads(firm.run("clients", "--json").output.splitlines()[0])["unpublished_since"]
    (row,) = firm.query("select client from sync_status where unpublished_since is not null")
    assert row == {"client": names[0]}
    assert firm.run("sync", names[1]).exit_code == 0
    assert version_of(firm, names[0]) > before
    assert Registry(firm.home).status(names[0]).unpublished_since is None
    assert firm.query("from sync_status where unpublished_since is not null") == []


def test_books_of_which_a_later_sync_built_a_part_are_not_taken_in(
    firm: Firm, names: list[str]
) -> None:
    build_and_die(firm, names[0])
    before = version_of(firm, names[0])

    def build_a_part() -> None:
        with open_sync(Registry(firm.home), names[0]) as sync:
            sync.build("staging")
            raise RuntimeError("the next layer cannot be built")

    with pytest.raises(RuntimeError, match="the next layer"):
        build_a_part()
    assert firm.run("sync", names[1]).exit_code == 0
    assert version_of(firm, names[0]) == before
    assert firm.run("sync", names[0]).exit_code == 0
    assert version_of(firm, names[0]) > before


def test_sync_status_is_true_of_a_failing_client_though_nobody_publishes(
    firm: Firm, names: list[str]
) -> None:
    with duckdb.connect(str(firm.home.ledger), read_only=True) as analyst:
        analyst.execute(f"set variable ledger_home = '{firm.home.path}'")  # it is a copy
        ask = "select state, error from sync_status where failure_count > 0"
        assert analyst.execute(ask).fetchall() == []
        with pytest.raises(OSError, match="No space"), open_sync(Registry(firm.home), names[0]):
            raise OSError(28, "No space left on device")
        found = analyst.execute(ask).fetchall()
    assert found == [("failing", "The disk that holds the books is full.")]
    assert firm.run("pause", names[1]).exit_code == 0
    paused = "select client from sync_status where state = 'paused'"
    assert firm.query(paused) == [{"client": names[1]}]


def cut(path: Path) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def fill(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"\x13garbage" * 2_000)


def empty(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"")


def test_published_files_of_another_day_are_told_and_written_anew(
    firm: Firm, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = firm.query(LINES)
    shutil.copytree(firm.home.published, tmp_path / "backup")
    assert firm.run("sync", "--all").exit_code == 0
    publish(Registry(firm.home), [], grace=timedelta(0))
    shutil.rmtree(firm.home.published)
    shutil.copytree(tmp_path / "backup", firm.home.published)
    told = firm.run("clients", "--json").output.splitlines()
    assert all(json.loads(line)["unpublished_since"] for line in told)
    monkeypatch.setattr(files, "CLIENTS_LOOKED_AT", 0)  # nobody needs a turn
    assert firm.run("sync", names[1]).exit_code == 0
    assert firm.query(LINES) == whole
    told = firm.run("clients", "--json").output.splitlines()
    assert not any(json.loads(line)["unpublished_since"] for line in told)


def test_a_clients_older_file_put_back_does_not_take_the_place_of_newer_books(
    firm: Firm, names: list[str], tmp_path: Path
) -> None:
    file = firm.home.client_file(names[0])
    shutil.copy2(file, tmp_path / "backup")
    assert firm.run("sync", names[0]).exit_code == 0
    shown = version_of(firm, names[0])
    shutil.copy2(tmp_path / "backup", file)
    assert firm.run("sync", names[1]).exit_code == 0
    assert version_of(firm, names[0]) == shown, "whoever publishes leaves them alone"
    (row,) = firm.query("select client from sync_status where unpublished_since is not null")
    assert row == {"client": names[0]}
    assert firm.run("sync", names[0]).exit_code == 0
    assert version_of(firm, names[0]) > shown
    assert firm.query("from sync_status where unpublished_since is not null") == []


DAMAGES: dict[str, Callable[[Path], None]] = {
    "cut": cut, "garbage": fill, "empty": empty, "gone": Path.unlink,
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_catalogue_is_made_anew_by_the_next_sync_of_anybody(
    firm: Firm, names: list[str], damage: str
) -> None:
    whole = firm.query(LINES)
    DAMAGES[damage](firm.home.ledger)
    result = firm.run("query", LINES)
    assert result.exit_code == 1
    assert "bill-pipeline" in result.output  # what to do
    result = firm.run("sync", names[1])
    assert result.exit_code == 0, result.output
    assert firm.query(LINES) == whole
    assert len(whole) == len(names)


def test_a_damaged_catalogue_is_made_anew_as_the_query_says(firm: Firm) -> None:
    whole = firm.query(LINES)
    fill(firm.home.ledger)
    assert "Run `bill-pipeline publish`" in firm.run("query", LINES).output
    assert firm.run("publish").exit_code == 0
    assert firm.query(LINES) == whole


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_published_files_are_written_anew_by_the_next_sync_of_anybody(
    firm: Firm, names: list[str], damage: str
) -> None:
    whole = firm.query(LINES)
    (path,) = firm.home.published.glob(f"journal_lines/client={names[0]}/*.parquet")
    DAMAGES[damage](path)
    result = firm.run("query", LINES)
    assert result.exit_code == 1
    assert f"`bill-pipeline publish {names[0]}`" in result.output
    result = firm.run("sync", names[1])
    assert result.exit_code == 0, result.output
    assert firm.query(LINES) == whole


def test_the_remedy_of_a_damaged_published_file_is_right(firm: Firm, names: list[str]) -> None:
    whole = firm.query(LINES)
    (path,) = firm.home.published.glob(f"journal_lines/client={names[0]}/*.parquet")
    middle = path.stat().st_size // 2
    with path.open("r+b") as file:  # neither its size nor its end show it
        file.seek(middle - 200)
        file.write(b"\xff" * 400)
    assert firm.run("publish", names[0]).exit_code == 0
    assert firm.query(LINES) == whole
    assert firm.query("select count(distinct entry_id) as n from journal_lines") != [{"n": 0}]


@pytest.mark.parametrize("at", [4, 100, 1_000, 2_500])
def test_whatever_a_damaged_footer_makes_of_a_query_its_remedy_is_right(
    firm: Firm, names: list[str], at: int
) -> None:
    """DuckDB does not always say in which file it met what it never writes."""
    whole = firm.query(LINES)
    (path,) = firm.home.published.glob(f"journal_lines/client={names[0]}/*.parquet")
    data = bytearray(path.read_bytes())
    begin = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    data[begin + at : begin + at + 24] = b"\xff\x1b" * 12
    path.chmod(0o644)
    path.write_bytes(data)
    result = firm.run("query", LINES)
    assert result.exit_code == 1
    found = re.search(r"`bill-pipeline (publish[^`]*)`", result.output)
    assert found, result.output
    assert firm.run(*found[1].split()).exit_code == 0
    assert firm.query(LINES) == whole


def snapshot(home: Home) -> dict[str, int]:
    return {
        str(path.relative_to(home.path)): path.stat().st_mtime_ns
        for path in sorted(home.path.rglob("*"))
    }


def test_a_query_in_a_copied_home_without_a_registry_finds_all_and_writes_nothing(
    firm: Firm, names: list[str], tmp_path: Path
) -> None:
    whole = firm.query(LINES)
    copy = Firm(firm.sandbox, tmp_path / "copy")
    shutil.copytree(firm.home.path, copy.home.path, dirs_exist_ok=True)
    copy.home.registry.unlink()
    before = snapshot(copy.home)
    assert copy.query(LINES) == whole
    assert len(copy.query("from sync_status")) == len(names)
    listed = copy.run("clients")
    assert listed.exit_code == 1
    assert f"{copy.home.registry}, the list of connected clients, is missing" in listed.output
    assert snapshot(copy.home) == before


def test_without_a_registry_nothing_is_published_and_both_remedies_are_right(
    firm: Firm, names: list[str], tmp_path: Path
) -> None:
    whole = firm.query(LINES)
    kept = firm.home.registry.rename(tmp_path / "backup")
    result = firm.run("publish")
    assert result.exit_code == 1
    assert "Put it back from a backup together with secret.key" in result.output
    assert firm.query(LINES) == whole
    shutil.copy(kept, firm.home.registry)
    assert firm.run("publish").exit_code == 0
    assert firm.query(LINES) == whole
    firm.home.registry.write_bytes(b"")  # an empty file is a lost registry, not an empty firm
    with pytest.raises(Exception, match="connect the clients again"):
        publish(Registry(firm.home), [])
    for number in range(len(names)):
        assert firm.connect(number).exit_code == 0
    assert firm.run("sync", "--all").exit_code == 0
    assert firm.query(LINES) == whole


@pytest.mark.parametrize("command", [("sync",), ("settings", "--fiscal-year-end", "06-30")])
def test_books_that_are_built_and_cannot_be_published_are_no_success(
    firm: Firm, names: list[str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    from bill_pipeline.publishing import versions

    def refuse(*_words: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(versions, "_write_table", refuse)
        disk.setattr(versions.ReuseManifest, "link", lambda *_: None)
        result = firm.run(*command, names[0])
    assert result.exit_code == 1
    assert "built, not published" in result.output
    assert "The disk that holds the books is full." in result.output
    (row,) = firm.query("select client from sync_status where unpublished_since is not null")
    assert row == {"client": names[0]}
    assert firm.run("sync", names[1]).exit_code == 0
    assert firm.query("from sync_status where unpublished_since is not null") == []


def test_the_list_of_clients_says_what_is_built_and_not_published(firm: Firm) -> None:
    from bill_pipeline.cli.connections import _advice

    status = Registry(firm.home).all()[0]
    assert _advice(status) == ""
    left = replace(status, unpublished_since=status.connected_at)
    assert _advice(left).startswith("built, not published since 20")
    failing = replace(left, error="The disk is full.", remedy="Free space on it.")
    assert _advice(failing).endswith("UTC. The disk is full. Free space on it.")


def test_a_home_without_clients_gets_no_ledger(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    result = CliRunner().invoke(main, ["publish", "--all", "--home", str(home.path)])
    assert result.exit_code == 1
    assert "bill-pipeline connect" in result.output
    assert not home.ledger.exists()
