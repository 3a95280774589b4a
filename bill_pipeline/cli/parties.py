"""``parties``: which names are one vendor or customer, and what people say about it."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bill_pipeline.cli.options import home_option, json_option, print_json
from bill_pipeline.cli.rules import by_option
from bill_pipeline.settings import Home

_LISTED = """
select
    client, firm_party_id, any_value(firm_party) as firm_party,
    list({'party_id': party_id, 'party_type': party_type, 'party': party,
        'merged_party_id': merged_party_id} order by party, party_id) as spellings
from parties
where (client = $client or $client is null) and firm_party_id is not null
group by client, firm_party_id
having $every or count(*) > 1
order by client, firm_party, firm_party_id
"""
reason_option = click.option("--reason", default="said by a person", help="Why; kept for ever.")


@click.group()
def parties() -> None:
    """Which vendors and customers are one party, across spellings, suffixes and trade names.

    Merging is a view: documents, amounts and entries keep BILL's own ids, and every step can be
    undone. PARTY is a vendor's or customer's name or id in BILL.
    """


@parties.command("list")
@click.argument("client", required=False)
@click.option("--all", "every", is_flag=True, help="Also parties with one spelling.")
@home_option
@json_option
def list_parties(client: str | None, every: bool, home: Home, as_json: bool) -> None:
    """Parties with more than one spelling; the id is the same at every client."""
    from bill_pipeline.publishing.query import open_ledger
    from bill_pipeline.registry.clients import Registry

    if client is not None:
        Registry(home).status(client)
    with open_ledger(home) as ledger:
        found = ledger.execute(_LISTED, {"client": client, "every": every})
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    if as_json:
        for row in rows:
            print_json(row)
        return
    if not rows:
        click.echo("No party has more than one spelling. --all lists every party.")
        return
    table = Table("client", "party", "spellings in BILL", "id")
    for row in rows:
        spellings = "\n".join(
            f"{s['party']} ({s['party_type']} {s['party_id']})" for s in row["spellings"]
        )
        table.add_row(row["client"], row["firm_party"], spellings, row["firm_party_id"])
    Console().print(table)


@parties.command()
@click.argument("client")
@home_option
@json_option
def review(client: str, home: Home, as_json: bool) -> None:
    """Pairs of names that may be one party: too alike to ignore, too different to merge unasked."""
    from bill_pipeline.categorization.parties import likely_same
    from bill_pipeline.pipeline.books import open_books
    from bill_pipeline.registry.clients import Registry

    registry = Registry(home)
    registry.status(client)
    with open_books(registry, client) as warehouse:
        found = likely_same(warehouse, home)
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in found.to_dict("records")
    ]
    if as_json:
        for row in rows:
            print_json({"client": client, **row})
        return
    if not rows:
        click.echo(f"{client}: no pair is doubtful.")
        return
    table = Table("likely", "one", "the other", "because they")
    for row in rows:
        table.add_row(
            f"{row['probability']:.0%}", f"{row['left']}\n{row['left_id']}",
            f"{row['right']}\n{row['right_id']}", row["reason"],
        )  # fmt: skip
    Console().print(table)
    click.echo(
        f"`bill-pipeline parties merge {client} ONE OTHER` joins a pair, `parties split` keeps it "
        "apart for good."
    )


@parties.command()
@click.argument("client")
@click.argument("into", metavar="PARTY")
@click.argument("others", metavar="OTHER…", nargs=-1, required=True)
@reason_option
@by_option
@home_option
def merge(
    client: str, into: str, others: tuple[str, ...], reason: str, by: str, home: Home
) -> None:
    """Say that each OTHER is PARTY. No money moves."""
    from bill_pipeline.actions import party_answers
    from bill_pipeline.publishing.lookup import Names

    names = Names.read(home, client, "party")
    party_id, other_ids = names.id_of(into), [names.id_of(other) for other in others]
    party_answers.merge(home, client, party_id, other_ids, by=by, reason=reason)
    click.echo(f"{client}: {', '.join(others)} and {into} are one party.")


@parties.command()
@click.argument("client")
@click.argument("party", metavar="PARTY")
@click.argument("other", metavar="OTHER")
@reason_option
@by_option
@home_option
def split(client: str, party: str, other: str, reason: str, by: str, home: Home) -> None:
    """Say that PARTY and OTHER are two, however alike their names are."""
    from bill_pipeline.actions import party_answers
    from bill_pipeline.publishing.lookup import Names

    names = Names.read(home, client, "party")
    ids = names.id_of(party), names.id_of(other)
    party_answers.keep_apart(home, client, *ids, by=by, reason=reason)
    click.echo(f"{client}: {party} and {other} are two parties.")


@parties.command()
@click.argument("client")
@click.argument("party", metavar="PARTY")
@click.argument("name")
@reason_option
@by_option
@home_option
def rename(client: str, party: str, name: str, reason: str, by: str, home: Home) -> None:
    """Call PARTY by NAME in `firm_party`, whatever its spellings in BILL are."""
    from bill_pipeline.actions import party_answers
    from bill_pipeline.publishing.lookup import Names

    party_id = Names.read(home, client, "party").id_of(party)
    party_answers.rename(home, client, party_id, name, by=by, reason=reason)
    click.echo(f"{client}: {party} is called {name}.")


@parties.command()
@click.argument("client")
@by_option
@home_option
def undo(client: str, by: str, home: Home) -> None:
    """Take back the last merge, split or new name; once more puts it back."""
    from bill_pipeline.actions import party_answers
    from bill_pipeline.registry.clients import Registry

    Registry(home).status(client)
    moment = party_answers.undo(home, client, by=by)
    click.echo(
        f"{client}: what was decided about parties on {moment:%Y-%m-%d %H:%M} UTC is undone."
    )
