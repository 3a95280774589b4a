"""Read clients' Parquet files as one table, with the right columns, whatever code wrote them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bill_pipeline.publishing.tables import CLIENT_COLUMN, PublishedTable, identifier, quoted
from bill_pipeline.publishing.versions import Layout, Version, version_path

#: A table that earlier releases did not publish → one that says the same of their books: what
#: something was last, it was for all days and at all times.
_STANDS_IN = {
    "accounts_by_day": "accounts", "account_versions": "accounts", "account_history": "accounts",
    "party_versions": "parties", "book_versions": "books", "document_facts": "documents",
    "lines_before_books_history": "lines_before_books",
}  # fmt: skip
_STANDS_FOR_ALL = {
    "valid_from": "date '0001-01-01'", "valid_to": "date '9999-12-31'",
    "known_from": "timestamp '0001-01-01'", "known_to": "timestamp '9999-12-31'",
    "change_no": "1", "is_gone": "false",
}  # fmt: skip
#: The SQL of a list with one table's files of some versions, all of one layout.
FilesOf = Callable[[Layout, Sequence[Version], PublishedTable], str]


@dataclass(frozen=True)
class Layouts:
    """Versions by the tables and columns they have; nearly all clients share one layout."""

    versions: Mapping[Layout, tuple[Version, ...]]

    @classmethod
    def of(cls, versions: Iterable[Version]) -> Layouts:
        grouped: dict[Layout, list[Version]] = {}
        for version in sorted(versions, key=lambda each: each.client):
            grouped.setdefault(version.layout, []).append(version)
        return cls({layout: tuple(same) for layout, same in grouped.items()})

    def select(self, table: PublishedTable, files_of: FilesOf) -> str:
        """Every version's rows of ``table``; files with the same columns are read together."""
        files: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for layout, versions in self.versions.items():
            names = {written.table for written in layout.tables}
            stored = table.name if table.name in names else _STANDS_IN.get(table.name, table.name)
            for written in layout.tables:
                if written.table == stored:
                    source = files_of(layout, versions, replace(table, name=stored))
                    files.setdefault(written.columns, []).append(source)
        selects = [
            _select_from(table, dict(stored), " || ".join(lists)) for stored, lists in files.items()
        ]
        return " union all ".join(selects) or _select_empty(table)


def files_in(folder: Path) -> FilesOf:
    """The versions' files in ``folder``, one by one."""

    def files_of(_layout: Layout, versions: Sequence[Version], table: PublishedTable) -> str:
        paths = (version_path(str(folder), table.name, v.client, v.number) for v in versions)
        return f"[{', '.join(map(quoted, paths))}]"

    return files_of


def _select_from(table: PublishedTable, stored: dict[str, str], files: str) -> str:
    """The table's columns, in order and of the right type, whatever code wrote the files."""
    selected = [CLIENT_COLUMN]
    for column in table.columns:
        name = identifier(column.name)
        if column.name not in stored:
            stands_in = table.name in _STANDS_IN
            default = _STANDS_FOR_ALL.get(column.name, "null") if stands_in else "null"
            selected.append(f"{default}::{column.type} as {name}")
        elif stored[column.name] == column.type:
            selected.append(name)
        else:
            selected.append(f"{name}::{column.type} as {name}")
    # The folder's name says whose file it is: a query on one client opens one file.
    return (
        f"select {', '.join(selected)} from read_parquet({files}, "
        "hive_partitioning = true, hive_types = {'client': varchar})"
    )


def _select_empty(table: PublishedTable) -> str:
    columns = "".join(f", null::{c.type} as {identifier(c.name)}" for c in table.columns)
    return f"select null::varchar as {CLIENT_COLUMN}{columns} where false"
