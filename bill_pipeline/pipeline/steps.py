"""The steps of a sync, in the order in which data flows: what each brings, and what decides in it.

``client_sync.Sync``, by which the command line and the console sync, and Dagster read them here; so
do a rebuild and a preview of new posting rules, which go the steps up to the journal. Building
itself is ``warehouse``'s, which knows no table by name; running the steps for one client is
``client_sync``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bill_pipeline.decisions.account_roles import decide_missing_roles
from bill_pipeline.decisions.processing_fees import decide_processing_fees
from bill_pipeline.errors import ChecksFailed
from bill_pipeline.pipeline.batches import record_batch, require_order
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.layer_report import LayerReport
from bill_pipeline.warehouse.upkeep import record_build
from bill_pipeline.warehouse.warehouse import DecidedInSql, Warehouse

if TYPE_CHECKING:
    from bill_pipeline.categorization.categorize import CategorizeReport


@dataclass(frozen=True)
class Step:
    """One step. ``name`` is that of the layer it brings, and of its step and assets in Dagster."""

    name: str
    brings: str
    doing: str  # what people read while it goes on
    #: Whether it builds the tables of ``transforms/<name>``, in one transaction.
    is_sql: bool = True
    #: Decided by SQL within that transaction: a rebuild finds it decided already.
    decides: tuple[DecidedInSql, ...] = ()
    #: Decided before it, from the names in the layer before; returns how many.
    decides_before: Callable[[Warehouse, Home, datetime], int] | None = None
    #: Decided after it; what reads the decisions is then built once more.
    decides_after: Callable[[Warehouse, Home, datetime], CategorizeReport] | None = None
    #: The append-only table of the layer that posts; its batches are in order of time.
    posts: str | None = None


def _resolve_parties(warehouse: Warehouse, home: Home, as_of: datetime) -> int:
    from bill_pipeline.categorization.parties import resolve_parties

    return resolve_parties(warehouse, home, as_of)


def _categorize_lines(warehouse: Warehouse, home: Home, as_of: datetime) -> CategorizeReport:
    # scikit-learn takes seconds to load: what categorizes nothing does not wait for it.
    from bill_pipeline.categorization.categorize import categorize_lines

    return categorize_lines(warehouse, home, as_of)


IMPORT = Step(
    "raw", "BILL's lists, and every version of every document", "Reading from BILL", is_sql=False
)
PUBLISH = Step("published", "the ledger that analysts read", "Publishing", is_sql=False)
STEPS = (
    IMPORT,
    Step(
        "staging",
        "BILL's documents as typed tables, as known at one moment",
        "Reading documents",
        decides=(
            # Only receipts read what deposits decided.
            DecidedInSql(
                decide_processing_fees,
                after="staging.processing_fees_found",
                build_again=("staging.received_payments",),
            ),
        ),
    ),
    Step(
        "categorized",
        "every line with its account, and who is who among the parties",
        "Categorizing lines",
        decides=(DecidedInSql(decide_missing_roles),),
        decides_before=_resolve_parties,
        decides_after=_categorize_lines,
    ),
    Step(
        "ledger",
        "the double-entry journal, and what is derived from it",
        "Posting to the ledger",
        posts="ledger.journal_entries",
    ),
    Step("reports", "statements, aging, and what to look at", "Making the reports"),
    PUBLISH,
)
STEP_NAMES = tuple(step.name for step in STEPS)
#: The names of the layers that SQL builds, in order.
LAYERS = tuple(step.name for step in STEPS if step.is_sql)
#: Those of them that end in the journal.
POSTING_LAYERS = LAYERS[: LAYERS.index(next(step.name for step in STEPS if step.posts)) + 1]


def step_of(layer: str) -> Step:
    """The step that brings ``layer``."""
    return next(step for step in STEPS if step.name == layer)


def build_layer(
    warehouse: Warehouse, layer: str, as_of: datetime, *, reuse: bool = False
) -> LayerReport:
    """Replace every table of ``layer`` with the state known at ``as_of``, or nothing at all.

    With ``reuse`` tables that would come out the same stay, and are not in the report. Within a
    larger transaction it is committed and rolled back with that.
    Raises ChecksFailed after rolling back; PostedLater when ``as_of`` lies before the journal's
    last batch, because history is never posted backwards.
    """
    with warehouse.transaction():
        report = build_tables(warehouse, layer, as_of, reuse=reuse)
        if report.failed:
            raise ChecksFailed(warehouse.client, layer, report.checks)
        record_build(warehouse, layer, as_of)
    return report


def post_everything(warehouse: Warehouse, as_of: datetime) -> None:
    """Build the layers up to the journal at ``as_of``, in the caller's transaction.

    Raises ChecksFailed.
    """
    for layer in POSTING_LAYERS:
        report = build_tables(warehouse, layer, as_of)
        if report.failed:
            raise ChecksFailed(warehouse.client, layer, report.checks)


def build_tables(
    warehouse: Warehouse,
    layer: str,
    as_of: datetime,
    *,
    checked: bool = True,
    only: Collection[str] | None = None,
    reuse: bool = False,
    is_replay: bool = False,
) -> LayerReport:
    """Build and decide ``layer`` inside the caller's transaction; see ``Warehouse.build_tables``.

    A replay posts a batch once more. Raises PostedLater.
    """
    step = step_of(layer)
    if step.posts and not is_replay:
        require_order(warehouse.connection, warehouse.client, as_of)
    report = warehouse.build_tables(
        layer, as_of, checked=checked, only=only, reuse=reuse, decides=step.decides
    )
    if step.posts and report.appended.get(step.posts):
        record_batch(warehouse.connection, as_of)
    return report
