"""A table that is made without its SQL is one of which the SQL would give no row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bill_pipeline.pipeline import replay
from bill_pipeline.warehouse import building
from bill_pipeline.warehouse.empty_tables import IsEmpty, comes_out_empty, make_empty
from bill_pipeline.warehouse.slices import over_temporary
from bill_pipeline.warehouse.transforms import Transform, load_transforms
from tests.ledger.company import new_company
from tests.ledger.lives import FIRST_SYNC
from tests.stories.runner import run_story

#: SQL over ``a.none`` and ``a.some``, and whether it is known to give no row when ``a.none`` and
#: the list ``bills`` of ``raw.document_versions`` are empty.
SHAPES = {
    "select x from a.none": True,
    "select x from a.some": False,
    "from a.none": True,
    "select 1": False,
    "select n.x from a.none as n left join a.some as s on s.x = n.x": True,
    "select s.x from a.some as s left join a.none as n on s.x = n.x": False,
    "select s.x from a.some as s inner join a.none as n on s.x = n.x": True,
    "select s.x from a.some as s cross join a.none as n": True,
    "select s.x from a.some as s, a.none as n": True,
    "select s.x from a.some as s semi join a.none as n on s.x = n.x": True,
    "select s.x from a.some as s anti join a.none as n on s.x = n.x": False,
    "select n.x from a.none as n right join a.some as s on s.x = n.x": False,
    "select n.x from a.none as n full join a.some as s on s.x = n.x": False,
    "select n.x from a.none as n full join a.none as s on s.x = n.x": True,
    "select s.x from a.some as s asof join a.none as n on s.x >= n.x": True,
    "select s.x from a.some as s asof left join a.none as n on s.x >= n.x": False,
    "select n.x from a.none as n left join a.some as s on true cross join a.some as t": True,
    "select x from a.none union all select x from a.some": False,
    "select x from a.none union all select x from a.none": True,
    "select x from a.none except select x from a.some": True,
    "select x from a.some except select x from a.none": False,
    "with c as (select x from a.none) select c.x from c inner join a.some as s using (x)": True,
    "with c as (select x from a.some), d as (select * from c) select x from d": False,
    "with none as (select x from a.some) select x from none": False,
    "with recursive c as (select 1 as x union all select x + 1 from c where x < 3) from c": False,
    "select x from (select x from a.none) as inside": True,
    "select x from (select count(*) as x from a.none) as inside": False,
    "select count(*) as x from a.none": False,
    "select 1 + coalesce(max(x), 0) as x from a.none": False,
    "select max(x) as x from a.none having count(*) = 0": False,
    "select mad(x) as x from a.none": False,
    "select json_group_array(x) as x from a.none": False,
    "select columns(*) from a.none": True,
    "select x, count(*) from a.none group by x": True,
    "select x, count(*) from a.none group by all": True,
    "select count(*) from a.none group by all": False,
    "select x, count(*) from a.none group by 1": True,
    "select count(*) from a.none group by ()": False,
    "select count(*) from a.none group by rollup (x)": False,
    "select sum(x) over () as x from a.none": True,
    "select sum(sum(x)) over () as x from a.none": False,
    "select (select count(*) from a.none) as x from a.some": False,
    "select (select count(*) from a.some) as x from a.none": True,
    "select s.x from a.some as s, unnest([1]) as u(y)": False,
    "select n.x, u.y from a.none as n, unnest([1]) as u(y)": True,
    "select x from range(3) as r(x)": False,
    "select x from (values (1)) as v(x)": False,
    "select prorated(x, 1, 2) as x from a.none": True,
    "select id from raw.document_versions where list = 'bills'": True,
    "select id from raw.document_versions where list in ('bills') and id <> ''": True,
    "select id from raw.document_versions where list = 'vendors'": False,
    "select id from raw.document_versions where list = 'bills' or list = 'vendors'": False,
    "select id from raw.document_versions": False,
    "select d.id from raw.document_versions as d cross join a.some as s "
    "where d.list = 'bills'": True,
    "select d.id from raw.document_versions as d left join raw.document_versions as e "
    "on e.id = d.id where d.list = 'vendors' and e.list = 'bills'": False,
    "select last_decided(x, x, x) as x from a.none": False,
    "select last_decided(x, x, x) as x from a.none group by all": False,
    "select x, last_decided(x, x, x) as y from a.none group by x": True,
}  # fmt: skip
TABLES = """
create schema a;
create table a.none (x integer);
create table a.some as select 1 as x;
create schema raw;
create table raw.document_versions as select 'vendors' as list, 'v1' as id;
create macro prorated(total, part, whole) as total * part // whole;
create macro last_decided(value, decided_at, row_no) as arg_max(value, (decided_at, row_no));
"""


def transform_of(sql: str) -> Transform:
    """Any transform, with ``sql`` as its own."""
    return replace(load_transforms()["staging.bills"], path=Path("a.sql"), sql=sql)


@pytest.mark.parametrize(("sql", "is_known"), SHAPES.items(), ids=SHAPES)
def test_what_is_said_to_be_empty_is(sql: str, is_known: bool) -> None:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        rows = connection.execute(sql).fetchall()
    said = comes_out_empty(
        transform_of(sql), lambda table, lists: table == "a.none" or list(lists) == ["bills"]
    )
    assert said == is_known
    assert not (said and rows)


@pytest.mark.slow
def test_half_of_the_tables_of_a_client_with_few_lists_are_made_by_their_columns_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the same columns and types as by their SQL, at the first sync of the next client."""
    columns = (
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where not internal and database_name <> 'temp' order by all"
    )
    with new_company() as first, new_company() as second:
        with monkeypatch.context() as by_sql:
            by_sql.setattr(building, "comes_out_empty", lambda *_: False)
            first.sync(FIRST_SYNC)
        second.sync(FIRST_SYNC)
        assert second.rows(columns) == first.rows(columns)
    made = []

    def make(connection: duckdb.DuckDBPyConnection, transform: Transform) -> bool:
        made.append(transform.key)
        return make_empty(connection, transform)

    monkeypatch.setattr(building, "make_empty", make)
    with new_company() as third:
        third.sync(FIRST_SYNC)
        assert {"staging.bills", "ledger.postings_documents", "reports.open_items"} <= {*made}
        assert "staging.policies" not in made


@pytest.mark.slow
def test_the_first_documents_of_a_client_reach_every_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The journal is empty when a sync begins, and is not when the reports read it."""
    bill = {
        "id": "B", "vendorId": "V", "amount": 90, "approvalStatus": "APPROVED",
        "invoice": {"invoiceDate": "2026-01-05"}, "billLineItems": [{"id": "B-1", "amount": 90}],
    }  # fmt: skip
    payment = {
        "id": "P", "vendorId": "V", "amount": 90, "processDate": "2026-01-09",
        "singleStatus": "CLEARED", "billPayments": [{"id": "P-1", "billId": "B", "amount": 90}],
    }  # fmt: skip
    with new_company() as nothing, new_company() as whole, new_company() as short:
        nothing.sync(FIRST_SYNC)
        for company in (whole, short):
            company.put("bills", bill, FIRST_SYNC)
            company.put("payments", payment, FIRST_SYNC)
        short.sync(FIRST_SYNC)
        monkeypatch.setattr(building, "comes_out_empty", lambda *_: False)
        whole.sync(FIRST_SYNC)
        assert short.rows("from ledger.cash_basis_lines")
        for key in (k for k, t in load_transforms().items() if t.materialize != "temporary"):
            assert sorted(map(repr, short.rows(f"from {key}"))) == sorted(
                map(repr, whole.rows(f"from {key}"))
            ), key


#: The longest stories have the most kinds of documents, decisions and closes.
LONGEST = sorted(
    (Path(__file__).parents[1] / "stories").glob("*.yaml"), key=lambda path: -path.stat().st_size
)[:8]


@pytest.mark.rotating(days=8)
@pytest.mark.slow
@pytest.mark.parametrize("path", LONGEST, ids=lambda path: path.stem)
def test_whatever_is_said_to_be_empty_in_a_story_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every sync of it, and when its history is posted again both ways."""
    claims, wrong = 0, []

    def checked(transform: Transform, is_empty: IsEmpty) -> bool:
        nonlocal claims
        if not comes_out_empty(transform, is_empty):
            return False
        claims += 1
        who: Any = is_empty.__self__  # type: ignore[attr-defined]
        sql = who._sql(transform) if hasattr(who, "_sql") else over_temporary(transform, "whole")
        if who._connection.execute(f"select 1 from ({sql}) limit 1").fetchone():
            wrong.append(transform.key)
        return True

    monkeypatch.setattr(building, "comes_out_empty", checked)
    monkeypatch.setattr(replay, "comes_out_empty", checked)
    run_story(path)
    assert claims > 100
    assert not wrong
