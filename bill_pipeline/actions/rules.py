"""A firm's rules for one client: add, change, remove, and try one before it is made.

What a rule fits is said by ``categorized/rule_matches.sql`` alone. A rule decides lines that nobody
coded; a person's answer and BILL's own coding come before it, the model after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from bill_pipeline.actions.deciding import decision, hold_client
from bill_pipeline.decisions.rules import add_rule, remove_rule
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.pipeline.books import open_books
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.upkeep import next_batch_time

_TERMS = """
select account_id, party_id, document_type, description_contains, department_id, amount_from,
    amount_to, valid_from, valid_to, priority
from decisions.rules where rule_id = $rule_id
qualify row_number() over (order by decided_at desc, rowid desc) = 1 and not withdrawn
"""
_FITTING = """
select
    lines.date, lines.party, lines.description, lines.amount, lines.currency,
    coalesce(accounts.account_name, lines.account_id) as account, lines.category_source,
    matches.is_first and lines.category_source not in ('person', 'bill') as is_decided
from categorized.rule_matches as matches
inner join categorized.lines as lines using (document_type, document_id, line_id)
left join categorized.chart as accounts on accounts.account_id = lines.account_id
where matches.rule_id = $rule_id
order by lines.date desc, lines.document_id, lines.line_no
"""
_TRIED = "the rule tried"


@dataclass(frozen=True)
class RuleTerms:
    """What a rule looks for and where it sends the lines; None: any. ``amount`` bounds count."""

    account_id: str
    party_id: str | None = None
    document_type: str | None = None
    description_contains: str | None = None
    department_id: str | None = None
    amount_from: Decimal | None = None
    amount_to: Decimal | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    priority: int = 100


def add(home: Home, client: str, terms: RuleTerms, *, by: str, reason: str) -> str:
    """Make a rule, book what it decides, and return its id. Raises DecisionRefused, ClientBusy."""
    with decision(home, client, by=by) as batch:
        return add_rule(batch.connection, **asdict(terms), **batch.signed(reason))


def change(
    home: Home, client: str, rule_id: str, changes: dict[str, Any], *, by: str, reason: str
) -> None:
    """Replace some terms of a standing rule. Raises DecisionRefused when none stands."""
    with decision(home, client, by=by) as batch:
        standing = batch.connection.execute(_TERMS, {"rule_id": rule_id}).fetchone()
        if standing is None:
            raise DecisionRefused(
                f"{client} has no rule {rule_id!r}; `bill-pipeline rules list {client}` shows them."
            )
        terms = replace(RuleTerms(*standing), **changes)
        add_rule(batch.connection, **asdict(terms), rule_id=rule_id, **batch.signed(reason))


def remove(home: Home, client: str, rule_id: str, *, by: str, reason: str) -> None:
    """Take a rule back; its lines are decided as if it had never been. Raises DecisionRefused."""
    with decision(home, client, by=by) as batch:
        remove_rule(batch.connection, rule_id, **batch.signed(reason))


def try_out(home: Home, client: str, terms: RuleTerms) -> list[dict[str, Any]]:
    """The lines a rule would fit, newest first, and which it would decide; nothing is kept."""
    with hold_client(home, client), open_books(Registry(home), client) as warehouse:
        as_of = next_batch_time(warehouse, utc_now())
        with warehouse.trial():
            add_rule(
                warehouse.connection, **asdict(terms), rule_id=_TRIED,
                decided_at=as_of.replace(tzinfo=None), decided_by="nobody",
            )  # fmt: skip
            warehouse.build_tables(
                "categorized", as_of, checked=False,
                only={"categorized.rules", "categorized.rule_matches"},
            )  # fmt: skip
            found = warehouse.connection.execute(_FITTING, {"rule_id": _TRIED})
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def rule_in_words(row: Mapping[str, Any]) -> str:
    """A published rule's conditions as a person says them, after “lines that”."""

    def between(low: Any, high: Any, word: str) -> str:
        if low is not None and high is not None:
            return f"{word} {low} to {high}"
        return f"{word} from {low}" if low is not None else f"{word} up to {high}"

    parts = [
        f"are of {row['party']}" if row["party"] else "",
        f"in {row['department']}" if row["department"] else "",
        f"say “{row['description_contains']}”" if row["description_contains"] else "",
        f"on a {row['document_type'].replace('_', ' ')}" if row["document_type"] else "",
    ]
    if row["amount_from"] is not None or row["amount_to"] is not None:
        parts.append(between(row["amount_from"], row["amount_to"], "amount"))
    if row["valid_from"] is not None or row["valid_to"] is not None:
        parts.append(between(row["valid_from"], row["valid_to"], "dated"))
    return ", ".join(part for part in parts if part)
