"""The models group: training set, challenger, evaluation, promotion, and the firm's knowledge."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from bill_pipeline.actions import sharing
from bill_pipeline.categorization import model_registry
from bill_pipeline.settings import Home
from tests.learning.small_clients import bill, build, connect

pytestmark = pytest.mark.slow
VENDORS = {"v1": "Larkspur Stationery", "v2": "Quillon Freight"}
ACCOUNTS = {"v1": "supplies", "v2": "freight"}
PICTURES = {"confusion", "calibration", "coverage", "error by account"}


def test_a_model_is_trained_judged_shown_and_promoted(
    home: Home, run: Callable[..., dg.ExecuteInProcessResult]
) -> None:
    connect(home, "acme")
    build(
        home, "acme", VENDORS,
        [bill(n, f"v{n % 2 + 1}", "delivery", ACCOUNTS[f"v{n % 2 + 1}"]) for n in range(260)],
    )  # fmt: skip
    sharing.set_shared(home, "acme", True, by="Ann", reason="agreed")
    pooled = run("pool_firm_knowledge")
    assert pooled.success
    (knowledge,) = pooled.get_asset_materialization_events()
    found = knowledge.materialization.metadata
    assert found["sharing_clients"].value == 1
    assert found["line_count"].value == 260
    trained = run("train_and_promote", partition="acme")
    assert trained.success
    metadata = {
        event.asset_key.path[-1]: event.materialization.metadata  # type: ignore[union-attr]
        for event in trained.get_asset_materialization_events()
    }
    assert list(metadata) == ["training_set", "challenger", "evaluation", "promotion"]
    assert metadata["training_set"]["lines"].value == 260
    evaluation = metadata["evaluation"]
    assert set(evaluation) >= PICTURES
    assert all("data:image/png" in str(evaluation[name].value) for name in PICTURES)
    assert evaluation["share_right"].value > 0.9
    assert evaluation["vendor_majority_share_right"].value > 0.9
    champion = model_registry.champion(home, "acme")
    assert champion is not None
    assert metadata["promotion"]["champion"].value == champion.version
    assert model_registry.contributors(home) == ["acme"]
