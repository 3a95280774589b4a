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
from bill_pipeline.console.request_context import RequestContext
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
def rules_page(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    return _page(context, books)


@with_books("rules")
def add_rule(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    """Make the rule, or only show what it would hit; what is refused stays as it was typed."""
    try:
        terms = _terms(context, books)
        if context.form.text("do") == "try":
            return _page(
                context, books, tried=rules.try_out(context.console.home, context.client, terms)
            )
        reason = context.form.text("reason") or "made in the console"
        rule_id = rules.add(
            context.console.home, context.client, terms, by=context.user.name, reason=reason
        )
    except PipelineError as error:
        return _page(context, books, message=str(error))
    context.record("made a rule", context.client, rule=rule_id, account=terms.account_id)
    context.notify(f"{context.client}: {rule_id} stands; its lines are in the ledger.")
    return context.redirect(f"/clients/{context.client}/rules")


def change_rule(context: RequestContext) -> Response:
    """End a rule and keep what it decided, or take it back with what it decided."""
    home, client, rule_id = context.console.home, context.client, context.path("rule")
    reason = context.form.text("reason") or "changed in the console"
    if context.form.text("do") == "end":
        last = _day(context, "last") or utc_now().date() - timedelta(days=1)
        rules.change(home, client, rule_id, {"valid_to": last}, by=context.user.name, reason=reason)
        done = f"{rule_id} ends on {last}"
    elif context.form.text("do") == "remove":
        rules.remove(home, client, rule_id, by=context.user.name, reason=reason)
        done = f"{rule_id} is taken back with what it decided"
    else:
        raise DecisionRefused(f"{client}: say whether {rule_id} ends or is taken back.")
    context.record("changed a rule", client, rule=rule_id, what=done, reason=reason)
    context.notify(f"{client}: {done}.")
    return context.redirect(f"/clients/{client}/rules")


def _page(
    context: RequestContext,
    books: Snapshot,
    *,
    tried: list[dict[str, Any]] | None = None,
    message: str = "",
) -> Response:
    decided = [row for row in tried or () if row["is_decided"]]
    return context.render(
        "rules.html",
        status=422 if message else 200,
        client=context.client,
        rules=[(row, rules.rule_in_words(row)) for row in books.rows(_RULES, [context.client])],
        parties=parties_offered(books, context.client),
        departments=books.rows(_DEPARTMENTS, [context.client]),
        accounts=read_accounts(books, [context.client])[context.client],
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


def _terms(context: RequestContext, books: Snapshot) -> rules.RuleTerms:
    form = context.form
    accounts = read_accounts(books, [context.client])[context.client]
    party = form.text("party")
    low, high = form.text("amount_from"), form.text("amount_to")
    return rules.RuleTerms(
        account_id=account_named(form.text("account"), accounts).account_id,
        party_id=party_typed(party, parties_offered(books, context.client)) if party else None,
        document_type=form.text("document_type") or None,
        description_contains=form.text("text") or None,
        department_id=form.text("department") or None,
        amount_from=amount_of(low, "Amount from") if low else None,
        amount_to=amount_of(high, "Amount to") if high else None,
        valid_from=_day(context, "valid_from"),
        valid_to=_day(context, "valid_to"),
    )


def _day(context: RequestContext, name: str) -> date | None:
    text = context.form.text(name)
    return day_of(text, date.max) if text else None
