"""Split one BILL line over several accounts, classes, departments or locations."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.actions.deciding import Answer
from bill_pipeline.amounts import amount_of, to_cents
from bill_pipeline.console.pages.books import with_books
from bill_pipeline.console.pages.review import decide_undoably
from bill_pipeline.console.queries.ledger import Snapshot
from bill_pipeline.console.queries.review_queue import (
    Account,
    account_named,
    line_of,
    read_accounts,
    read_whole_line,
)
from bill_pipeline.console.queries.statements import BookFacts
from bill_pipeline.console.request_context import RequestContext
from bill_pipeline.decisions.tables import Part, require_parts
from bill_pipeline.errors import PipelineError

#: Rows of an empty form; *More parts* gives as many again.
PARTS_SHOWN = 4
MOST_PARTS = 100
DIMENSIONS = ("class", "department", "location")


class PartRefused(PipelineError):
    """One row of the form is not complete."""


@dataclass(frozen=True)
class PartRow:
    """One row of the form, as it was typed."""

    account: str = ""
    amount: str = ""
    description: str = ""
    class_id: str = ""
    department_id: str = ""
    location_id: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.account or self.amount)


@with_books("review")
def split_page(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    """The form: as the line is split now, else its whole amount on the account that counts."""
    parts = _parts_of(context, books)
    accounts = read_accounts(books, [context.client])[context.client]
    return _form(context, books, parts, accounts, [_row_of(part, accounts) for part in parts])


@with_books("review")
def split_line(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    """Book the parts, or say beside what was typed why not."""
    parts = _parts_of(context, books)
    accounts = read_accounts(books, [context.client])[context.client]
    rows = _typed_rows(context)
    if context.form.text("do") == "more":
        return _form(context, books, parts, accounts, rows, more=PARTS_SHOWN)
    try:
        answer = _answer(rows, parts, accounts, _dimensions(books, context.client))
    except PipelineError as error:
        return _form(context, books, parts, accounts, rows, message=str(error), status=422)
    named = {account.account_id: account.label for account in accounts}
    decide_undoably(
        context,
        context.client,
        [answer],
        [],
        context.form.text("reason") or "split in the console",
        " and ".join(named[part.account_id] for part in answer.parts),
    )
    return context.redirect(
        context.own_path(context.form.text("back"), _line_address(context, parts))
    )


def _parts_of(context: RequestContext, books: Snapshot) -> list[dict[str, Any]]:
    parts = read_whole_line(books, context.client, context.path("transaction"))
    if not parts:
        raise HTTPException(404, f"{context.client} has no such line.")
    return parts


def _line_address(context: RequestContext, parts: list[dict[str, Any]]) -> str:
    return f"/clients/{context.client}/lines/{parts[0]['transaction_id']}"


def _form(
    context: RequestContext,
    books: Snapshot,
    parts: list[dict[str, Any]],
    accounts: list[Account],
    rows: list[PartRow],
    *,
    more: int = 0,
    message: str = "",
    status: int = 200,
) -> Response:
    filled = [row for row in rows if not row.is_empty]
    wanted = min(max(PARTS_SHOWN, len(rows) + more, len(filled) + 1), MOST_PARTS)
    return context.render(
        "split.html",
        status=status,
        client=context.client,
        line=parts[0],
        total=_total(parts),
        is_split=len(parts) > 1,
        rows=[*rows, *[PartRow()] * (wanted - len(rows))],
        accounts=accounts,
        dimensions=_dimensions(books, context.client),
        reason=context.form.text("reason"),
        back=context.own_path(
            context.form.text("back") or context.query("back"), _line_address(context, parts)
        ),
        message=message,
    )


def _total(parts: list[dict[str, Any]]) -> Decimal:
    return to_cents(sum((part["amount"] for part in parts), Decimal(0)))


def _row_of(part: dict[str, Any], accounts: list[Account]) -> PartRow:
    """A line nobody decided shows no account: uncategorized is no choice."""
    labels = {account.account_id: account.label for account in accounts}
    is_open = part["category_source"] == "default"
    return PartRow(
        account="" if is_open else labels.get(part["account_id"], ""),
        amount=f"{to_cents(part['amount']):,f}",
        description=part["description"] or "",
        class_id=part["class_id"] or "",
        department_id=part["department_id"] or "",
        location_id=part["location_id"] or "",
    )


def _typed_rows(context: RequestContext) -> list[PartRow]:
    form = context.form
    columns = ["account", "amount", "description", *(f"{name}_id" for name in DIMENSIONS)]
    values = [form.texts(column)[:MOST_PARTS] for column in columns]
    longest = max(map(len, values))
    full = [[*column, *[""] * (longest - len(column))] for column in values]
    return [PartRow(*row) for row in zip(*full, strict=True)]


def _answer(
    rows: list[PartRow],
    line: list[dict[str, Any]],
    accounts: list[Account],
    dimensions: dict[str, list[tuple[str, str]]],
) -> Answer:
    """Raises PipelineError naming the part that is not complete, or what is left to share out."""
    known = {value for values in dimensions.values() for value, _name in values}
    whole = line[0]
    parts = []
    for number, row in enumerate(rows, start=1):
        if row.is_empty:
            continue
        given = {name: getattr(row, f"{name}_id") or None for name in DIMENSIONS}
        if unknown := {value for value in given.values() if value} - known:
            raise PartRefused(f"Part {number}: {', '.join(sorted(unknown))} is not in BILL's list.")
        parts.append(
            Part(
                account_id=_account(number, row, accounts).account_id,
                amount=amount_of(row.amount, f"Part {number}"),
                description=row.description if row.description != whole["description"] else None,
                **{f"{name}_id": value for name, value in given.items()},
            )
        )
    require_parts(parts, _total(line))
    return Answer(line_of(whole), None, tuple(parts))


def _account(number: int, row: PartRow, accounts: list[Account]) -> Account:
    if not row.account:
        raise PartRefused(f"Part {number} has an amount and no account.")
    return account_named(row.account, accounts)


def _dimensions(books: Snapshot, client: str) -> dict[str, list[tuple[str, str]]]:
    """Class, department, location → (id, name) as BILL offers them; kinds without any left out."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in books.rows(
        "select dimension, dimension_id, dimension_name from dimensions "
        "where client = ? and not is_archived and dimension in (select unnest(?::varchar[])) "
        "order by dimension, dimension_name, dimension_id",
        [client, list(DIMENSIONS)],
    ):
        found.setdefault(row["dimension"], []).append((row["dimension_id"], row["dimension_name"]))
    return found
