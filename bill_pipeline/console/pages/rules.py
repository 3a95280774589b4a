"""A client's rules: what always goes to one account. List, try, make, end, take back."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response

from bill_pipeline.actions import rules
from bill_pipeline.amounts import amount_of
from bill_pipeline.console.pages.books import with_books
from bill_pipeline.console.parts.formats import plural
from bill_pipeline.console.parts.period import day_of
from bill_pipeline.console.queries.ledger import Snapshot
from bill_pipeline.console.queries.review_queue import account_named, read_accounts
from bill_pipeline.console.queries.statements import BookFacts
from bill_pipeline.console.request_context import Visit
from bill_pipeline.errors import DecisionRefused, PipelineError
from bill_pipeline.registry.clients import utc_now

#: Lines shown of those a rule would hit.
LINES_SHOWN = 40
_RULES = "select * from rules where client = ? order by position"
_PARTIES = (
    "select party_id, party, party_type from parties where client = ? order by party, party_id"
)
_DEPARTMENTS = """
select dimension_id, dimension_name from dimensions
where client = ? and dimension = 'department' and not is_archived order by dimension_name
"""


@with_books("rules")
def rules_page(visit: Visit, books: Snapshot, facts: BookFacts) -> Response:
    return _page(visit, books)


@with_books("rules")
def add_rule(visit: Visit, books: Snapshot, facts: BookFacts) -> Response:
    """Make the rule, or only show what it would hit; what is refused stays as it was typed."""
    try:
        terms = _terms(visit, books)
        if visit.form.text("do") == "try":
            return _page(visit, books, tried=rules.try_out(visit.console.home, visit.client, terms))
        reason = visit.form.text("reason") or "made in the console"
        rule_id = rules.add(
            visit.console.home, visit.client, terms, by=visit.user.name, reason=reason
        )
    except PipelineError as error:
        return _page(visit, books, message=str(error))
    visit.record("made a rule", visit.client, rule=rule_id, account=terms.account_id)
    visit.notify(f"{visit.client}: {rule_id} stands; its lines are in the ledger.")
    return visit.redirect(f"/clients/{visit.client}/rules")


def change_rule(visit: Visit) -> Response:
    """End a rule and keep what it decided, or take it back with what it decided."""
    home, client, rule_id = visit.console.home, visit.client, visit.path("rule")
    reason = visit.form.text("reason") or "changed in the console"
    if visit.form.text("do") == "end":
        last = _day(visit, "last") or utc_now().date() - timedelta(days=1)
        rules.change(home, client, rule_id, {"valid_to": last}, by=visit.user.name, reason=reason)
        done = f"{rule_id} ends on {last}"
    elif visit.form.text("do") == "remove":
        rules.remove(home, client, rule_id, by=visit.user.name, reason=reason)
        done = f"{rule_id} is taken back with what it decided"
    else:
        raise DecisionRefused(f"{client}: say whether {rule_id} ends or is taken back.")
    visit.record("changed a rule", client, rule=rule_id, what=done, reason=reason)
    visit.notify(f"{client}: {done}.")
    return visit.redirect(f"/clients/{client}/rules")


def _page(
    visit: Visit,
    books: Snapshot,
    *,
    tried: list[dict[str, Any]] | None = None,
    message: str = "",
) -> Response:
    decided = [row for row in tried or () if row["is_decided"]]
    return visit.render(
        "rules.html",
        status=422 if message else 200,
        client=visit.client,
        rules=[(row, rules.in_words(row)) for row in books.rows(_RULES, [visit.client])],
        parties=parties_offered(books, visit.client),
        departments=books.rows(_DEPARTMENTS, [visit.client]),
        accounts=read_accounts(books, [visit.client])[visit.client],
        tried=None if tried is None else tried[:LINES_SHOWN],
        found=f"It fits {plural(len(tried or ()), 'line')} and would decide {len(decided):,}.",
        message=message,
    )


def parties_offered(books: Snapshot, client: str) -> list[dict[str, Any]]:
    """Vendors and customers, each with what to type: its name, or its id when two share one."""
    rows = books.rows(_PARTIES, [client])
    shared = Counter((row["party"] or "").casefold() for row in rows)
    for row in rows:
        is_only_one = row["party"] and shared[row["party"].casefold()] == 1
        row["typed"] = row["party"] if is_only_one else row["party_id"]
    return rows


def party_typed(text: str, parties: list[dict[str, Any]]) -> str:
    """The id of the party a person typed. Raises DecisionRefused."""
    wanted = text.casefold()
    for row in parties:
        if wanted in (row["party_id"].casefold(), row["typed"].casefold()):
            return str(row["party_id"])
    raise DecisionRefused(f"“{text}” names no single vendor or customer: choose one from the list.")


def _terms(visit: Visit, books: Snapshot) -> rules.RuleTerms:
    form = visit.form
    accounts = read_accounts(books, [visit.client])[visit.client]
    party = form.text("party")
    low, high = form.text("amount_from"), form.text("amount_to")
    return rules.RuleTerms(
        account_id=account_named(form.text("account"), accounts).account_id,
        party_id=party_typed(party, parties_offered(books, visit.client)) if party else None,
        document_type=form.text("document_type") or None,
        description_contains=form.text("text") or None,
        department_id=form.text("department") or None,
        amount_from=amount_of(low, "Amount from") if low else None,
        amount_to=amount_of(high, "Amount to") if high else None,
        valid_from=_day(visit, "valid_from"),
        valid_to=_day(visit, "valid_to"),
    )


def _day(visit: Visit, name: str) -> date | None:
    text = visit.form.text(name)
    return day_of(text, date.max) if text else None
