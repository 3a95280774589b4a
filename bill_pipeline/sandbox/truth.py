"""The accounts of the lines that invented companies left uncoded, for scoring a classifier."""

from __future__ import annotations

from bill_pipeline.sandbox.ledger_import import TrueAccount
from bill_pipeline.sandbox.state import SandboxState


def true_accounts(state: SandboxState) -> list[TrueAccount]:
    """One row per uncoded line of every invented company, oldest first."""
    truth = []
    for organization_id, life in state.lives.items():
        names = {a["id"]: a["name"] for a in life.organization["chart-of-accounts"]}
        truth += [
            TrueAccount(
                organization_id,
                row["bill_id"],
                row["line_id"],
                row["account_id"],
                names[row["account_id"]],
            )
            for row in life.truth
        ]
    return truth
