"""Tables that are written while a client's file is open, and shown by a later publication."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from bill_pipeline.publishing import files, versions
from bill_pipeline.publishing.publish import publish, stage_version
from bill_pipeline.publishing.tables import code_signature
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from tests.publish.publish_fixture import SCHEMA, write_books

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("store", ["files"], indirect=True)]
Rows = Callable[[str], list[tuple[Any, ...]]]
BATCHES = "select client, batch from totals order by 1"


@pytest.fixture
def home(home: Home, clients: list[str]) -> Home:
    publish(Registry(home), clients, schema=replace(SCHEMA, code=code_signature()))
    return home


def written(home: Home, batch: int) -> versions.Version:
    write_books(home, "acme", batch)
    with duckdb.connect(str(home.client_file("acme"))) as books:
        found = stage_version(home, "acme", books)
    assert found is not None
    return found


def die(home: Home) -> None:
    """As when the process that wrote ahead has ended: nobody holds its note any more."""
    versions.note_of_this_process(home.published).close()
    versions.note_of_this_process.cache_clear()


def test_what_is_written_ahead_is_shown_by_the_next_publication_and_not_before(
    home: Home, rows: Rows
) -> None:
    ahead = written(home, 2)
    publish(Registry(home), ["birch"])
    assert rows(BATCHES) == [("acme", 1), ("birch", 1)]
    home.client_file("acme").unlink()  # nobody opens it again
    report = publish(Registry(home), ["acme"], written=[ahead])
    assert report.published == {"acme": 21}
    assert rows(BATCHES) == [("acme", 2), ("birch", 1)]
    assert Registry(home).status("acme").unpublished_since is None


def test_of_a_writer_that_died_what_is_published_counts(home: Home, rows: Rows) -> None:
    ahead = written(home, 2)
    die(home)
    assert publish(Registry(home), ["acme"], written=[ahead]).not_published == {}
    assert rows(BATCHES) == [("acme", 2), ("birch", 1)]
    assert list((home.published / ".writing").iterdir()) == []


def test_what_a_dead_writer_left_is_collected_and_never_named(home: Home, rows: Rows) -> None:
    ahead = written(home, 2)
    die(home)
    report = publish(Registry(home), ["birch"])
    assert report.files_collected == 2
    assert report.published.keys() == {"acme", "birch"}  # from its own file: nobody else will
    assert Registry(home).status("acme").unpublished_since is None
    assert rows(BATCHES) == [("acme", 2), ("birch", 1)]
    write_books(home, "acme", 3)
    assert publish(Registry(home), ["acme"], written=[ahead]).not_published == {}
    assert rows(BATCHES) == [("acme", 3), ("birch", 1)]


def test_books_that_were_built_since_wait_for_their_own_publication(home: Home, rows: Rows) -> None:
    ahead = written(home, 2)
    write_books(home, "acme", 3)
    publish(Registry(home), ["acme"], written=[ahead])
    assert Registry(home).status("acme").unpublished_since
    publish(Registry(home), [])
    assert Registry(home).status("acme").unpublished_since is None


def test_a_later_version_is_not_replaced_by_one_that_was_written_before(
    home: Home, rows: Rows
) -> None:
    ahead = written(home, 2)
    write_books(home, "acme", 3)
    publish(Registry(home), ["acme"])
    publish(Registry(home), ["acme"], written=[ahead])
    assert rows(BATCHES) == [("acme", 3), ("birch", 1)]
    publish(Registry(home), [], grace=timedelta(0))
    assert rows("select count(*) from journal_lines") == [(40,)]


def test_a_ledger_of_other_code_or_a_full_disk_leaves_all_to_the_publication(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(os.strerror(28))

    with duckdb.connect(str(home.client_file("acme"))) as books:
        with monkeypatch.context() as full:
            full.setattr(files, "write_version", refuse)
            assert stage_version(home, "acme", books) is None
        files._schema_for_writing_ahead.cache_clear()
        publish(Registry(home), [], schema=SCHEMA)  # of no code
        assert stage_version(home, "acme", books) is None
