"""The asset graph explains itself: nobody has to open a file to learn what a table is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from bill_pipeline.bill.lists import LISTS
from bill_pipeline.dagster.definitions import defs
from bill_pipeline.warehouse.transforms import load_checks, load_transforms
from tests.each import of_each

ROOT = Path(__file__).parents[2]
GROUPS = {"raw", "decisions", "staging", "categorized", "ledger", "reports", "published", "models"}
# Sorted, because Dagster gives them in another order in every process that runs tests.
SPECS = {
    spec.key.to_user_string(): spec
    for spec in sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key.path)
}
every_asset = of_each(SPECS)


@every_asset
def test_an_asset_says_what_it_is_and_whom_to_ask(spec: dg.AssetSpec) -> None:
    assert spec.description
    assert len(spec.description) > 40
    assert spec.owners
    assert len(spec.kinds) == 2
    assert spec.group_name in GROUPS


@every_asset
def test_a_key_is_its_address(spec: dg.AssetSpec) -> None:
    assert len(spec.key.path) == 2
    assert spec.key.path[0] == spec.group_name


@every_asset
def test_every_column_has_a_meaning_that_ends_in_its_source(spec: dg.AssetSpec) -> None:
    schema: dg.TableSchema = spec.metadata["dagster/column_schema"]
    assert schema.columns
    undescribed = [c.name for c in schema.columns if " ← " not in (c.description or "")]
    assert not undescribed


@every_asset
def test_an_asset_links_to_the_file_that_makes_it(spec: dg.AssetSpec) -> None:
    references = spec.metadata["dagster/code_references"].code_references
    assert all(Path(reference.file_path).exists() for reference in references)


def test_every_sql_file_and_every_bill_list_is_an_asset() -> None:
    tables = {key.replace(".", "/") for key in load_transforms()}
    lists = {f"raw/{table}" for table in LISTS}
    assert not (tables | lists) - set(SPECS)


def test_an_asset_depends_on_what_its_sql_reads() -> None:
    for key, transform in load_transforms().items():
        upstream = {dep.asset_key.to_user_string() for dep in SPECS[key.replace(".", "/")].deps}
        assert upstream == {table.replace(".", "/") for table in transform.upstream}


def test_what_an_asset_reads_is_an_asset() -> None:
    unknown = {
        f"{name} reads {dep.asset_key.to_user_string()}"
        for name, spec in SPECS.items()
        for dep in spec.deps
        if dep.asset_key.to_user_string() not in SPECS
    }
    assert not unknown


def test_every_check_is_bound_to_an_existing_table_and_recorded_per_client() -> None:
    graph = defs.resolve_asset_graph()
    checks = {key.name: key for key in graph.asset_check_keys}
    for check in load_checks().values():
        assert check.name in checks
        assert checks[check.name].asset_key.to_user_string() in SPECS
        assert graph.get_check_spec(checks[check.name]).partitions_def is not None


def test_every_job_sensor_and_schedule_says_what_it_does() -> None:
    repository = defs.get_repository_def()
    named = [*repository.sensor_defs, *repository.schedule_defs]
    named += [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    assert named
    assert not [item.name for item in named if len(item.description or "") < 40]


def test_sensors_and_schedules_run_from_the_first_start() -> None:
    repository = defs.get_repository_def()
    for sensor in repository.sensor_defs:
        assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    for schedule in repository.schedule_defs:
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


@pytest.mark.slow
def test_loading_needs_no_environment_no_home_no_heavy_library_and_warns_of_nothing(
    tmp_path: Path,
) -> None:
    heavy = "{'sklearn', 'dlt', 'matplotlib', 'pandas', 'openpyxl'} & set(sys.modules)"
    code = f"import sys; from bill_pipeline.dagster.definitions import defs; print({heavy})"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],  # no warning at load
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath, "HOME": str(tmp_path / "nobody")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"
    assert not list(tmp_path.glob("data*"))
