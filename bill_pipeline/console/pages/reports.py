"""Every published report as a page, and as a file: a new report is one SQL file and nothing here.

Statements and aging have pages of their own besides, in ``books``; their files come from here.

What a page asks for are the parameters of the report's macro; what it adds up is what the file's
``totals`` names; what a column means is the comment beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.console.pages.books import with_books
from bill_pipeline.console.parts.period import (
    FIRST_DAY,
    LAST_DAY,
    NotADay,
    day_choices,
    day_of,
    period_choices,
    period_of,
)
from bill_pipeline.console.queries.ledger import Snapshot
from bill_pipeline.console.queries.statements import BookFacts
from bill_pipeline.console.request_context import RequestContext
from bill_pipeline.exports.reports import ReportFile, report_as_csv, report_as_xlsx
from bill_pipeline.publishing.tables import PublishedColumn, PublishedTable, identifier
from bill_pipeline.warehouse.transforms import load_transforms

ROWS_SHOWN = 200
#: Beside the name that stands for it on the page, an id is noise; files have both.
_NAMED_BY = {
    "account_id": "account_name", "party_id": "party", "suggested_account_id": "suggested_account",
    "usual_account_id": "usual_account_name", "document_id": "document_type",
}  # fmt: skip
#: What else a macro may be asked for: parameter → (label, choices), the first by default.
CHOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "age_by": ("Age by", ("due_date", "document_date")),
}
_DAYS = ("report_date", "period_start", "period_end", "known_at")


@dataclass(frozen=True)
class Report:
    """One report; ``name`` is its place in addresses, ``totals`` the columns that add up."""

    name: str
    table: PublishedTable
    macro: str | None
    parameters: tuple[str, ...]
    totals: tuple[str, ...]

    @property
    def title(self) -> str:
        return self.name.replace("-", " ").capitalize()

    @property
    def is_for_people(self) -> bool:
        """The others are what these are made of."""
        return self.table.source.startswith("reports.")

    @property
    def columns(self) -> list[PublishedColumn]:
        """What the page shows; lists within a row are for files."""
        known = {column.name for column in self.table.columns}
        return [
            column
            for column in self.table.columns
            if _NAMED_BY.get(column.name) not in known
            and not column.type.startswith(("STRUCT", "JSON", "MAP"))
            and not column.type.endswith("[]")
        ]

    @property
    def source(self) -> str:
        """What stands after ``from``; the values are those of ``Asked.values``."""
        if self.macro is None:
            return f"(select * exclude (client) from {self.table.name} where client = $client)"
        given = "".join(f", {name} := ${name}" for name in self.parameters)
        return f"{self.macro}($client{given})"


@dataclass(frozen=True)
class Asked:
    """What the address asks for: the macro's ``values``, and the ``fields`` of the page's form."""

    values: dict[str, Any]
    fields: dict[str, str]
    days: str  # in words


def reports_of(books: Snapshot) -> dict[str, Report]:
    """The reports of the ledger as it is published now, by name."""
    macros = {macro.name for macro in books.macros}
    transforms, found = load_transforms(), {}
    for table in books.tables:
        transform = transforms.get(table.source)
        if transform is None:
            continue
        macro = transform.macro if transform.macro and transform.macro.name in macros else None
        if macro or transform.schema == "reports":
            name = table.name.replace("_", "-")
            parameters = macro.parameters if macro else ()
            found[name] = Report(
                name, table, macro.name if macro else None, parameters, transform.totals
            )
    return found


@with_books("reports")
def reports(context: RequestContext, books: Snapshot, _facts: BookFacts) -> Response:
    """What there is, each with the sentence that says what it tells."""
    return context.render(
        "reports.html", client=context.client, reports=list(reports_of(books).values())
    )


@with_books("reports")
def report(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    """One report: rows in the chosen order, page by page, with totals over all of them."""
    shown = _report(context, books)
    asked = _asked(context, shown, facts)
    column, is_descending = _order(context, shown)
    page = max(context.number("page") or 1, 1)
    start = (page - 1) * ROWS_SHOWN
    totals = "".join(f", sum({identifier(name)}) as {identifier(name)}" for name in shown.totals)
    order = _order_by(shown, column, is_descending)
    listed = f"select * from {shown.source} {order} limit {ROWS_SHOWN} offset {start}"
    added_up = f"select count(*) as row_count{totals} from {shown.source}"
    rows, [summed] = books.together((listed, asked.values), (added_up, asked.values))
    count = summed.pop("row_count")
    here = f"/clients/{context.client}/reports/{shown.name}"

    def address(**changes: str) -> str:
        fields = {**asked.fields, "sort": context.query("sort"), **changes}
        return f"{here}?{urlencode({name: value for name, value in fields.items() if value})}"

    return context.render(
        "report.html",
        client=context.client,
        facts=facts,
        report=shown,
        asked=asked,
        rows=rows,
        totals=summed,
        count=count,
        start=start,
        sorted_by=column,
        is_descending=is_descending,
        address=address,
        here=here,
        choices=CHOICES,
        day_choices=day_choices(facts.today, facts.fiscal_year_end),
        period_choices=period_choices(facts.today, facts.fiscal_year_end),
        earlier=address(page=str(page - 1)) if page > 1 else "",
        later=address(page=str(page + 1)) if start + ROWS_SHOWN < count else "",
    )


@with_books("reports")
def download_report(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    """The whole report as CSV, or as a workbook with its title, totals and print set-up."""
    shown = _report(context, books)
    asked = _asked(context, shown, facts)
    column, is_descending = _order(context, shown)
    names, rows = books.table(
        f"select * from {shown.source} {_order_by(shown, column, is_descending)}", asked.values
    )
    ending = "xlsx" if context.query("as") == "xlsx" else "csv"
    is_incomplete = bool(context.lists_missing(context.client))
    file = ReportFile(
        title=shown.title,
        client=context.client,
        about=f"{asked.days}, {facts.home_currency}",
        warning="Incomplete: BILL does not let us read every list." if is_incomplete else "",
        columns=tuple(names),
        rows=rows,
        totals=shown.totals,
    )
    context.record("downloaded a report", context.client, report=shown.name)
    last = asked.fields.get("to") or facts.today
    name = f"{context.client}-{shown.name}-{last}{'-incomplete' if is_incomplete else ''}.{ending}"
    content, kind = (
        (report_as_xlsx(file), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        if ending == "xlsx"
        else (report_as_csv(file), "text/csv; charset=utf-8")
    )
    return Response(
        content,
        media_type=kind,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _report(context: RequestContext, books: Snapshot) -> Report:
    found = reports_of(books).get(context.path("report"))
    if found is None:
        raise HTTPException(404, "There is no such report.")
    return found


def _asked(context: RequestContext, shown: Report, facts: BookFacts) -> Asked:
    """Raises NotADay, and HTTPException 404 for a choice that there is not."""
    values: dict[str, Any] = {"client": context.client}
    fields: dict[str, str] = {}
    words = "as the books stand"
    if "period_start" in shown.parameters:
        days = period_of(
            context.query("from"), context.query("to"), facts.today, facts.fiscal_year_end
        )
        values |= {"period_start": days.first, "period_end": days.last}
        fields |= {"from": str(days.first), "to": str(days.last)}
        words = f"{days.first} to {days.last}"
    elif "report_date" in shown.parameters:
        day = day_of(context.query("to"), facts.today)
        values["report_date"], fields["to"], words = day, str(day), f"as of {day}"
    if "known_at" in shown.parameters:
        known = _moment(context.query("known"))
        values["known_at"] = known
        if known:
            fields["known"] = known.isoformat(timespec="seconds")
            words += f", as known on {known:%Y-%m-%d %H:%M} UTC"
    for name in set(shown.parameters) - {*_DAYS}:
        _label, choices = CHOICES[name]
        chosen = context.query(name) or choices[0]
        if chosen not in choices:
            raise HTTPException(404, "There is no such choice.")
        values[name] = fields[name] = chosen
    return Asked(values, fields, words)


def _moment(text: str) -> datetime | None:
    """A day (its end) or a minute, UTC. Raises NotADay."""
    if not text:
        return None
    try:
        is_day = len(text) <= len("2026-03-31")
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise NotADay(f"{text[:20]!r} is not a moment: write it as YYYY-MM-DDTHH:MM.") from None
    if is_day:
        moment = datetime.combine(moment, time(23, 59, 59))
    if not FIRST_DAY < moment.date() < LAST_DAY:
        raise NotADay(f"{moment.date()} is in no books: choose a day from {FIRST_DAY} on.")
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _order(context: RequestContext, shown: Report) -> tuple[str, bool]:
    """The column chosen, if any, and whether its last value comes first."""
    text = context.query("sort")
    column = text.removeprefix("-")
    if column not in {known.name for known in shown.table.columns}:
        return "", False
    return column, text.startswith("-")


def _order_by(shown: Report, column: str, is_descending: bool) -> str:
    """As the columns stand, unless one is chosen; those not shown settle what is left."""
    chosen = [f"{identifier(column)} {'desc' if is_descending else 'asc'} nulls last"]
    names = dict.fromkeys(
        [*(c.name for c in shown.columns), *(c.name for c in shown.table.columns)]
    )
    rest = [f"{identifier(name)} nulls last" for name in names]
    return "order by " + ", ".join([*chosen, *rest] if column else rest)
