"""What Dagster recorded of one client, as people see it who see that client and not the firm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from dagster_graphql.schema import create_schema
from graphql import parse, validate
from starlette.testclient import TestClient

from bill_pipeline.console.console import Console
from tests.console import test_dagster_door as attacks
from tests.console.test_dagster_door import OpenDagster, cookie

# The fixtures of the attacks: a Dagster that answers whatever it is told to.
obedient, dagster = attacks.obedient, attacks.dagster
console, http = attacks.console, attacks.http
HERE = "/clients/maple-bakery/assets"
ABOUT = "Every line posted.\n\n**Key:** `id`\n\n```sql\nselect 1\n```"


def node(path: list[str], *, is_partitioned: bool = True, **changes: Any) -> dict[str, Any]:
    """An asset as Dagster answers; ``changes`` to it."""
    return {
        "assetKey": {"path": path}, "groupName": path[0], "description": ABOUT,
        "isPartitioned": is_partitioned, "dependencyKeys": [{"path": ["ledger", "postings"]}],
        "dependedByKeys": [], "latestMaterializationByPartition": [None],
    } | changes  # fmt: skip


BUILT = {
    "timestamp": "1767225600000",
    "metadataEntries": [
        {
            "__typename": "IntMetadataEntry", "label": "dagster/partition_row_count",
            "intValue": 1234,
        },
        {"__typename": "FloatMetadataEntry", "label": "sum_amount", "floatValue": 3452.76},
        {"__typename": "TextMetadataEntry", "label": "as_of", "text": "2026-01-01 00:00:00 UTC"},
        {
            "__typename": "TableSchemaMetadataEntry", "label": "dagster/column_schema",
            "schema": {"columns": [{"name": "debit", "type": "decimal", "description": "Money."}]},
        },
        {
            "__typename": "TableMetadataEntry", "label": "sample",
            "table": {
                "records": ['{"party": "<b>Flour & Co</b>"}'],
                "schema": {"columns": [{"name": "party"}]},
            },
        },
    ],
}  # fmt: skip
FAILED = {
    "timestamp": 1767225600.0,
    "evaluation": {
        "success": False, "severity": "ERROR", "description": "2 offending rows found.",
        "metadataEntries": [],
    },
}  # fmt: skip


@pytest.fixture
def told(dagster: OpenDagster) -> Iterator[list[Any]]:
    """What Dagster is asked; it knows three assets, one of the whole firm, and one failed check."""

    data: dict[str, Any] = {f"c{number}": [FAILED] for number in range(200)}
    data["assetNodes"] = [
        node(["ledger", "journal_lines"], latestMaterializationByPartition=[BUILT]),
        node(["ledger", "postings"]),
        node(["models", "shared"], is_partitioned=False),
    ]
    with answering(dagster, {"data": data}):
        yield dagster.told


@contextmanager
def answering(dagster: OpenDagster, answer: Any, status: int = 200) -> Iterator[None]:
    before = dagster.answer, dagster.status
    dagster.answer, dagster.status = answer, status
    try:
        yield
    finally:
        dagster.answer, dagster.status = before


def test_a_bookkeeper_of_one_client_opens_its_assets(
    console: Console,
    http: TestClient,
    told: list[Any],
) -> None:
    hers = cookie(console, "limited-bookkeeper")
    page = http.get(HERE, headers=hers)
    assert page.status_code == 200
    for shown in ("journal_lines", "1,234", "failed"):
        assert shown in page.text
    assert "shared" not in page.text, "an asset of the whole firm is nobody's partition"
    asset = http.get(f"{HERE}/ledger.journal_lines", headers=hers).text
    for shown in (
        "Every line posted.",
        "3,452.76",
        "2 offending rows found.",
        "Money.",
        "postings",
    ):
        assert shown in asset
    assert "<b>Flour" not in asset
    assert http.get("/dagster/", headers=hers).status_code == 403
    asked = [each["body"]["variables"] for each in told]
    assert asked == [{"client": ["maple-bakery"], "partition": "maple-bakery"}] * 2


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("path", ["", "/ledger.journal_lines"])
@pytest.mark.parametrize("client", ["cedar-dental", "nobody"])
def test_another_clients_assets_are_not_there(
    console: Console,
    http: TestClient,
    dagster: OpenDagster,
    client: str,
    path: str,
) -> None:
    hers = cookie(console, "limited-bookkeeper")
    assert http.get(f"/clients/{client}/assets{path}", headers=hers).status_code == 404
    assert not dagster.told


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("name", ["ledger.nothing", "models.shared", "a%2Fb"])
def test_an_asset_that_is_not_of_the_client_is_not_there(
    console: Console,
    http: TestClient,
    name: str,
) -> None:
    hers = cookie(console, "limited-bookkeeper")
    assert http.get(f"{HERE}/{name}", headers=hers).status_code == 404


@pytest.mark.parametrize(
    ("answer", "status"), [({"errors": [{"message": "/srv/secret"}]}, 200), ({}, 500), ([], 200)]
)
def test_what_dagster_cannot_say_is_said_without_its_words(
    console: Console,
    http: TestClient,
    dagster: OpenDagster,
    answer: Any,
    status: int,
) -> None:
    with answering(dagster, answer, status):
        page = http.get(HERE, headers=cookie(console, "limited-bookkeeper"))
    assert page.status_code == 503
    assert "Dagster could not say" in page.text
    assert "/srv" not in page.text


def test_dagster_knows_all_that_is_asked_of_it(
    console: Console,
    http: TestClient,
    told: list[Any],
) -> None:
    http.get(HERE, headers=cookie(console, "limited-bookkeeper"))
    [asked] = told
    assert not validate(create_schema().graphql_schema, parse(asked["body"]["query"]))
    assert "mutation" not in json.dumps(asked["body"])
