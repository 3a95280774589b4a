"""A firm's rules for one client as decisions: appended, replaced or withdrawn by a later row.

Which lines a rule fits is said in ``transforms/categorized/rule_matches.sql``; trying one out and
booking what it decides is ``actions.rules``.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import duckdb

from bill_pipeline.decisions.rows import append_decision, last_decision
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.plain_text import plain_text

RULES_DDL = """
create schema if not exists decisions;
create table if not exists decisions.rules (
    rule_id varchar not null, priority integer not null, document_type varchar, party_id varchar,
    description_contains varchar, amount_from decimal(18, 2), amount_to decimal(18, 2),
    account_id varchar not null, reason varchar, decided_at timestamp not null,
    decided_by varchar not null, withdrawn boolean not null, department_id varchar,
    valid_from date, valid_to date
);
alter table decisions.rules add column if not exists department_id varchar;
alter table decisions.rules add column if not exists valid_from date;
alter table decisions.rules add column if not exists valid_to date;
"""


def add_rule(
    connection: duckdb.DuckDBPyConnection,
    *,
    account_id: str,
    decided_at: datetime,
    decided_by: str,
    document_type: str | None = None,
    party_id: str | None = None,
    description_contains: str | None = None,
    department_id: str | None = None,
    amount_from: Decimal | None = None,
    amount_to: Decimal | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
    priority: int = 100,
    reason: str | None = None,
    rule_id: str | None = None,
) -> str:
    """Append a rule and return its id; a lower ``priority`` number is tried first.

    With the ``rule_id`` of a rule in force the new row replaces it. Raises DecisionRefused for a
    rule without a party, text or amount (it would swallow every line) and for one never valid.
    """
    if party_id is None and description_contains is None and amount_from is amount_to is None:
        raise DecisionRefused("A rule needs a party, a text or an amount to look for.")
    if description_contains is not None and not plain_text(description_contains):
        raise DecisionRefused("The text of a rule needs a word or a sign that can be seen.")
    if valid_from is not None and valid_to is not None and valid_to < valid_from:
        raise DecisionRefused(f"A rule from {valid_from} to {valid_to} would fit no day.")
    if rule_id is None:
        count = connection.execute("select count(*) from decisions.rules").fetchone()
        rule_id = f"rule-{(count or (0,))[0] + 1}"
    append_decision(
        connection, "rules", rule_id=rule_id, priority=priority, document_type=document_type,
        party_id=party_id, description_contains=description_contains, amount_from=amount_from,
        amount_to=amount_to, account_id=account_id, reason=reason, decided_at=decided_at,
        decided_by=decided_by, withdrawn=False, department_id=department_id,
        valid_from=valid_from, valid_to=valid_to,
    )  # fmt: skip
    return rule_id


def remove_rule(
    connection: duckdb.DuckDBPyConnection,
    rule_id: str,
    *,
    decided_at: datetime,
    decided_by: str,
    reason: str = "removed",
) -> None:
    """Withdraw a rule and with it whatever it decided. Raises DecisionRefused when none stands."""
    rule = last_decision(connection, "rules", {"rule_id": rule_id})
    if rule is None or rule["withdrawn"]:
        raise DecisionRefused(f"No rule {rule_id!r} stands; `bill-pipeline rules list` shows them.")
    rule |= {"withdrawn": True, "reason": reason}
    rule |= {"decided_at": decided_at, "decided_by": decided_by}
    append_decision(connection, "rules", **rule)
