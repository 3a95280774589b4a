"""A client's file holds one organization's books, and nobody loses them without a word."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bill_pipeline.actions.deciding import close_through
from bill_pipeline.publishing.publish import publish, show_status
from bill_pipeline.publishing.stores import require_books
from bill_pipeline.registry.client_errors import BooksMissing, ClientAlreadyConnected
from bill_pipeline.registry.client_files import client_lock, sync_lock
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.registry.whose_books import ForeignBooks, organization_in
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.healing.test_publication import LINES
from tests.journey.firm import Firm

pytestmark = pytest.mark.rotating(days=8)

DOCUMENTS = "select client, document_id from documents order by all"


def organizations(firm: Firm) -> list[str]:
    return [company.organization_id for company in firm.sandbox.companies]


def connect_as(firm: Firm, name: str, number: int) -> str:
    """Connect the sandbox's company ``number`` as ``name`` and return what was said."""
    company = firm.sandbox.companies[number]
    result = firm.run(
        "connect", name, "--organization-id", company.organization_id,
        "--token-name", company.token_name, "--token-password-stdin",
        "--environment", firm.sandbox.base_url, given=company.token_password + "\n",
    )  # fmt: skip
    return f"{result.exit_code} {result.output}"


def test_a_name_whose_file_is_another_organizations_is_not_connected(
    firm: Firm, names: list[str]
) -> None:
    first, second, _ = organizations(firm)
    before = firm.home.client_file(names[0]).read_bytes()
    assert firm.run("disconnect", names[0], "--yes").exit_code == 0
    assert firm.run("disconnect", names[1], "--yes").exit_code == 0
    said = connect_as(firm, names[0], 1)
    assert said.startswith("1 ")
    assert first in said
    assert second in said
    assert names[0] not in Registry(firm.home).names()
    assert firm.home.client_file(names[0]).read_bytes() == before
    # Each remedy: its own organization again, or its books deleted first.
    assert connect_as(firm, names[0], 0).startswith("0 ")
    assert connect_as(firm, names[1], 1).startswith("0 ")
    assert firm.run("disconnect", names[1], "--yes").exit_code == 0
    assert firm.run("disconnect", names[1], "--purge", "--yes").exit_code == 0
    assert connect_as(firm, names[1], 2).startswith("1 ")  # which is connected as the third
    assert connect_as(firm, names[1], 1).startswith("0 ")


def test_another_clients_file_is_neither_read_nor_written(firm: Firm, names: list[str]) -> None:
    first, second, _ = organizations(firm)
    before, shown = firm.query(LINES), firm.query(DOCUMENTS)
    path = firm.home.client_file(names[0])
    own = path.with_suffix(".own")
    shutil.copy(path, own)
    foreign = shutil.copy(firm.home.client_file(names[1]), path).read_bytes()
    result = firm.run("sync", "--all")
    assert result.exit_code == 1
    assert f"{names[0]}: failed" in result.output
    assert first in result.output
    assert second in result.output
    assert path.read_bytes() == foreign
    for name in names[1:]:
        assert f"{name}: failed" not in result.output
    assert firm.run("publish", names[0]).exit_code == 1
    assert firm.run("verify", names[0]).exit_code == 1
    with pytest.raises(ForeignBooks):
        close_through(firm.home, names[0], date(2026, 1, 31), by="a test", reason="year's end")
    assert path.read_bytes() == foreign
    assert (firm.query(LINES), firm.query(DOCUMENTS)) == (before, shown)
    own.replace(path)
    assert firm.run("sync", names[0]).exit_code == 0
    assert firm.query(LINES) == before


def test_a_file_that_says_nothing_is_named_when_it_is_first_opened(
    firm: Firm, names: list[str]
) -> None:
    path = firm.home.client_file(names[0])
    with duckdb.connect(str(path)) as books:
        books.execute("delete from decisions.policies where name = 'organization_id'")
    assert organization_in(path) is None
    with Warehouse.open(Registry(firm.home), names[0]):
        pass
    assert organization_in(path) == organizations(firm)[0]


def test_after_the_registry_was_lost_no_client_gets_another_name(
    firm: Firm, names: list[str]
) -> None:
    connections = {name: Registry(firm.home).connection(name) for name in names}
    for path in firm.home.path.glob("registry.sqlite*"):
        path.unlink()
    said = connect_as(firm, "another-name", 0)
    assert said.startswith("1 ")
    assert f"connect it as '{names[0]}'" in said
    with pytest.raises(ClientAlreadyConnected):
        Registry(firm.home).connect(names[0], connections[names[1]], environment="sandbox")
    assert Registry(firm.home).names() == []
    assert connect_as(firm, names[0], 0).startswith("0 ")


def test_a_lost_file_is_not_made_anew_unless_somebody_says_so(firm: Firm, names: list[str]) -> None:
    client, path = names[0], firm.home.client_file(names[0])
    assert firm.run("close", client, "2026-01", "--anyway").exit_code == 0
    lines, closings = firm.query(LINES), firm.query("from closings")
    assert closings
    backup = path.rename(path.with_suffix(".backup"))
    result = firm.run("sync", "--all")
    assert result.exit_code == 1
    assert str(path) in result.output
    assert f"`bill-pipeline sync {client} --new-file`" in result.output
    for name in names[1:]:
        assert f"{name}: failed" not in result.output
    with pytest.raises(BooksMissing):
        close_through(firm.home, client, date(2026, 1, 31), by="a test", reason="year's end")
    assert firm.run("publish", "--all").exit_code == 1
    firm.home.ledger.unlink()
    publish(Registry(firm.home), names[1:])
    assert not path.exists()
    # The one remedy, and the other one.
    shutil.copy(backup, path)
    assert firm.run("sync", client).exit_code == 0
    assert (firm.query(LINES), firm.query("from closings")) == (lines, closings)
    assert firm.run("sync", client, "--new-file").exit_code == 2  # it is there
    path.unlink()
    result = firm.run("sync", client, "--new-file")
    assert result.exit_code == 0, result.output
    assert firm.query("from closings") == []


def test_only_the_published_ledger_knows_that_a_client_had_books(
    firm: Firm, names: list[str]
) -> None:
    Registry(firm.home).update(names[0], last_success_at=None, document_count=0)
    firm.home.client_file(names[0]).unlink()
    assert firm.run("sync", names[0]).exit_code == 1
    # Who is purged or whose first import never ended begins by itself.
    assert firm.run("disconnect", names[0], "--purge", "--yes").exit_code == 0
    assert connect_as(firm, names[0], 0).startswith("0 ")
    require_books(Registry(firm.home), names[0])


def forget(firm: Firm, *names: str) -> None:
    """As a registry that was backed up before these clients were connected."""
    with Registry(firm.home).database() as db:
        for name in names:
            db.execute("delete from clients where client = ?", [name])


def test_only_disconnecting_takes_a_client_out_of_the_ledger(firm: Firm, names: list[str]) -> None:
    lines, companies = firm.query(LINES), firm.query("select client, organization_id from clients")
    forget(firm, *names[1:])
    firm.home.client_file(names[2]).unlink()  # of this one only the ledger knows
    assert firm.run("publish", names[0]).exit_code == 0
    assert firm.query(LINES) == lines
    assert firm.query("select client, organization_id from clients") == companies
    [told] = firm.query(f"select remedy from sync_status where client = '{names[1]}'")
    assert f"`bill-pipeline disconnect {names[1]}`" in told["remedy"]
    said = firm.run("clients").output
    assert str(firm.home.client_file(names[1])) in said
    assert f"bill-pipeline connect {names[1]}" in said
    # Both remedies: who is connected again goes on, who is disconnected leaves.
    assert connect_as(firm, names[1], 1).startswith("0 ")
    assert str(firm.home.client_file(names[1])) not in firm.run("clients").output
    assert firm.run("disconnect", names[2], "--yes").exit_code == 0
    left = firm.query("select distinct client from documents order by all")
    assert [row["client"] for row in left] == names[:2]


def test_a_publication_names_the_files_that_the_registry_does_not_know(
    firm: Firm, names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    forget(firm, names[1])
    assert firm.run("disconnect", names[2], "--yes").exit_code == 0
    caplog.clear()
    publish(Registry(firm.home), [])
    named = [record.message for record in caplog.records if "nobody is connected" in record.message]
    assert len(named) == 1  # whom somebody disconnected is no surprise
    assert str(firm.home.client_file(names[1])) in named[0]
    show_status(Registry(firm.home))
    assert len(firm.query(f"from sync_status where client = '{names[1]}'")) == 1


def busy(firm: Firm, client: str) -> str:
    """What ``publish`` says while another process has ``client``'s file."""
    locked = duckdb.IOException("Could not set lock on file")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(duckdb, "connect", raising(locked, duckdb.connect, client))
        return firm.run("publish", client).output


def test_beside_another_sync_nobody_is_told_that_all_came(firm: Firm, names: list[str]) -> None:
    client = names[0]
    Registry(firm.home).update(client, progress={"list": "bills", "documents": 3})
    # Whatever it is, it is no sync: that one was killed.
    with client_lock(firm.home, client, "compared with BILL"):
        refused = firm.run("sync", client)
        assert refused.exit_code == 1
        for said in (refused.output, busy(firm, client)):
            assert f"{client}'s books are being compared with BILL (process {os.getpid()})" in said
        assert firm.run("clients").exit_code == 0
        assert not Registry(firm.home).status(client).progress
    with sync_lock(firm.home, client), client_lock(firm.home, client, "synced"):
        before = utc_now()
        result = firm.run("sync", client)
        assert (result.exit_code, "run this again when it has ended" in result.output) == (1, True)
        assert "failed" not in result.output
        asked = Registry(firm.home).status(client).next_sync_at
        assert asked is not None
        assert asked > before  # a sweep syncs it once more
        assert firm.run("sync", "--all").exit_code == 0  # the other clients were synced
        assert firm.run("sync", client, "--full").exit_code == 1
        said = busy(firm, client)
    assert "a sync is at work on it, and publishes it when it is done" in said
    assert said.count(f"{client}: ") == 1
    assert Registry(firm.home).status(client).failure_count == 0


def raising(error: Exception, connect: Callable[..., Any], client: str) -> Callable[..., Any]:
    """``connect`` that cannot open the client's file: in one process DuckDB never says so."""

    def refuse(path: str = ":memory:", **values: Any) -> Any:
        if path.endswith(f"{client}.duckdb"):
            raise error
        return connect(path, **values)

    return refuse


def test_a_folder_in_a_files_place_is_said_with_the_remedy_that_works(
    firm: Firm, names: list[str]
) -> None:
    ledger, key = firm.home.ledger, firm.home.secret_key
    ledger.unlink()
    ledger.mkdir()
    said = firm.run("query", "from clients").output
    assert f"{ledger} is a folder where a file belongs. Move it away" in said
    ledger.rmdir()
    assert firm.run("publish").exit_code == 0
    own = key.rename(key.with_suffix(".own"))
    key.mkdir()
    said = firm.run("sync", names[0]).output
    assert "chmod" not in said
    assert f"{key} is a folder" in said
    key.rmdir()
    own.rename(key)
    assert firm.run("sync", names[0]).exit_code == 0


def test_a_first_sync_reads_all_whatever_day_it_is_to_begin_at(tmp_path: Path) -> None:
    with SandboxServer(companies=1, documents=12, seed=7) as sandbox:
        whole, late = (Firm(sandbox, tmp_path / name) for name in ("whole", "late"))
        for firm, options in ((whole, ()), (late, ("--since", str(utc_now().date())))):
            assert firm.connect(0).exit_code == 0
            result = firm.run("sync", sandbox.companies[0].client, *options)
            assert result.exit_code == 0, result.output
        assert late.query("select count(*) from journal_lines") == whole.query(
            "select count(*) from journal_lines"
        )
