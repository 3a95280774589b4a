"""The general ledger and what is behind each line: entry, document, versions, decisions."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.console.pages.books import with_books
from bill_pipeline.console.parts.period import day_of, fiscal_year_start, period_choices
from bill_pipeline.console.queries.history import DocumentHistory, document_history
from bill_pipeline.console.queries.ledger import Snapshot
from bill_pipeline.console.queries.review_queue import read_accounts, read_whole_line
from bill_pipeline.console.queries.statements import BookFacts, label
from bill_pipeline.console.request_context import RequestContext

LINES_SHOWN = 100

_LINES = """
select *, count(*) over () as line_count, sum(debit) over () as debit_total,
    sum(credit) over () as credit_total
from general_ledger_between($client, period_start := $first, period_end := $last)
where ($account::varchar is null or account_id = $account)
    and ($party::varchar is null or party_id in (
        -- Reports know the merged party: any of its records finds its lines.
        select merged_party_id from parties where client = $client and party_id = $party
        union all select $party
    ))
    and ($words::varchar = '' or contains(
        lower(concat_ws(' ', account_code, account_name, party, description, document_id,
            debit::varchar, credit::varchar)), lower($words)))
order by date, entry_id, line_no
limit $limit offset $offset
"""


@with_books("general-ledger")
def general_ledger(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    """All lines, or those of one account, one party, one period, or with certain words."""
    last = day_of(context.query("to"), facts.today)
    first = day_of(context.query("from"), last) if context.query("from") else None
    if not any(context.query(name) for name in ("from", "account", "party", "search")):
        first = fiscal_year_start(last, facts.fiscal_year_end)
    page = context.number("page") or 1
    start = (page - 1) * LINES_SHOWN
    wanted = {
        "client": context.client,
        "first": first,
        "last": last,
        "account": context.query("account") or None,
        "party": context.query("party") or None,
        "words": context.query("search"),
        "limit": LINES_SHOWN,
        "offset": start,
    }
    accounts_of = (
        "select account_id, account_code, account_name from accounts where client = ? "
        "order by account_code nulls last, account_name"
    )
    rows, accounts = books.together((_LINES, wanted), (accounts_of, [context.client]))
    total = rows[0]["line_count"] if rows else 0
    return context.render(
        "general_ledger.html",
        client=context.client,
        facts=facts,
        rows=rows,
        first=first,
        last=last,
        start=start,
        total=total,
        chosen_account=wanted["account"],
        accounts=[(row["account_id"], label(row)) for row in accounts],
        search=wanted["words"],
        earlier=_address(context, page - 1) if page > 1 else "",
        later=_address(context, page + 1) if start + LINES_SHOWN < total else "",
        choices=period_choices(facts.today, facts.fiscal_year_end),
    )


@with_books("general-ledger")
def entry_page(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    entry = books.row(
        "select * from journal_entries where client = ? and entry_id = ?",
        [context.client, context.path("entry")],
    )
    if entry is None:
        raise HTTPException(404, f"{context.client} has no such journal entry.")
    return context.render(
        "entry.html",
        client=context.client,
        facts=facts,
        entry=entry,
        lines=_journal_lines(books, context.client, "entry_id", entry["entry_id"]),
    )


@with_books("general-ledger")
def document_page(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    """A BILL document: what it says, how it is booked, what it said before."""
    kind, document_id = context.path("type"), context.path("document")
    document = books.row(
        "select * from documents where client = ? and document_type = ? and document_id = ?",
        [context.client, kind, document_id],
    )
    if document is None:
        raise HTTPException(404, f"{context.client} has no such document.")
    history, why_not = _history(books, context.client, kind, document_id)
    return context.render(
        "document.html",
        client=context.client,
        facts=facts,
        document=document,
        lines=books.rows(
            "select * from transactions where client = ? and document_type = ? "
            "and document_id = ? order by transaction_id",
            [context.client, kind, document_id],
        ),
        journal=_journal_lines(books, context.client, "document_id", document_id),
        history=history,
        why_not=why_not,
    )


@with_books("review")
def line_page(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    """One line: its account, who chose it and why, and the form to choose another."""
    parts = read_whole_line(books, context.client, context.path("transaction"))
    named = [part for part in parts if part["transaction_id"] == context.path("transaction")]
    if not named:
        raise HTTPException(404, f"{context.client} has no such line.")
    line = named[0]
    history, why_not = _history(books, context.client, line["document_type"], line["document_id"])
    names = {
        row["account_id"]: label(row)
        for row in books.rows(
            "select account_id, account_code, account_name from accounts where client = ?",
            [context.client],
        )
    }
    return context.render(
        "line.html",
        client=context.client,
        facts=facts,
        line=line,
        parts=parts,
        total=sum((part["amount"] for part in parts), Decimal(0)),
        account=names.get(line["account_id"], line["account_id"]),
        accounts=read_accounts(books, [context.client])[context.client],
        names=names,
        decisions=[d for d in history.decisions if d.line_id == line["line_id"]],
        why_not=why_not,
    )


def _history(
    books: Snapshot, client: str, kind: str, document_id: str
) -> tuple[DocumentHistory, str]:
    history = document_history(books, client, kind, document_id)
    if history is not None:
        return history, ""
    return DocumentHistory([], []), (
        "These books were published by an earlier version of bill-pipeline, without the history. "
        "It can be read here after the next sync."
    )


def _journal_lines(
    books: Snapshot, client: str, column: str, value: str
) -> list[dict[str, object]]:
    return books.rows(
        f"""
        select lines.*, accounts.account_code, accounts.account_name, parties.party
        from journal_lines as lines
        left join accounts on accounts.client = lines.client
            and accounts.account_id = lines.account_id
        left join parties on parties.client = lines.client and parties.party_id = lines.party_id
        where lines.client = $client and lines.{column} = $value
        order by lines.posted_at, lines.date, lines.entry_id, lines.line_no
        """,
        {"client": client, "value": value},
    )


def _address(context: RequestContext, page: int) -> str:
    given = {**context.request.query_params, "page": str(page)}
    return f"/clients/{context.client}/general-ledger?{urlencode(given)}"
