"""Read a real ledger file into arrays: its lines, and the documents they belong to.

The layout is organization, date, vendor, description, amount, account, department, entity,
transaction_id (others are ignored; missing optional columns read as null). Files that call them
org, label and txn_id, and dates that carry a time of day, are read as well. Nothing here knows
BILL's documents; ``ledger_documents`` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

NO_VENDOR = "(no vendor named)"
REQUIRED = ("organization", "date", "amount")
_ALSO_CALLED = {"organization": "org", "account": "label", "transaction_id": "txn_id"}
_OPTIONAL = ("vendor", "description", "account", "department", "entity", "transaction_id")
_TYPES = {"date": "date", "amount": "decimal(18, 2)"}

# A bill has one vendor and one date: rows of one transaction with several of them are several
# bills. Rows without a transaction of one vendor and day are one bill.
_ROWS = """
select
    coalesce("date", min("date") over (), date '2000-01-01') - date '1970-01-01' as day,
    coalesce(nullif(trim(vendor), ''), ?) as vendor,
    coalesce(transaction_id, '') as transaction_id,
    coalesce(description, '') as description,
    cast(coalesce(amount, 0) * 100 as bigint) as cents,
    coalesce(nullif(trim(account), ''), '') as account,
    coalesce(nullif(trim(department), ''), '') as department,
    coalesce(nullif(trim(entity), ''), '') as entity,
from (select *, row_number() over () as file_row from ledger)
where organization = ?
order by day, transaction_id, vendor, file_row
"""


@dataclass(frozen=True)
class Labels:
    """A text column as codes: ``codes`` (n,) int32 into ``names``; the empty text is -1."""

    names: list[str]
    codes: np.ndarray


@dataclass(frozen=True)
class LedgerLines:
    """All lines of an organization in document order, and where each document begins.

    ``cents`` (n_lines,) int64; ``first_line`` (n_documents + 1,) int64; ``day`` (n_documents,)
    int64 days since 1970; ``amount`` (n_documents,) int64 cents; ``vendor`` codes per document.
    """

    cents: np.ndarray
    description: pa.Array
    account: Labels
    department: Labels
    entity: Labels
    first_line: np.ndarray
    day: np.ndarray
    amount: np.ndarray
    vendor: Labels
    transaction_id: pa.Array


def open_ledger(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection in which the file is the view ``ledger``; raises ``ValueError`` for another
    layout."""
    connection = duckdb.connect()
    quoted = str(path).replace("'", "''")
    try:
        columns = connection.execute(f"describe select * from '{quoted}'").fetchall()
    except duckdb.Error as problem:
        raise ValueError(f"Cannot read {path} as a ledger: {problem}") from None
    names = {row[0] for row in columns}
    source = {
        name: name if name in names else _ALSO_CALLED.get(name, name)
        for name in (*REQUIRED, *_OPTIONAL)
    }
    missing = [name for name in REQUIRED if source[name] not in names]
    if missing:
        raise ValueError(f"{path} is no ledger: it lacks the columns {', '.join(missing)}")
    selected = [f'"{source[n]}"::{_TYPES.get(n, "varchar")} as {n}'
                if source[n] in names else f"null::varchar as {n}"
                for n in source]  # fmt: skip
    connection.execute(f"create view ledger as select {', '.join(selected)} from '{quoted}'")
    return connection


def organizations(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select distinct organization from ledger where organization is not null order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def totals(connection: duckdb.DuckDBPyConnection, organization: str) -> tuple[int, Any]:
    """(lines, sum of amounts as Decimal) the file has for an organization."""
    return connection.execute(
        "select count(*), coalesce(sum(amount), 0) from ledger where organization = ?",
        [organization],
    ).fetchall()[0]


def read_lines(connection: duckdb.DuckDBPyConnection, organization: str) -> LedgerLines:
    """All lines of an organization, oldest document first."""
    table = connection.execute(_ROWS, [NO_VENDOR, organization]).to_arrow_table()
    column = {name: table[name].combine_chunks() for name in table.column_names}
    day, cents = column["day"].to_numpy(), column["cents"].to_numpy()
    vendor, transaction = _labels(column["vendor"]), _labels(column["transaction_id"])
    is_first = np.ones(len(day), dtype=bool)
    for values in (day, vendor.codes, transaction.codes):
        is_first[1:] &= values[1:] == values[:-1]
    is_first = ~is_first
    is_first[0] = True
    first = np.flatnonzero(is_first)
    return LedgerLines(
        cents=cents,
        description=column["description"],
        account=_labels(column["account"]),
        department=_labels(column["department"]),
        entity=_labels(column["entity"]),
        first_line=np.append(first, len(day)),
        day=day[first],
        amount=np.add.reduceat(cents, first),
        vendor=Labels(vendor.names, vendor.codes[first]),
        transaction_id=column["transaction_id"].take(pa.array(first)),
    )


def _labels(texts: pa.Array) -> Labels:
    encoded = texts.dictionary_encode()
    names: list[str] = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy().astype(np.int32)
    if "" in names:
        codes = np.where(codes == names.index(""), -1, codes)
    return Labels(names, codes)
