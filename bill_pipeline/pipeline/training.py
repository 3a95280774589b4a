"""Train a client's challenger and promote it unless the champion is better.

Between the books and ``models.training``, which judges: reads the coded lines, keeps the winner in
the model registry. The command line and Dagster train by this function alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import pandas as pd

from bill_pipeline.categorization.client_model import label_keys, read_frame, training_lines
from bill_pipeline.categorization.model_registry import champion, knowledge, promote
from bill_pipeline.pipeline.books import open_books
from bill_pipeline.registry.client_files import client_lock
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Settings
from models.training import Training, train


@dataclass(frozen=True)
class ClientTraining:
    """One client's training: the snapshot it used and what came of it."""

    lines: pd.DataFrame
    account_names: dict[str, str]
    trained: Training
    version: str  # of the model that decides from the next sync on
    seconds: float


def train_client(registry: Registry, client: str) -> ClientTraining:
    """Hold a trial on the client's recent past; a promoted model decides from the next sync on.

    Raises ClientBusy while another process works on the client.
    """
    home, started = registry.home, time.perf_counter()
    with (
        client_lock(home, client, "read to train its model"),
        open_books(registry, client) as warehouse,
    ):
        lines = training_lines(warehouse)
        chart = read_frame(warehouse, "from categorized.chart")
    reigning = champion(home, client)
    trained = train(
        lines,
        chart,
        knowledge(home),
        champion=reigning.model if reigning is not None else None,
        target_precision=Settings.now().target_precision,
        random_state=0,
    )
    if trained.is_promoted or reigning is None:
        learned = label_keys(lines)
        version = promote(home, client, trained.model, _record(trained, lines), learned=learned)
    else:
        version = reigning.version
    names = dict(zip(chart["account_id"], chart["account_name"], strict=True))
    return ClientTraining(lines, names, trained, version, time.perf_counter() - started)


def _record(trained: Training, lines: pd.DataFrame) -> dict[str, object]:
    """What is kept beside the model."""
    through = str(lines["date"].max())[:10] if len(lines) else None
    return {**trained.metadata(), "trained_through": through}
