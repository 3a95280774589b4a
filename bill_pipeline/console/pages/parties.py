"""Which names are one vendor or customer: list, merge, keep apart, rename, undo. No money moves."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from bill_pipeline.actions import party_answers
from bill_pipeline.actions.deciding import hold_client
from bill_pipeline.console.pages.books import with_books
from bill_pipeline.console.pages.rules import parties_offered, party_typed
from bill_pipeline.console.queries.ledger import Snapshot
from bill_pipeline.console.queries.statements import BookFacts
from bill_pipeline.console.request_context import RequestContext
from bill_pipeline.errors import DecisionRefused, PipelineError

#: Parties on one page; the search finds the others.
PARTIES_SHOWN = 100
_GROUPS = """
select
    firm_party_id, any_value(firm_party) as name, count(*) over () as total,
    list({'party_id': party_id, 'party': party, 'party_type': party_type} order by party, party_id)
        as spellings
from parties
where client = $client and firm_party_id is not null
group by firm_party_id
having bool_or(contains(lower(concat_ws(' ', firm_party, party, party_id)), lower($words)))
order by count(*) desc, name, firm_party_id
limit $limit
"""


@with_books("parties")
def parties_page(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    return _page(context, books)


@with_books("parties")
def likely_pairs(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    """Pairs of names too alike to ignore and too different to merge unasked."""
    from bill_pipeline.categorization.parties import likely_same
    from bill_pipeline.pipeline.books import open_books

    console, client = context.console, context.client
    with hold_client(console.home, client), open_books(console.registry, client) as warehouse:
        pairs = likely_same(warehouse, console.home).to_dict("records")
    return _page(context, books, pairs=pairs)


@with_books("parties")
def decide_parties(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    try:
        done = _decide(context, books)
    except PipelineError as error:
        return _page(context, books, message=str(error))
    context.record("decided about parties", context.client, what=done)
    context.notify(f"{context.client}: {done}.")
    return context.redirect(f"/clients/{context.client}/parties")


def _decide(context: RequestContext, books: Snapshot) -> str:
    """What was done, in words. Raises DecisionRefused and what the books refuse."""
    home, client, form = context.console.home, context.client, context.form
    by, reason = context.user.name, form.text("reason") or "said in the console"
    if form.text("do") == "undo":
        when = party_answers.undo(home, client, by=by)
        return f"the decision of {when:%Y-%m-%d %H:%M} UTC is taken back"
    parties = parties_offered(books, client)
    names = {row["party_id"]: row["party"] for row in parties}
    party = party_typed(form.text("party"), parties)
    if form.text("do") == "rename":
        party_answers.rename(home, client, party, form.text("name"), by=by, reason=reason)
        return f"{names[party]} is called {form.text('name')}"
    other = party_typed(form.text("other"), parties)
    if form.text("do") == "merge":
        party_answers.merge(home, client, party, [other], by=by, reason=reason)
        return f"{names[other]} ({other}) and {names[party]} ({party}) are one party"
    if form.text("do") == "split":
        party_answers.keep_apart(home, client, party, other, by=by, reason=reason)
        return f"{names[other]} ({other}) and {names[party]} ({party}) are two parties"
    raise DecisionRefused(f"{client}: say whether the two are one party or two.")


def _page(
    context: RequestContext, books: Snapshot, *, pairs: list[Any] | None = None, message: str = ""
) -> Response:
    words = context.query("search")
    groups = books.rows(_GROUPS, {"client": context.client, "words": words, "limit": PARTIES_SHOWN})
    return context.render(
        "parties.html",
        status=422 if message else 200,
        client=context.client,
        groups=groups,
        total=groups[0]["total"] if groups else 0,
        parties=parties_offered(books, context.client),
        pairs=pairs,
        search=words,
        message=message,
    )
