"""What Dagster's own web page does for whoever may look at it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from bill_pipeline.dagster.web_page import follow_logs_of_runs_alone

pytestmark = pytest.mark.slow


def test_only_logs_of_runs_can_be_followed(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run_id = create_run_for_test(instance).run_id
        follow_logs_of_runs_alone(instance)
        storage = tmp_path / "storage"
        for key in (
            [], ["anything"], ["made", "by", "viewer"], ["made", "compute_logs", "x"],
            [run_id, "other", "x"], [run_id, "compute_logs", "x", "y"],
            [run_id, "compute_logs", "../x"], [run_id, "compute_logs", "/x"],
        ):  # fmt: skip
            with pytest.raises(dg.DagsterInvariantViolationError, match="not a log of a run"):
                instance.compute_log_manager.subscribe(key)
        assert not storage.exists()
        subscription = instance.compute_log_manager.subscribe([run_id, "compute_logs", "abcdefgh"])
        subscription.dispose()
        assert (storage / run_id / "compute_logs").is_dir()
