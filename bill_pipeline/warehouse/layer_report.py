"""What building one layer did."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bill_pipeline.errors import CheckResult


@dataclass
class LayerReport:
    """What building one layer did."""

    schema: str
    as_of: datetime
    # Table key → rows it has now; None of a view that was not counted.
    rows: dict[str, int | None] = field(default_factory=dict)
    appended: dict[str, int] = field(default_factory=dict)  # append table key → rows it gained
    sums: dict[str, Decimal] = field(default_factory=dict)  # "table.column" → sum of money
    table_seconds: dict[str, float] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)  # tables with other rows than before
    checks_changed: set[str] = field(default_factory=set)  # checks that found more or less
    seconds: float = 0.0

    @property
    def failed(self) -> list[CheckResult]:
        return [check for check in self.checks if check.is_error]

    def add(self, later: LayerReport) -> None:
        """Take up what building the layer once more, after decisions, did."""
        self.rows |= later.rows
        self.appended |= later.appended
        self.sums |= later.sums
        self.table_seconds |= later.table_seconds
        self.checks = later.checks
        self.changed |= later.changed
        self.checks_changed |= later.checks_changed
        self.seconds += later.seconds
