"""A column of JSON has one type, and one place that writes it."""

from __future__ import annotations

import re
import typing
from pathlib import Path
from typing import Any

from bill_pipeline.bill.chunks import ListState
from bill_pipeline.bill.documents import Document
from bill_pipeline.console.auth.users import Clients
from bill_pipeline.decisions.alternatives import Alternative
from bill_pipeline.publishing.tables import PublishedSchema
from bill_pipeline.publishing.versions import WrittenTable
from bill_pipeline.registry.clients import ClientStatus
from bill_pipeline.registry.registry_values import SyncProgress

PACKAGE = Path(__file__).parent.parent / "bill_pipeline"
#: The columns of the registry, of which ``registry_values`` writes and reads all.
OF_THE_REGISTRY = {
    "skipped_lists": dict[str, str],
    "progress": SyncProgress,
    "activity": dict[str, Any],  # ``change_rates.Activity`` makes and reads it
    "looked_at": dict[str, str],
    "quarantined": dict[str, int],
    "refused_documents": dict[str, int],
}
#: Where the column is declared, and its name: its type, and the file that makes the JSON of it.
OTHERS = {
    ("console/database.py", "clients"): (Clients, "console/auth/users.py"),
    ("console/database.py", "notices"): (list[dict[str, str]], "console/auth/sign_ins.py"),
    ("console/database.py", "details"): (dict[str, Any], "console/auth/audit.py"),
    ("decisions/tables.py", "alternatives"): (list[Alternative], "decisions/alternatives.py"),
    ("ingest/raw.py", "state"): (ListState, "ingest/raw.py"),
    ("ingest/raw.py", "document"): (Document, "bill/documents.py"),
    ("ingest/document_versions.py", "document"): (Document, "bill/documents.py"),
    ("publishing/contents.py", "schema"): (PublishedSchema, "publishing/tables.py"),
    ("publishing/contents.py", "tables"): (list[WrittenTable], "publishing/tables.py"),
}
#: They make JSON that is in a statement, a sealed text or a file, or in Dagster's own database.
OF_NO_COLUMN = {
    "dagster/forgetting.py", "ingest/quarantine.py", "registry/session_store.py",
    "warehouse/built.py", "warehouse/unchanged.py",
}  # fmt: skip
_JSON_COLUMN = re.compile(
    r"\b(?!import|in|return|else)(\w+) (?:json\b|text\b[^,\n]*(?:default '[\[{]|,?\s*-- JSON))"
)
_WRITES_SQL = re.compile(r"\b(insert (or \w+ )?into|update \w+ set|replace into)\b")


def sources() -> dict[str, str]:
    """The text of every file of ours that may have to do with a database."""
    return {
        path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
        if not path.is_relative_to(PACKAGE / "sandbox")
    }


def declared() -> set[tuple[str, str]]:
    """Each column of JSON: the file that creates its table, and its name."""
    return {
        (name, column)
        for name, text in sources().items()
        if "create table" in text
        for column in _JSON_COLUMN.findall(text)
    }


def test_every_column_of_json_has_a_type_and_a_writer() -> None:
    registry = {("registry/registry_file.py", column) for column in OF_THE_REGISTRY}
    assert declared() == registry | OTHERS.keys()


def test_a_client_of_the_registry_has_them_in_their_types() -> None:
    hints = typing.get_type_hints(ClientStatus)
    assert {column: hints[column] for column in OF_THE_REGISTRY} == OF_THE_REGISTRY


def test_nobody_else_makes_json_for_a_database() -> None:
    making = {name for name, text in sources().items() if re.search(r"json\.dumps\(", text)}
    writing = {name for name, text in sources().items() if _WRITES_SQL.search(text)}
    known = {writer for _type, writer in OTHERS.values()} | {"registry/registry_values.py"}
    assert known <= making
    assert making & writing <= known | OF_NO_COLUMN
