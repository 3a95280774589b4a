"""What a run reports about the tables it built: counts, sums, a sample, and what checks found.

Every event names its client, so that a run over many clients reports each one apart. Nothing here
builds a table; nothing here decides whether a check passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dagster as dg

from bill_pipeline.amounts import to_cents
from bill_pipeline.bill.lists import LISTS
from bill_pipeline.dagster.charts import report_chart
from bill_pipeline.dagster.table_specs import column_schema, key_of
from bill_pipeline.warehouse.transforms import Transform, in_build_order, load_transforms

if TYPE_CHECKING:
    # The layers' own modules load scikit-learn and dlt, which a page of the UI must not wait for.
    import duckdb

    from bill_pipeline.categorization.categorize import CategorizeReport
    from bill_pipeline.errors import CheckResult
    from bill_pipeline.ingest.loading import ImportReport
    from bill_pipeline.publishing.publish import PublishReport
    from bill_pipeline.warehouse.layer_report import LayerReport

AssetEvent = dg.AssetMaterialization | dg.AssetCheckEvaluation

#: Rows of each table shown in the UI: enough to see what the table looks like, too few to leak
#: a client's books into Dagster's database.
SAMPLE_ROWS = 5
#: A cell longer than this is cut in samples and offending rows.
CELL_CHARACTERS = 200
#: In a publication's metadata: the number of the build that is shown.
BUILD = "build"
#: The table that shows what the model decided.
LINES = "categorized.lines"


def import_events(
    report: ImportReport, client: str, *, brief: bool = False
) -> Iterator[dg.AssetMaterialization]:
    """One materialization per BILL list that was read, and those of the archive.

    ``brief``: only the lists in which something was new, and nothing of the archive.
    """
    archived = report.archive
    # Dagster wants what is read from others after them, and THE TABLE is in that order.
    for table in (table for table in LISTS if table in report.documents):
        if brief and not (archived.new.get(table) or archived.changed.get(table)):
            continue
        metadata: dict[str, Any] = {
            "documents_read": plotted(report.documents[table]),
            "documents_new": plotted(archived.new.get(table, 0)),
            "documents_changed": plotted(archived.changed.get(table, 0)),
            "documents_deleted": plotted(archived.deleted.get(table, 0)),
            "documents_quarantined": plotted(archived.quarantined.get(table, 0)),
            "pages": plotted(report.pages.get(table, 0)),
        }
        seconds = report.list_seconds.get(table)
        if seconds:
            metadata["documents_per_second"] = plotted(report.documents[table] / seconds)
        if table in report.skipped_lists:
            metadata["left out because"] = report.skipped_lists[table]
        yield dg.AssetMaterialization(["raw", table], partition=client, metadata=metadata)
    is_odd = archived.quarantined or archived.healed or archived.unknown_fields
    if brief and not (is_odd or report.refuses_others):
        return
    whole: dict[str, Any] = {
        "versions_added": plotted(archived.versions),
        "requests": plotted(report.requests),
        "seconds": plotted(report.seconds),
        "as_of": _moment(report.as_of),
    }
    yield dg.AssetMaterialization(["raw", "document_versions"], partition=client, metadata=whole)
    set_aside: dict[str, Any] = {
        "documents_quarantined": plotted(sum(archived.quarantined.values())),
        "documents_healed": plotted(sum(archived.healed.values())),
    }
    yield dg.AssetMaterialization(["raw", "quarantine"], partition=client, metadata=set_aside)
    unknown: dict[str, Any] = {"fields_first_seen": plotted(len(archived.unknown_fields)),
               "fields": ", ".join(archived.unknown_fields) or "none"}  # fmt: skip
    yield dg.AssetMaterialization(["raw", "schema_notes"], partition=client, metadata=unknown)
    missing = {"lists_missing": ", ".join(report.lists_missing) or "none"}
    yield dg.AssetMaterialization(["raw", "list_refusals"], partition=client, metadata=missing)


def layer_events(
    report: LayerReport,
    client: str,
    *,
    decided: CategorizeReport | None = None,
    connection: duckdb.DuckDBPyConnection | None = None,
    brief: bool = False,
) -> Iterator[AssetEvent]:
    """One materialization per table of the layer and one evaluation per check.

    ``brief``: only the tables that analysts see and that have other rows than before, and the
    checks that found more or less; an event costs more than building most tables.

    With ``connection`` also column types, a sample and charts; a run over many clients leaves
    them out. ``decided`` says what rules and the model did in this sync.
    """
    transforms = load_transforms()
    for transform in in_build_order(transforms[table] for table in report.rows):
        table = transform.key
        if brief and not (transform.is_published and table in report.changed):
            continue
        metadata = _numbers(report, table)
        if decided is not None and table == LINES:
            metadata |= _decisions(decided)
        if connection is not None and transform.materialize != "temporary":
            metadata |= _looks(connection, transform) | report_chart(table, connection)
        yield dg.AssetMaterialization(key_of(table), partition=client, metadata=metadata)
    checks = [c for c in report.checks if not brief or c.name in report.checks_changed]
    yield from check_evaluations(checks, client)


def publication_events(
    report: PublishReport, client: str, built: str | None
) -> Iterator[dg.AssetMaterialization]:
    """The client's part of the published ledger; nothing when it was not published.

    ``built``: the build that this run made, if it made one. Its number is told only when it is the
    one that is shown: by it ``built_elsewhere`` knows that a run has told of the tables.
    """
    if client in report.published:
        yield publication_event(
            client,
            built if built == report.builds.get(client) else None,
            {
                "dagster/partition_row_count": plotted(report.published[client]),
                "seconds": plotted(report.seconds),
            },
        )


def publication_event(
    client: str, build: str | None, metadata: Mapping[str, Any] | None = None
) -> dg.AssetMaterialization:
    """That a build of the client's books (``warehouse.built``) is what analysts read."""
    return dg.AssetMaterialization(
        ["published", "ledger"],
        partition=client,
        metadata={
            **(metadata or {}),
            # Of the console that serves Dagster's page.
            "books": dg.MetadataValue.url(f"/clients/{client}"),
            **({BUILD: build} if build else {}),
        },
    )


def check_evaluations(
    results: Iterable[CheckResult], client: str
) -> Iterator[dg.AssetCheckEvaluation]:
    """What each check found for ``client``, with the first offending rows as a table."""
    for result in results:
        severity = "ERROR" if result.severity == "error" else "WARN"
        yield dg.AssetCheckEvaluation(
            asset_key=key_of(result.table),
            check_name=result.name,
            passed=result.passed,
            severity=dg.AssetCheckSeverity[severity],
            description=None if result.passed else f"{client}: {_rows(result.row_count)} found.",
            metadata=_offending(result),
            partition=client,
        )


def table_value(records: list[dict[str, Any]]) -> dg.TableMetadataValue:
    """``records`` as a table in the UI; all values as text, so that cents are exact."""
    names = list(records[0])
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord({name: _text(record[name]) for name in names}) for record in records
        ],
        schema=dg.TableSchema(columns=[dg.TableColumn(name, "string") for name in names]),
    )


def plotted(number: Decimal | int | float) -> dg.MetadataValue:
    """A number for the UI's plots, which draw floats; the exact one is in the table."""
    return (
        dg.MetadataValue.int(number)
        if isinstance(number, int)
        else dg.MetadataValue.float(float(number))
    )


def _numbers(report: LayerReport, table: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"as_of": _moment(report.as_of)}
    if (rows := report.rows[table]) is not None:
        metadata["dagster/partition_row_count"] = dg.MetadataValue.int(rows)
    if table in report.table_seconds:
        metadata["seconds"] = plotted(report.table_seconds[table])
    if table in report.appended:
        metadata["rows_appended"] = plotted(report.appended[table])
    for name, total in report.sums.items():
        if name.rpartition(".")[0] == table:
            metadata[f"sum_{name.rpartition('.')[2]}"] = plotted(total)
    return metadata


def _looks(connection: duckdb.DuckDBPyConnection, transform: Transform) -> dict[str, Any]:
    described = connection.execute(f"describe {transform.key}").fetchall()
    types = {name: kind.lower() for name, kind, *_ in described}
    metadata: dict[str, Any] = {"dagster/column_schema": column_schema(transform, types, {})}
    sample = connection.execute(f"from {transform.key} limit {SAMPLE_ROWS}").fetchall()
    if sample:
        metadata["sample"] = table_value([dict(zip(types, row, strict=True)) for row in sample])
    return metadata


def _offending(result: CheckResult) -> dict[str, Any]:
    metadata: dict[str, Any] = {"offending_row_count": plotted(result.row_count)}
    if result.rows:
        metadata["offending_rows"] = table_value([dict(row) for row in result.rows])
    return metadata


def _decisions(decided: CategorizeReport) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        f"lines_decided_by_{source}": plotted(count) for source, count in decided.by_source.items()
    }
    metadata["lines_asked"] = plotted(decided.asked)
    if decided.mean_confidence is not None:
        metadata["mean_confidence"] = plotted(decided.mean_confidence)
    if decided.model_version:
        metadata["model_version"] = decided.model_version
    return metadata


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _rows(count: int) -> str:
    return "1 offending row" if count == 1 else f"{count:,} offending rows"


def _text(value: Any) -> str:
    shown = to_cents(value) if isinstance(value, Decimal) else value
    text = "" if shown is None else str(shown)
    return text if len(text) <= CELL_CHARACTERS else f"{text[:CELL_CHARACTERS]}…"
