"""``rules``: what a firm always codes the same way, for one client."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from bill_pipeline.cli.options import home_option, json_option, print_json
from bill_pipeline.settings import Home

if TYPE_CHECKING:
    from bill_pipeline.actions.rules import RuleTerms

DOCUMENT_TYPES = ("bill", "vendor_credit", "invoice", "credit_memo")
_LISTED = """
select client, rule_id, position, priority, party, document_type, description_contains, department,
    amount_from, amount_to, valid_from, valid_to, account_code, account_name, line_count_decided,
    line_count_fitting, last_date, reason, decided_by, decided_at
from rules
where client = $client or $client is null
order by client, position
"""


class _Amount(click.ParamType):
    name = "AMOUNT"

    def convert(self, value: Any, param: Any, ctx: Any) -> Decimal:
        try:
            return Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} is no amount; write it as 120.00.", param, ctx)


_day = click.DateTime(["%Y-%m-%d"])
by_option = click.option(
    "--by", default=getpass.getuser, show_default="your user name", help="Who decided."
)
_TERMS = (
    click.option("--party", help="Only this vendor or customer (name or id), however spelled."),
    click.option("--department", help="Only lines of this department."),
    click.option("--text", help="Only lines whose text contains this."),
    click.option("--type", "document_type", type=click.Choice(DOCUMENT_TYPES)),
    click.option("--amount-from", type=_Amount(), help="Only amounts from this one on."),
    click.option("--amount-to", type=_Amount(), help="Only amounts up to this one."),
    click.option("--from", "valid_from", type=_day, help="Only documents of this day or later."),
    click.option("--to", "valid_to", type=_day, help="Only documents of this day or earlier."),
    click.option("--priority", type=int, help="Lower is tried first. New rules have 100."),
)


def _with_terms(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_TERMS):
        command = option(command)
    return command


@click.group()
def rules() -> None:
    """Lines that a firm always codes the same way: vendor X → account Y.

    The first rule that fits decides a line that nobody coded. A person's answer and BILL's own
    coding come before every rule, the model after it.
    """


@rules.command("list")
@click.argument("client", required=False)
@home_option
@json_option
def list_rules(client: str | None, home: Home, as_json: bool) -> None:
    """The standing rules in their order, with the lines each one hits and would hit."""
    from bill_pipeline.actions.rules import rule_in_words
    from bill_pipeline.publishing.query import open_ledger
    from bill_pipeline.registry.clients import Registry

    if client is not None:
        Registry(home).status(client)
    with open_ledger(home) as ledger:
        found = ledger.execute(_LISTED, {"client": client})
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    if as_json:
        for row in rows:
            print_json(row)
        return
    if not rows:
        click.echo("No rule yet. `bill-pipeline rules add --help` says how to make one.")
        return
    table = Table("client", "rule", "lines that", "go to", "decides", "would fit", "because")
    for row in rows:
        table.add_row(
            row["client"], row["rule_id"], rule_in_words(row),
            f"{row['account_code'] or ''} {row['account_name'] or ''}".strip(),
            f"{row['line_count_decided']:,}", f"{row['line_count_fitting']:,}",
            f"{row['reason'] or ''} ({row['decided_by']}, {row['decided_at']:%Y-%m-%d})",
        )  # fmt: skip
    Console().print(table)


@rules.command()
@click.argument("client")
@click.option("--account", required=True, help="Where the lines go: number, name or id.")
@_with_terms
@click.option("--reason", required=True, help="Why; kept for ever and shown with every line.")
@by_option
@home_option
@json_option
def add(client: str, reason: str, by: str, home: Home, as_json: bool, **terms: Any) -> None:
    """Make a rule for CLIENT and book at once what it decides.

    Example: rules add acme --party "Northside Paper" --account 6100 --reason "always supplies"
    """
    from bill_pipeline.actions import rules as firm_rules

    rule_id = firm_rules.add(home, client, _terms(home, client, terms), by=by, reason=reason)
    if as_json:
        print_json({"client": client, "rule_id": rule_id})
    else:
        click.echo(f"{client}: {rule_id} stands; its lines are booked.")


@rules.command()
@click.argument("client")
@click.argument("rule_id", metavar="RULE")
@click.option("--account", help="Where the lines go: number, name or id.")
@_with_terms
@click.option("--reason", required=True, help="Why it changes.")
@by_option
@home_option
def change(client: str, rule_id: str, reason: str, by: str, home: Home, **terms: Any) -> None:
    """Change some terms of a rule; those not named stay as they are.

    To end a rule and keep what it decided, give it a last day: --to 2026-06-30. To try it before
    others, give it a lower priority.
    """
    from bill_pipeline.actions import rules as firm_rules

    changes = _found(home, client, terms)
    if not changes:
        raise click.UsageError("Say what is to change; `rules change --help` lists the options.")
    firm_rules.change(home, client, rule_id, changes, by=by, reason=reason)
    click.echo(f"{client}: {rule_id} changed; its lines are booked.")


@rules.command()
@click.argument("client")
@click.argument("rule_id", metavar="RULE")
@click.option("--reason", default="removed", help="Why.")
@by_option
@home_option
def remove(client: str, rule_id: str, reason: str, by: str, home: Home) -> None:
    """Take a rule back: its lines are decided again as if it had never been.

    In a closed month only the difference is posted, on the first open day. To end a rule without
    touching what it decided, use `rules change RULE --to DAY`.
    """
    from bill_pipeline.actions import rules as firm_rules
    from bill_pipeline.registry.clients import Registry

    Registry(home).status(client)
    firm_rules.remove(home, client, rule_id, by=by, reason=reason)
    click.echo(f"{client}: {rule_id} no longer stands.")


@rules.command()
@click.argument("client")
@click.option("--account", required=True, help="Where the lines would go.")
@_with_terms
@home_option
@json_option
def test(client: str, home: Home, as_json: bool, **terms: Any) -> None:
    """Show which lines a rule would hit, without making it."""
    from bill_pipeline.actions import rules as firm_rules

    rows = firm_rules.try_out(home, client, _terms(home, client, terms))
    if as_json:
        for row in rows:
            print_json({"client": client, **row})
        return
    decided = [row for row in rows if row["is_decided"]]
    table = Table("date", "party", "description", "amount", "now", "by", "the rule")
    for row in rows[:40]:
        table.add_row(
            str(row["date"]), row["party"] or "", (row["description"] or "")[:60],
            f"{row['amount']:,}", row["account"] or "", row["category_source"],
            "decides it" if row["is_decided"] else "would fit",
        )  # fmt: skip
    if rows:
        Console().print(table)
    click.echo(
        f"{client}: the rule fits {len(rows):,} lines and would decide {len(decided):,}. "
        "Nothing was recorded."
    )


def _terms(home: Home, client: str, given: dict[str, Any]) -> RuleTerms:
    from bill_pipeline.actions.rules import RuleTerms

    return RuleTerms(**_found(home, client, given))


def _found(home: Home, client: str, given: dict[str, Any]) -> dict[str, Any]:
    """The terms that were given, with names replaced by ids. Raises NameRefused."""
    from bill_pipeline.publishing.lookup import Names

    found: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in {"account", "party", "department"}:
            found[f"{name}_id"] = Names.read(home, client, name).id_of(value)
        elif name == "text":
            found["description_contains"] = value
        else:
            found[name] = value.date() if isinstance(value, datetime) else value
    return found
