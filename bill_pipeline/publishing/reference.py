"""Write ``docs/schema.md``: every table, column and macro of the ledger, from the SQL files' words.

::

    python -m bill_pipeline.publishing.reference docs/schema.md

A test compares the file with what this module would write, so the reference cannot grow old.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from bill_pipeline.publishing import registry
from bill_pipeline.publishing.tables import (
    CLIENT_DESCRIPTION,
    PublishedColumn,
    PublishedSchema,
    PublishedTable,
    published_schema,
)
from bill_pipeline.publishing.values import VALUES, values_of

_INTRODUCTION = """\
# The published ledger

`<home>/ledger.duckdb`, opened read-only by any DuckDB tool ([how](analysts.md)). Every table has
`client` first. Amounts are exact decimals in the client's home currency unless a column says
otherwise; `amount` in the journal is debit less credit. Times are UTC. The same words are in the
file itself: `select * from duckdb_columns()`.

This page is written by `python -m bill_pipeline.publishing.reference docs/schema.md` from the
comments in `transforms/`; edit them, not it.
"""
_LAYERS = (
    ("", "Clients", "Who is in the ledger and how fresh each one is; across all clients."),
    ("ledger", "Ledger", "What happened: accounts, parties, documents and the journal."),
    ("reports", "Reports", "What it means: statements, aging, and what to look at."),
)
#: The diagram shows these tables; a column of that name refers to the key of the other table.
_DIAGRAM = (
    "clients", "accounts", "parties", "documents", "document_lines", "transactions",
    "journal_entries", "journal_lines",
)  # fmt: skip
_REFERENCES = {
    "account_id": "accounts",
    "party_id": "parties",
    "document_id": "documents",
    "entry_id": "journal_entries",
}


def schema_reference(schema: PublishedSchema) -> str:
    """The whole page as Markdown."""
    tables = (*registry.TABLES, *schema.tables)
    parts = [_INTRODUCTION, *_contents(tables), *_diagram(tables)]
    for layer, title, about in _LAYERS:
        parts.append(f"## {title}\n\n{about}\n")
        parts.extend(_table(t) for t in tables if t.source.rpartition(".")[0] == layer)
    parts.extend(_values())
    parts.append("## Reports as of another day\n")
    parts.append(
        "Table macros: the client first, then what may be left out. `known_at` shows the books as "
        "they were known at that moment; a report for a past day and moment never changes.\n"
    )
    parts.append(_macros(schema))
    return "\n".join(parts)


def _contents(tables: tuple[PublishedTable, ...]) -> Iterator[str]:
    yield "| table | what it holds |\n|---|---|"
    for table in tables:
        yield f"| [{table.name}](#{table.name}) | {_cell(table.summary)} |"
    yield ""


def _diagram(tables: tuple[PublishedTable, ...]) -> Iterator[str]:
    yield "## How the tables are linked\n\n```mermaid\nerDiagram"
    by_name = {table.name: table for table in tables}
    for name in _DIAGRAM:
        columns = [column.name for column in by_name[name].columns]
        if name != "clients":
            yield f"    clients ||--o{{ {name} : client"
        for column, other in _REFERENCES.items():
            if column in columns and other != name:
                yield f"    {other} ||--o{{ {name} : {column}"
    yield "    documents ||--o{ journal_lines : open_item_id\n```\n"
    yield (
        "Join on `client` and the column named; ids are BILL's own and unique within a client. "
        "`open_item_id` is the document that a line on a control account opens or settles.\n"
    )


def _table(table: PublishedTable) -> str:
    lines = [
        f"### {table.name}\n",
        f"{table.summary}\n",
        f"{table.grain[:1].upper()}{table.grain[1:]}; key `{', '.join(table.key_columns)}`.\n",
        "| column | type | meaning |\n|---|---|---|",
        f"| client | VARCHAR | {CLIENT_DESCRIPTION} |",
        *(f"| {c.name} | {c.type} | {_cell(_meaning(table, c))} |" for c in table.columns),
        "",
    ]
    return "\n".join(lines)


def _meaning(table: PublishedTable, column: PublishedColumn) -> str:
    """The column's own words, and where all its values are explained."""
    if not values_of(table, column):
        return column.description
    return f"{column.description} [All values](#{_anchor(table, column)})."


def _anchor(table: PublishedTable, column: PublishedColumn) -> str:
    """Where the values of ``column`` are explained; several columns may share one place."""
    specific = f"{table.name}.{column.name}"
    name = specific if specific in VALUES else column.name
    same = next(other for other in VALUES if VALUES[other] is VALUES[name])
    return f"values-of-{same.replace('.', '')}"


def _values() -> Iterator[str]:
    yield "## Values\n"
    yield (
        "What the columns of few values can hold. Statuses are BILL's own words: it may add to "
        "them. What follows a colon in `event` is the id of the settlement.\n"
    )
    shown: list[dict[str, str]] = []
    for name, values in VALUES.items():
        if any(values is other for other in shown):
            continue
        shown.append(values)
        yield f"### Values of {name}\n\n| value | meaning |\n|---|---|"
        yield from (f"| `{value}` | {_cell(meaning)} |" for value, meaning in values.items())
        yield ""


def _macros(schema: PublishedSchema) -> str:
    lines = ["| macro | what it shows |\n|---|---|"]
    for macro in sorted(schema.macros, key=lambda macro: macro.name):
        parameters = "".join(f", {name} := null" for name in macro.parameters)
        lines.append(f"| `{macro.name}(client{parameters})` | {_cell(macro.summary)} |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(schema_reference(published_schema()), encoding="utf-8")
