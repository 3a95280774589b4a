"""The main job where BILL is otherwise than believed: the same books, or a word of what they lack.

A company is connected, synced, lives on and is synced again at a look-alike that answers one open
question the other way. Its books must be those of the same company where everything is as believed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.bill.beliefs.table import BELIEFS
from bill_pipeline.registry.clients import Registry
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.switches import SETTINGS, Switches, the_other_way
from tests.imports.test_other_answers import FOUND_BY_A_FULL_READ, READING
from tests.journey.firm import Firm

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=16)]

COMPANY = 1
SECOND_SYNC_AFTER_DAYS = 20
QUESTIONS = [item.name for item in fields(Switches) if item.name not in SETTINGS]
#: How BILL is read is tried in ``tests/imports``: the books follow from the documents.
OF_CONTENTS = [
    name
    for name in QUESTIONS
    if name in BELIEFS and name not in READING and name not in FOUND_BY_A_FULL_READ
]
OTHERS = [name for name in QUESTIONS if name not in BELIEFS]

#: Where the books cannot be the same, what is said of it: a list that was left out, a claim of the
#: tie-out that does not hold, or money that stays in clearing.
SAID = {
    "tokens_read_payments": "list payments",
    "tokens_read_received_payments": "list received_payments",
    "tokens_read_credit_memos": "list credit_memos",
    "tokens_read_bank_accounts": "list bank_accounts",
    "tokens_read_billing_statements": "list billing_statements",
    "tokens_read_money_movements": "list money_movements",
    "sessions_serve_both_planes": "list money_movements",
    "receipt_states_are_known": "tie-out Open invoices equal what BILL says is due",
    "credits_come_on_top": "tie-out Open bills equal what BILL says is due",
    "withdrawals_are_negative": "clearing BILL Money Out Clearing",
}


@dataclass(frozen=True)
class Outcome:
    """What a client's books say after both syncs, and what is said to be wrong with them."""

    balances: list[dict[str, Any]]
    open_documents: list[dict[str, Any]]
    said: frozenset[str]


@pytest.fixture(scope="module")
def believed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return main_job(tmp_path_factory.mktemp("believed"))


def main_job(folder: Path, **switches: Any) -> Outcome:
    with SandboxServer(companies=2, documents=80, seed=13, switches=switches) as sandbox:
        firm = Firm(sandbox, folder)
        client = sandbox.companies[COMPANY].client
        assert firm.connect(COMPANY).exit_code == 0
        synced = firm.run("sync", client)
        assert synced.exit_code == 0, synced.output
        clock = sandbox.state.clock
        clock.step_ms(SECOND_SYNC_AFTER_DAYS * 86_400_000)
        sandbox.state.lives[sandbox.companies[COMPANY].organization_id].live_until(clock.now_ms())
        synced = firm.run("sync", client)
        assert synced.exit_code == 0, synced.output
        return outcome(firm, client)


def outcome(firm: Firm, client: str) -> Outcome:
    balances = firm.query(
        "select account_name, sum(debit - credit) as balance from trial_balance "
        "group by account_name order by account_name"
    )
    open_documents = firm.query(
        "select document_type, document_id, amount_open from documents "
        "where amount_open <> 0 order by document_type, document_id"
    )
    claims = firm.query("select claim from tie_out where difference <> 0")
    skipped = Registry(firm.home).status(client).skipped_lists
    clearing = [
        row["account_name"]
        for row in balances
        if "Clearing" in row["account_name"] and float(row["balance"])
    ]
    return Outcome(
        balances,
        open_documents,
        frozenset(
            [f"list {table}" for table in skipped]
            + [f"tie-out {row['claim']}" for row in claims]
            + [f"clearing {name}" for name in clearing]
        ),
    )


def test_as_believed_nothing_is_missing(believed: Outcome) -> None:
    # Only an administrator may read it, and nothing in the books comes from it.
    assert believed.said == {"list organizations"}
    assert believed.open_documents
    assert len(believed.balances) > 10


@pytest.mark.parametrize("name", OF_CONTENTS)
def test_a_belief_that_is_not_so_changes_no_books_or_is_said(
    believed: Outcome, tmp_path: Path, name: str
) -> None:
    found = main_job(tmp_path, **{name: the_other_way(name)})
    if name in SAID:
        assert SAID[name] in found.said - believed.said
    else:
        assert found == believed


def test_what_nothing_depends_on_changes_no_books(believed: Outcome, tmp_path: Path) -> None:
    assert main_job(tmp_path, **{name: the_other_way(name) for name in OTHERS}) == believed
