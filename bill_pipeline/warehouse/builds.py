"""Up to which moment each layer of a client's file was built, and from which SQL."""

from __future__ import annotations

import hashlib
from datetime import datetime

import duckdb

from bill_pipeline.warehouse.transforms import SCHEMAS, load_checks, load_transforms

BUILDS = """
create schema if not exists upkeep;
create table if not exists upkeep.builds (
    -- The layer: a file of any release has this column.
    room varchar primary key, as_of timestamp not null, code_version varchar not null
);
"""


def all_built_at(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> datetime | None:
    """The last moment (naive UTC) up to which every layer was built, by the present code.

    None when there is none, or a layer was built for a moment after ``as_of``, by a clock that was
    ahead: it lacks what was learnt since.
    """
    connection.execute(BUILDS)
    built = {
        layer: at
        for layer, at, version in connection.execute("from upkeep.builds").fetchall()
        if layer in SCHEMAS and version == layer_version(layer)
    }
    if len(built) < len(SCHEMAS) or max(built.values()) > as_of.replace(tzinfo=None):
        return None
    return min(built.values())


def forget_build(connection: duckdb.DuckDBPyConnection, layer: str) -> None:
    """What ``layer`` shows is of no one moment any more."""
    connection.execute(BUILDS)
    connection.execute("delete from upkeep.builds where room = ?", [layer])


def layer_version(layer: str) -> str:
    """Changes when any SQL file of the layer, or a check on it, changes."""
    texts = [t.code_version for t in load_transforms().values() if t.schema == layer]
    texts += [c.sql for c in load_checks().values() if c.table.split(".")[0] == layer]
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()[:16]
