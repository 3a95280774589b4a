"""The asset of ``docs/reuse.md``, as an analyst's own file, over published books."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from bill_pipeline.dagster.definitions import defs
from bill_pipeline.settings import Home
from tests.exports.invented_books import published_home

PAGE = (Path(__file__).parents[2] / "docs" / "reuse.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_asset_of_an_analysts_own_reads_the_ledger(home: Home) -> None:
    published_home(home, {"bakery": 1, "cafe": 2})
    _reading, example = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    mine: dict[str, Any] = {}
    exec(compile(example, "my_assets.py", "exec"), mine)  # noqa: S102 - of our own page
    own: dg.Definitions = mine["defs"]
    result = own.resolve_implicit_global_asset_job_def().execute_in_process()
    (event,) = result.asset_materializations_for_node("largest_vendors")
    assert event.metadata
    assert all(value.value > 0 for value in event.metadata.values())
    (named,) = own.resolve_all_asset_specs()[0].deps
    assert named.asset_key in {spec.key for spec in defs.resolve_all_asset_specs()}
