"""Tables that are left as they are equal those that are built anew, whatever happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bill_pipeline.decisions.tables import DATED_TABLES
from bill_pipeline.pipeline import rebuild
from bill_pipeline.pipeline.steps import LAYERS, build_layer
from bill_pipeline.registry.client_files import BLOCK_SIZE
from bill_pipeline.warehouse import building
from bill_pipeline.warehouse.transforms import load_transforms
from bill_pipeline.warehouse.unchanged import TableMemory, _lists_read
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.ledger.company import Company
from tests.ledger.lives import FIRST_SYNC, live, lives
from tests.rotation import examples

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4)]

few = settings(
    max_examples=examples(2, by_day=1), deadline=None, suppress_health_check=list(HealthCheck)
)
many = settings(
    max_examples=examples(6, by_day=1), deadline=None, suppress_health_check=list(HealthCheck)
)
#: The tables that stay when a build ends.
KEPT = [key for key, t in load_transforms().items() if t.materialize != "temporary"]
Tables = dict[str, list[tuple[Any, ...]]]


class Watched(Company):
    """A company that keeps what every table held after each sync, each built by its SQL."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(warehouse)
        self.seen: list[Tables] = []

    def sync(self, at: datetime) -> None:
        with pytest.MonkeyPatch.context() as by_sql:
            if not self.reuse:  # every table by its SQL, also where that reads nothing
                by_sql.setattr(building, "comes_out_empty", lambda *_: False)
            super().sync(at)
        self.seen.append({key: sorted(self.rows(f"from {key}"), key=repr) for key in KEPT})


class Thrifty(Watched):
    """The same, but tables that would come out the same, or empty, are not built."""

    reuse = True


@contextmanager
def company(kind: type[Watched]) -> Iterator[Watched]:
    with Warehouse.at(":memory:", "acme") as warehouse:
        yield kind(warehouse)


def compare(life: Any) -> None:
    with company(Watched) as whole, company(Thrifty) as thrifty:
        live(whole, life)
        live(thrifty, life)
        for expected, found in zip(whole.seen, thrifty.seen, strict=True):
            assert {key: found[key] for key in found if found[key] != expected[key]} == {}


@few
@given(life=lives)
def test_reuse_gives_the_tables_of_a_whole_build(life: Any) -> None:
    compare(life)


@many
@given(life=lives)
def test_reuse_gives_the_tables_of_a_whole_build_in_many_lives(life: Any) -> None:
    compare(life)


def bill(number: int, amount: float) -> dict[str, Any]:
    return {
        "id": f"bill-{number}", "vendorId": "paper", "amount": amount, "dueAmount": amount,
        "dueDate": "2026-03-01", "invoice": {"invoiceNumber": f"{number}",
                                             "invoiceDate": "2026-01-15"},
        "billLineItems": [{"id": f"line-{number}", "amount": amount,
                           "classifications": {"chartOfAccountId": "rent"}}],
    }  # fmt: skip


def first_sync(thrifty: Watched) -> None:
    for number in range(3):
        thrifty.put("bills", bill(number, 10.0), FIRST_SYNC)
    thrifty.put("invoices", {"id": "invoice-1", "totalAmount": 5, "dueAmount": 5}, FIRST_SYNC)
    thrifty.sync(FIRST_SYNC)


def built(company: Company) -> set[str]:
    return {table for report in company.reports.values() for table in report.rows}


def test_a_sync_that_brought_a_bill_leaves_the_other_side_alone() -> None:
    with company(Thrifty) as thrifty:
        first_sync(thrifty)
        assert built(thrifty) == set(load_transforms())
        later = FIRST_SYNC + timedelta(hours=1)
        thrifty.put("bills", bill(9, 25.0), later)
        thrifty.sync(later)
        assert {"staging.bills", "ledger.documents", "reports.trial_balance"} <= built(thrifty)
        untouched = {
            "staging.invoices", "staging.parties", "staging.money_movements",
            "ledger.postings_derived_transfers",
        }  # fmt: skip
        assert not untouched & built(thrifty)


def test_a_new_day_builds_what_ages_and_nothing_that_does_not() -> None:
    with company(Thrifty) as thrifty:
        first_sync(thrifty)
        thrifty.sync(FIRST_SYNC + timedelta(days=1))
        assert "reports.payables_aging" in built(thrifty)
        assert "staging.bills" not in built(thrifty)


def test_a_replayed_or_past_build_is_never_taken_for_the_present() -> None:
    with company(Thrifty) as thrifty:
        first_sync(thrifty)
        later = FIRST_SYNC + timedelta(hours=1)
        thrifty.put("bills", bill(9, 25.0), later)
        thrifty.sync(later)
        rows = thrifty.rows("from staging.bills order by all")
        for layer in ("staging", "categorized"):
            build_layer(
                thrifty.warehouse, layer, FIRST_SYNC
            )  # what was known before the fourth bill
        assert thrifty.rows("from staging.bills order by all") != rows
        thrifty.sync(later + timedelta(hours=1))
        assert thrifty.rows("from staging.bills order by all") == rows
        rebuild.rebuild(thrifty.warehouse)
        thrifty.sync(later + timedelta(hours=2))
        assert thrifty.rows("from staging.bills order by all") == rows


def test_every_table_that_reads_one_list_is_known_to() -> None:
    transforms = load_transforms()
    assert _lists_read(transforms["staging.party_versions"]) == (
        "customer_details", "customers", "vendor_details", "vendors",
    )  # fmt: skip
    assert _lists_read(transforms["staging.bills"]) == ("bill_details", "bills")
    assert _lists_read(transforms["staging.documents_known"]) == ()


def test_every_table_of_decisions_counts_as_knowledge() -> None:
    with company(Watched) as whole:
        dated = whole.rows(
            "select table_name from duckdb_columns() "
            "where schema_name = 'decisions' and column_name = 'decided_at'"
        )
    assert {name for (name,) in dated} == set(DATED_TABLES)


def test_the_moment_of_a_build_alone_builds_only_what_reads_it_whole() -> None:
    later = FIRST_SYNC + timedelta(minutes=5)
    with company(Thrifty) as thrifty:
        first_sync(thrifty)
        thrifty.sync(later)
        assert {"ledger.books", "ledger.category_decisions"} <= built(thrifty)
        assert not {"ledger.cash_basis_lines", "reports.balance_sheet"} & built(thrifty)
        memory = TableMemory(thrifty.connection, later)
        aging = load_transforms()["reports.payables_aging"]
        assert memory.inputs_of(aging) is not None
        whole = aging.sql.replace("known_until::date", "known_until")
        assert memory.inputs_of(replace(aging, sql=whole)) is None


def test_a_table_that_reads_a_view_is_always_built() -> None:
    """A view may say something else with as many rows as before."""
    with company(Watched) as watched:
        watched.sync(FIRST_SYNC)
        memory = TableMemory(watched.connection, FIRST_SYNC)
        documents = load_transforms()["ledger.documents"]
        assert memory.inputs_of(documents) is not None
        reader = replace(documents, upstream=(*documents.upstream, "ledger.document_versions"))
        assert memory.inputs_of(reader) is None


def test_a_new_file_has_small_blocks_and_says_what_its_tables_are(tmp_path: Path) -> None:
    path = tmp_path / "acme.duckdb"
    with Warehouse.at(path, "acme") as warehouse:
        for layer in LAYERS:
            build_layer(warehouse, layer, FIRST_SYNC)
        connection = warehouse.connection
        assert connection.execute("select block_size from pragma_database_size()").fetchall() == [
            (BLOCK_SIZE,)
        ]
        words = dict(
            connection.execute(
                "select schema_name || '.' || table_name, comment from duckdb_tables() "
                "union all select schema_name || '.' || view_name, comment from duckdb_views()"
            ).fetchall()
        )
    for transform in (load_transforms()[key] for key in KEPT):
        assert words[transform.key].startswith(transform.summary)
        for column in transform.columns:
            assert f"\n{column.name}: {column.description}" in words[transform.key]
    assert path.stat().st_size < 10_000_000
