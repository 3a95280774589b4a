"""Train a client's challenger and promote it unless the champion is better; roll back.

Between the books and ``models.training``: reads the coded lines, keeps the winner on the shelf.
"""

from __future__ import annotations

from bill_pipeline.books import client_lock
from bill_pipeline.categorize import training_lines
from bill_pipeline.model_shelf import champion, knowledge, promote
from bill_pipeline.settings import Home, Settings
from bill_pipeline.warehouse import Warehouse
from models.training import Training, train


def train_client(home: Home, client: str) -> Training:
    """Hold a trial on the client's recent past; a promoted model decides from the next sync on.

    Raises ClientBusy while another process works on the client.
    """
    with client_lock(home, client), Warehouse.open(home, client) as warehouse:
        lines = training_lines(warehouse)
        chart = warehouse.connection.execute("from categorized.chart").df()
    trained = train(
        lines,
        chart,
        knowledge(home),
        champion=champion(home, client),
        target_precision=Settings().target_precision,
        random_state=0,
    )
    if trained.is_promoted:
        promote(home, client, trained.model, trained.metadata())
    return trained
