"""What Dagster recorded of one client's assets, asked for by the console itself.

Dagster's own page shows every client of the firm, so it opens for people who see them all. Here the
console writes the query, which names one partition, and reads of the answer only what it knows:
whoever sees that client may see it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson

from bill_pipeline.dagster.address import PREFIX
from bill_pipeline.errors import PipelineError
from bill_pipeline.warehouse.transforms import load_checks

_PATIENCE = httpx.Timeout(20.0, connect=5.0)
_ALL = """
query ClientAssets($client: [String!], $partition: String) {
  #checks
  assetNodes(loadMaterializations: false) { ...Fields }
}
fragment Fields on AssetNode {
  assetKey { path } groupName description isPartitioned
  dependencyKeys { path } dependedByKeys { path }
  latestMaterializationByPartition(partitions: $client) {
    timestamp
    metadataEntries {
      __typename label
      ... on TextMetadataEntry { text }
      ... on IntMetadataEntry { intValue }
      ... on FloatMetadataEntry { floatValue }
      ... on TableMetadataEntry { table { records schema { columns { name } } } }
      ... on TableSchemaMetadataEntry { schema { columns { name type description } } }
    }
  }
}
"""
#: Of one check, under an alias of its own: each is asked for by its name.
_CHECK = """
c{number}: assetCheckExecutions(
  assetKey: {{path: {path}}}, checkName: "{name}", partition: $partition, limit: 1
) {{
  timestamp
  evaluation {{
    success severity description
    metadataEntries {{
      __typename label
      ... on TableMetadataEntry {{ table {{ records schema {{ columns {{ name }} }} }} }}
    }}
  }}
}}"""
#: Of Markdown, in which Dagster's descriptions are written.
_MARKS = str.maketrans("", "", "*`")
_ROW_COUNT = "dagster/partition_row_count"
_COLUMNS = "dagster/column_schema"


class DagsterSilent(PipelineError):
    """Dagster does not answer now; the message says so."""


@dataclass(frozen=True)
class Sample:
    """Rows as Dagster shows them: all values as text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class CheckShown:
    """The newest evaluation of a check for the client; ``passed`` is None before the first."""

    name: str
    about: str
    is_error: bool
    passed: bool | None = None
    found: str = ""
    evaluated_at: datetime | None = None
    offending: Sample | None = None


@dataclass(frozen=True)
class ClientAsset:
    """One asset's partition of the client; ``built_at`` is None before it was materialized."""

    key: tuple[str, ...]
    group: str
    about: str
    sql: str
    upstream: tuple[tuple[str, ...], ...]
    downstream: tuple[tuple[str, ...], ...]
    built_at: datetime | None
    row_count: int | None
    facts: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str, str], ...]  # name, type, what it means
    sample: Sample | None
    checks: list[CheckShown] = field(default_factory=list)

    @property
    def name(self) -> str:
        return ".".join(self.key)


def client_assets(socket: Path, client: str) -> dict[str, ClientAsset]:
    """The assets with a partition for ``client``, by name such as ``ledger.journal_lines``.

    ``socket``: where Dagster's page listens. Raises DagsterSilent.
    """
    checks = list(load_checks().values())
    asked = "".join(
        _CHECK.format(
            number=number,
            path=orjson.dumps(check.table.split(".")).decode(),
            name=check.name,
        )
        for number, check in enumerate(checks)
    )
    query = _ALL.replace("#checks", asked)
    answer = _ask(socket, query, {"client": [client], "partition": client})
    assets = {
        asset.name: asset
        for node in answer["assetNodes"]
        if node["isPartitioned"]
        for asset in [_asset(node)]
    }
    for number, check in enumerate(checks):
        if check.table in assets:
            shown = _check(check.name, check.summary, check.severity, answer[f"c{number}"])
            assets[check.table].checks.append(shown)
    return assets


def _ask(socket: Path, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    body = orjson.dumps({"query": query, "variables": variables})
    request = httpx.Request(
        "POST", f"http://dagster{PREFIX}/graphql", content=body,
        headers={"content-type": "application/json"},
        extensions={"timeout": _PATIENCE.as_dict()},
    )  # fmt: skip
    try:
        with httpx.HTTPTransport(uds=str(socket)) as transport:
            answer = transport.handle_request(request)
            found = orjson.loads(answer.read())
    except (httpx.TransportError, orjson.JSONDecodeError) as error:
        raise DagsterSilent("Dagster is starting. Try again in a moment.") from error
    is_answer = isinstance(found, dict) and not found.get("errors") and found.get("data")
    if answer.status_code != 200 or not is_answer:
        raise DagsterSilent("Dagster could not say what it knows of these assets.")
    return dict(found["data"])


def _asset(node: dict[str, Any]) -> ClientAsset:
    [latest] = node["latestMaterializationByPartition"] or [None]
    entries = latest["metadataEntries"] if latest else []
    described = (entry["schema"]["columns"] for entry in entries if entry["label"] == _COLUMNS)
    about, _, sql = (node["description"] or "").partition("```sql")
    return ClientAsset(
        key=tuple(node["assetKey"]["path"]),
        group=node["groupName"],
        about=about.translate(_MARKS).strip(),
        sql=sql.partition("```")[0].strip(),
        upstream=_keys(node["dependencyKeys"]),
        downstream=_keys(node["dependedByKeys"]),
        built_at=_moment(float(latest["timestamp"]) / 1000) if latest else None,
        row_count=next((e["intValue"] for e in entries if e["label"] == _ROW_COUNT), None),
        facts=tuple(
            (entry["label"], shown)
            for entry in entries
            if entry["label"] != _ROW_COUNT and (shown := _shown(entry)) is not None
        ),
        columns=tuple((c["name"], c["type"], c["description"] or "") for c in next(described, [])),
        sample=_sample(entries),
    )


def _check(name: str, about: str, severity: str, executions: list[dict[str, Any]]) -> CheckShown:
    evaluation = executions[0]["evaluation"] if executions else None
    if not evaluation:
        return CheckShown(name, about, severity == "error")
    return CheckShown(
        name,
        about,
        severity == "error",
        passed=evaluation["success"],
        found=evaluation["description"] or "",
        evaluated_at=_moment(executions[0]["timestamp"]),
        offending=_sample(evaluation["metadataEntries"]),
    )


def _keys(found: list[dict[str, Any]]) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted(tuple(key["path"]) for key in found))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _shown(entry: dict[str, Any]) -> str | None:
    match entry["__typename"]:
        case "TextMetadataEntry":
            return str(entry["text"])
        case "IntMetadataEntry":
            return f"{entry['intValue']:,}"
        case "FloatMetadataEntry":
            return f"{entry['floatValue']:,.2f}"
    return None


def _sample(entries: list[dict[str, Any]]) -> Sample | None:
    table = next((e["table"] for e in entries if e["__typename"] == "TableMetadataEntry"), None)
    if table is None:
        return None
    columns = tuple(column["name"] for column in table["schema"]["columns"])
    rows = [orjson.loads(record) for record in table["records"]]
    return Sample(columns, tuple(tuple(str(row.get(name, "")) for name in columns) for row in rows))
