"""The model that decides a client's lines now: its champion, and what was coded since its training.

A champion is trained weekly. In between it remembers every line that BILL, a person or a rule has
coded since then, so that an answer acts at once on lines of the same facts and moves the
threshold. Nothing of that is stored: it is learned anew from the books each time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bill_pipeline.categorization.model_registry import champion, knowledge, promote
from bill_pipeline.settings import Home, Settings
from bill_pipeline.warehouse.warehouse import Warehouse
from models.categorizer import Categorizer

#: A model trained on this many times fewer lines than there are now is trained anew at once,
#: between the weekly trainings: a client's first import must not wait a week for its own model.
GROWTH_THAT_RETRAINS = 2.0
_FEWEST_LINES = 50


@dataclass(frozen=True)
class ClientModel:
    """``model`` is ready to suggest; ``version`` names its training and what it learned since."""

    model: Categorizer
    version: str


def version_now(warehouse: Warehouse, version: str, learned: np.ndarray) -> str:
    """A champion's version, with a mark of the labels that have changed since its training."""
    _count, labels = _labels(warehouse)
    trained_on = int(np.bitwise_xor.reduce(learned)) if len(learned) else 0
    return version if labels == trained_on else f"{version}+{(labels ^ trained_on) & 0xFFFFFF:06x}"


def is_outgrown(warehouse: Warehouse, learned: np.ndarray) -> bool:
    """Whether a model trained on ``learned`` knows far too little by now."""
    count, _digest = _labels(warehouse)
    return count >= max(len(learned), _FEWEST_LINES) * GROWTH_THAT_RETRAINS


def current_model(warehouse: Warehouse, home: Home) -> ClientModel:
    """The champion fitted to today's chart and labels; a first or outgrown one is trained now."""
    chart = read_frame(warehouse, "from categorized.chart")
    lines = training_lines(warehouse)
    reigning = champion(home, warehouse.client)
    if reigning is None or is_outgrown(warehouse, reigning.learned):
        model = Categorizer(
            target_precision=Settings.now().target_precision,
            knowledge=knowledge(home),
            random_state=0,
        ).fit(lines, chart)
        record = {"line_count": len(lines), "reason": "first or outgrown"}
        promote(home, warehouse.client, model, record, learned=label_keys(lines))
        return ClientModel(model, model.version_)
    model = reigning.model.use_chart(chart)
    new = lines[~np.isin(label_keys(lines), reigning.learned)]
    version = version_now(warehouse, reigning.version, reigning.learned)
    return ClientModel(model.learn(new) if len(new) else model, version)


def training_lines(warehouse: Warehouse) -> pd.DataFrame:
    """The client's labelled lines in the shape the models read."""
    lines = read_frame(warehouse, "from categorized.training_lines")
    return lines.assign(is_correction=lines["category_source"] == "person")


def label_keys(lines: pd.DataFrame) -> np.ndarray:
    """One number per labelled line and its label; uint64."""
    return lines["label_key"].to_numpy(np.uint64)


def read_frame(warehouse: Warehouse, sql: str) -> pd.DataFrame:
    """A table in the shape the models read, always in the same order.

    Ties are broken by position, and a model must come out the same.
    """
    frame = warehouse.connection.execute(f"{sql} order by all").df()
    return frame.rename(columns={"party": "party_name"})


def _labels(warehouse: Warehouse) -> tuple[int, int]:
    """How many lines are labelled, and a digest of all labels that no order changes."""
    row = warehouse.connection.execute(
        "select count(*), coalesce(bit_xor(label_key), 0::ubigint) from categorized.training_lines"
    ).fetchone()
    return (row[0], row[1]) if row else (0, 0)
