"""Where each column of a SQL file comes from, in words for its description.

The open-source UI does not draw column lineage; so every description ends in ``← source``. sqlglot
finds the sources; that takes a second or two for all files, so the answer is kept in the user's
cache folder under a hash of everything it depends on.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage

from bill_pipeline.warehouse.transforms import Transform

#: Longer lists of sources say less than their first names.
MOST_SOURCES = 4
Schema = dict[str, dict[str, dict[str, str]]]


def column_sources(
    transforms: Mapping[str, Transform], other_tables: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """table → column → the text after ``←``; every column of every transform has one.

    ``other_tables`` are the tables that no SQL file makes, with their columns' types.
    """
    schema = _schema(transforms, other_tables)
    texts = [sqlglot.__version__, json.dumps(schema, sort_keys=True)]
    texts += [transforms[key].sql for key in sorted(transforms)]
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]
    cached = Path.home() / ".cache" / "bill-pipeline" / f"column-sources-{digest}.json"
    with contextlib.suppress(OSError, ValueError):
        stored: dict[str, dict[str, str]] = json.loads(cached.read_text(encoding="utf-8"))
        return stored
    found = {key: sources_of(transform, schema) for key, transform in transforms.items()}
    with contextlib.suppress(OSError):
        cached.parent.mkdir(parents=True, exist_ok=True)
        # Two processes may write at once; each renames a whole file into place.
        with tempfile.NamedTemporaryFile("w", dir=cached.parent, delete=False) as file:
            json.dump(found, file)
        Path(file.name).replace(cached)
    return found


def sources_of(transform: Transform, schema: Schema) -> dict[str, str]:
    """column → the text after ``←``, for one SQL file."""
    tables = ", ".join(transform.upstream) or "this file alone"
    try:
        nodes = lineage(None, transform.sql, schema=schema, dialect="duckdb")
    except Exception:  # noqa: BLE001
        # sqlglot cannot follow every valid DuckDB query, and says so with whatever error it meets.
        # A description must never keep the books from loading; the tables are true all the same.
        return {column.name: tables for column in transform.columns}
    sources: dict[str, str] = {}
    for column in transform.columns:
        node = nodes.get(column.name)
        found = {
            f"{leaf.source.db}.{leaf.source.name}.{leaf.name.rpartition('.')[2]}"
            for leaf in (node.walk() if node else ())
            if isinstance(leaf.source, exp.Table) and leaf.source.db
        }
        sources[column.name] = _shortened(sorted(found)) or "set by this file"
    return sources


def _shortened(sources: list[str]) -> str:
    more = len(sources) - MOST_SOURCES
    shown = ", ".join(sources[:MOST_SOURCES])
    return f"{shown} and {more} more" if more > 0 else shown


def _schema(
    transforms: Mapping[str, Transform], other_tables: Mapping[str, Mapping[str, str]]
) -> Schema:
    schema: Schema = {}
    for transform in transforms.values():
        columns = {column.name: "varchar" for column in transform.columns}
        schema.setdefault(transform.schema, {})[transform.name] = columns
    for table, types in other_tables.items():
        layer, _, name = table.partition(".")
        schema.setdefault(layer, {})[name] = dict(types)
    return schema
