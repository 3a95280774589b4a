"""Check a layer's tables at the cost of what changed.

A check that reads the same as last time finds the same. One that looks at documents one by one
(``follows`` in its header) and found nothing last time can find something only in the documents in
scope: it runs on their slices. Everything else runs on whole tables.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from bill_pipeline.errors import CheckResult
from bill_pipeline.warehouse.scope import POSTED, BuildScope
from bill_pipeline.warehouse.slices import followed_by, is_read_whole, with_names
from bill_pipeline.warehouse.transforms import Check, load_checks
from bill_pipeline.warehouse.unchanged import TableMemory


class Checking:
    """The checks of one layer, in the transaction that built it."""

    def __init__(
        self,
        memory: TableMemory,
        scope: BuildScope | None,
        run: Callable[[Check], CheckResult],
        *,
        reuse: bool,
    ) -> None:
        self._memory = memory
        self._scope = scope
        self._run = run
        self._reuse = reuse

    def run_all(self, schema: str) -> list[CheckResult]:
        """Every check of a table of ``schema``."""
        checks = [c for c in load_checks().values() if c.table.split(".")[0] == schema]
        return [self._checked(check) for check in checks]

    def _checked(self, check: Check) -> CheckResult:
        inputs = self._memory.inputs_of(check)
        before, found = self._memory.checked_before(check)
        if self._reuse and found is not None and inputs is not None and inputs == before:
            return found
        found_nothing = found is not None and found.passed
        if found_nothing and self._is_in_scope(check, before, inputs):
            result = self._run(replace(check, sql=self._narrowed(check)))
        else:
            result = self._run(check)
        self._memory.note_check(check, inputs, result)
        return result

    def _is_in_scope(self, check: Check, before: str | None, inputs: str | None) -> bool:
        scope = self._scope
        if scope is None or scope.is_everything or not check.follows:
            return False
        if before is None or inputs is None:
            return False
        return scope.explains(check, json.loads(before), json.loads(inputs))

    def _narrowed(self, check: Check) -> str:
        assert self._scope is not None  # noqa: S101 - _is_in_scope said so
        names = {}
        for key in check.upstream:
            if not is_read_whole(check, key):
                name = self._scope.slices.of(key, self._memory.is_empty)
                names[key] = f"(from {name} where {followed_by(key)} in {POSTED})"
        return with_names(check.sql, names)
