"""Run a story: hand over its BILL documents sync by sync, and compare tables with what it tells.

A story is a YAML file with ``title``, ``steps`` and maybe ``accounting`` (the row of the posting
table it shows) and ``company: none``. A step has

- ``as_of``: the sync's time, a day (its noon) or an exact time in UTC;
- ``given``: documents by list, and ``gone``: ids by list that BILL no longer has;
- ``refused``: what BILL says of lists that it refuses; it gives those of ``given``;
- ``decide``: what people decided before the sync, by the functions of ``decisions``,
  its ``parties``, ``rules`` and ``retypings``;
- ``expect``: tables written as people write them. ``journal`` is the journal with names; any other
  is ``schema.table``, a report's macro or a query in brackets, and may have a ``where``;
- ``warnings``: the names of all checks that warn.

The report macros are made after each sync. At the end the journal is rebuilt from the archive, in
waves and batch by batch, and must come out the same; in ``make test`` half of the stories are
rebuilt, each in one way, by the day.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from bill_pipeline.amounts import to_cents
from bill_pipeline.decisions import parties as party_decisions
from bill_pipeline.decisions import retypings as retyping_decisions
from bill_pipeline.decisions import rules as rule_decisions
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.ingest.missing_lists import note_refusals
from bill_pipeline.pipeline import rebuild
from tests.ledger.company import Company, new_company

HERE = Path(__file__).parent
COMPANY = HERE / "company.yaml"
DATES = {
    "through", "first_open_day", "cutover_date", "write_off_date", "valid_from", "valid_to", "day",
    "first_day",
}  # fmt: skip

JOURNAL = """
select
    lines.date, coalesce(accounts.account_name, lines.account_id) as account,
    nullif(lines.debit, 0) as debit, nullif(lines.credit, 0) as credit,
    lines.document_id as document, lines.document_type, lines.event, lines.open_item_id as settles,
    lines.entry_kind as kind, coalesce(parties.party, lines.party_id) as party, lines.currency,
    lines.amount_currency, departments.dimension_name as department,
    lines.document_version as version,
    lines.posted_at::date as posted, lines.category_source as source, entries.document_date,
    entries.original_date, lines.class_id as class, lines.location_id as location, entries.cause
from ledger.journal_lines as lines
inner join ledger.journal_entries as entries using (entry_id)
left join ledger.accounts as accounts on accounts.account_id = lines.account_id
left join ledger.parties as parties on parties.party_id = lines.party_id
left join ledger.dimensions as departments on departments.dimension_id = lines.department_id
"""


SPARE_ZERO = re.compile(r"^(-?\d+\.\d\d)0$")


class PlainLoader(yaml.SafeLoader):
    """YAML without dates: BILL sends dates as text."""


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def run_story(
    path: Path,
    *,
    also: Callable[[Company], list[str]] | None = None,
    ways: Sequence[rebuild.Way] = rebuild.WAYS,
) -> list[str]:
    """The rows in which the books differ from the story in ``path``; empty when none does.

    ``also`` looks at the company's last tables, and says what is wrong with them; ``ways`` are
    those in which the journal is rebuilt.
    """
    story = read(path)
    with new_company() as company:
        first = moment(story["steps"][0]["as_of"])
        background = {} if story.get("company") == "none" else read(COMPANY)
        for list_name, documents in background.items():
            for document in documents:
                company.put(list_name, document, first)
        differences: list[str] = []
        for step in story["steps"]:
            differences += _run_step(company, step)
        if also:
            differences += also(company)
        if not differences:
            for way in ways:
                rebuild.rebuild(company.warehouse, ways=(way,))  # raises when entries differ
        return differences


def prepare_step(company: Company, step: dict[str, Any]) -> datetime:
    """Hand over the step's documents and decisions; returns the sync's time."""
    at = moment(step["as_of"])
    for list_name, documents in step.get("given", {}).items():
        for document in documents:
            company.put(list_name, document, at)
    for list_name, ids in step.get("gone", {}).items():
        for document_id in ids:
            company.remove(list_name, document_id, at)
    if "refused" in step:
        note_refusals(company.connection, at, step.get("given", ()), step["refused"])
    for decision in step.get("decide", []):
        decide(company, decision, at)
    return at


def _run_step(company: Company, step: dict[str, Any]) -> list[str]:
    at = prepare_step(company, step)
    company.sync(at)
    if any("(" in expected["table"] for expected in step.get("expect", [])):
        company.make_macros()
    differences = [
        row for expected in step.get("expect", []) for row in _differences(company, expected)
    ]
    if "warnings" in step:
        found, wanted = sorted(c.name for c in company.warnings()), sorted(step["warnings"])
        if found != wanted:
            differences.append(f"warnings: wanted {wanted}, found {found}")
    return differences


def read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), PlainLoader)  # noqa: S506


def moment(text: str) -> datetime:
    """Noon of a day, or an exact time."""
    if len(text) == len("2026-01-01"):
        return datetime.combine(date.fromisoformat(text), time(12))
    return datetime.fromisoformat(text)


def decide(company: Company, decision: dict[str, Any], at: datetime) -> None:
    """Call the function of ``decisions`` that the story names."""
    name, arguments = next(iter(decision.items()))
    for key, value in arguments.items():
        if key in DATES:
            arguments[key] = date.fromisoformat(value)
        elif key.startswith("amount"):
            arguments[key] = Decimal(str(value))
        elif key == "parts":
            arguments[key] = [
                decisions.Part(**{**part, "amount": Decimal(str(part["amount"]))}) for part in value
            ]
    if name == "record_categories":
        decisions.record_categories(
            company.connection, arguments["rows"], decided_at=at, decided_by="a story"
        )
    else:
        layers = (decisions, party_decisions, rule_decisions, retyping_decisions)
        module = next(module for module in layers if hasattr(module, name))
        getattr(module, name)(company.connection, **arguments, decided_at=at, decided_by="a story")


def written(value: Any) -> str:
    """A value as a story writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(to_cents(value)) if isinstance(value, Decimal) else str(value)


def parse_table(text: str) -> tuple[list[str], list[tuple[str, ...]]]:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    # A currency of three decimals may be written with all of them.
    return cells[0], [tuple(SPARE_ZERO.sub(r"\1", cell) for cell in row) for row in cells[1:]]


def _differences(company: Company, expected: dict[str, Any]) -> list[str]:
    columns, wanted = parse_table(expected["rows"])
    source = f"({JOURNAL})" if expected["table"] == "journal" else expected["table"]
    where = f"where {expected['where']}" if "where" in expected else ""
    found = [
        tuple(written(value) for value in row)
        for row in company.rows(f"select {', '.join(columns)} from {source} {where}")
    ]
    missing, surplus = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
    difference = [f"- {' | '.join(row)}" for row in sorted(missing.elements())]
    difference += [f"+ {' | '.join(row)}" for row in sorted(surplus.elements())]
    heading = f"{expected['table']} {where}".strip()
    return [heading, f"  {' | '.join(columns)}", *difference] if difference else []
