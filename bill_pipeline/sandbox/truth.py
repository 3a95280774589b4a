"""What the lists of an invented company do not show: the accounts of the lines it left uncoded,
for scoring a classifier; how its books differ from tidy ones, and when that came about.
"""

from __future__ import annotations

from typing import Any

from bill_pipeline.sandbox.clock import timestamp
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


def variety_of(state: SandboxState, organization_id: str) -> dict[str, Any]:
    """A company's kinds of variety, and what was retyped or merged, when, and into what.

    An imported ledger has none.
    """
    life = state.lives.get(organization_id)
    if life is None:
        return {"kinds": [], "events": []}
    return {
        "kinds": sorted(life.variety.kinds),
        "events": [
            {"kind": kind, "time": timestamp(at_ms), "id": object_id, "became": became}
            for kind, at_ms, object_id, became in life.mergers.events
        ],
    }
