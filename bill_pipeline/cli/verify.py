"""``verify``: compare all of a client's documents with BILL, and repair what differs.

The archive is compared with the hashes that were noted when BILL sent the documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bill_pipeline.cli.options import home_option, json_option, print_json
from bill_pipeline.settings import Home

if TYPE_CHECKING:
    from bill_pipeline.ingest.loading import ImportReport


@click.command()
@click.argument("client")
@click.option("--repair", is_flag=True, help="Bring the books to what BILL has, and publish them.")
@home_option
@json_option
def verify(client: str, repair: bool, home: Home, as_json: bool) -> None:
    """Compare every document of CLIENT with BILL: what is missing, differs or is gone.

    All lists are read to their ends, a request for each hundred documents. Without --repair
    nothing is kept, and the exit code is 1 when something differs. An archived version that was
    altered since BILL sent it makes it 1 in any case.
    """
    from bill_pipeline.cli.import_progress import ImportProgress

    with ImportProgress() as shown:
        compared = _repaired(home, client, shown) if repair else _compared(home, client, shown)
    altered = _altered(home, client)
    if as_json:
        print_json(_record(client, compared, repair) | {"altered_versions": altered})
    else:
        _print(client, compared, repair)
        _print_altered(client, altered)
    if altered or (not repair and any(finding.is_wrong for finding in compared.found.values())):
        raise SystemExit(1)


def _compared(home: Home, client: str, shown: Any) -> ImportReport:
    from bill_pipeline.errors import PipelineError
    from bill_pipeline.ingest.client_import import compare_client
    from bill_pipeline.registry.client_files import client_lock
    from bill_pipeline.registry.clients import Registry

    registry = Registry(home)
    connection = registry.connection(client)
    with client_lock(home, client, "compared with BILL"):
        registry.require_file(client)  # which says more
        if not home.client_file(client).exists():
            raise PipelineError(
                f"{client} has no books to compare with BILL. Run `bill-pipeline sync {client}`: "
                "it reads everything."
            )
        return compare_client(registry, client, connection, progress=shown.page)


def _repaired(home: Home, client: str, shown: Any) -> ImportReport:
    from bill_pipeline.errors import PipelineError
    from bill_pipeline.ingest.loading import ImportReport
    from bill_pipeline.pipeline.client_sync import SyncOptions
    from bill_pipeline.pipeline.sync_many import SyncFailure, sync_clients
    from bill_pipeline.registry.clients import Registry

    registry = Registry(home)
    registry.status(client)
    [outcome] = sync_clients(
        registry, [client], SyncOptions(full=True), progress=shown.doing, watch=shown.page
    )
    if isinstance(outcome, SyncFailure):
        raise PipelineError(str(outcome.client_error))
    return outcome.imported or ImportReport(client, outcome.as_of)


def _altered(home: Home, client: str) -> list[dict[str, Any]]:
    from bill_pipeline.ingest.document_versions import altered_versions
    from bill_pipeline.ingest.raw import open_client_file
    from bill_pipeline.registry.client_files import client_lock

    with (
        client_lock(home, client, "checked for altered documents"),
        open_client_file(home.client_file(client), read_only=True) as connection,
    ):
        found = altered_versions(connection)
    return [dict(zip(("list", "id", "version"), each, strict=True)) for each in found]


def _record(client: str, compared: ImportReport, repair: bool) -> dict[str, Any]:
    from dataclasses import asdict

    wrong = {table: one for table, one in sorted(compared.found.items()) if one.is_wrong}
    return {
        "client": client,
        "documents_compared": sum(one.compared for one in compared.found.values()),
        "found": {table: asdict(one) for table, one in wrong.items()},
        "new_since_last_sync": sum(one.news for one in compared.found.values()),
        "documents_refused": compared.refused_documents,
        "lists_missing": compared.lists_missing,
        "repaired": repair,
        "requests": compared.requests,
        "seconds": round(compared.seconds, 2),
    }


def _print(client: str, compared: ImportReport, repair: bool) -> None:
    from bill_pipeline.bill.findings import findings_in_words

    record = _record(client, compared, repair)
    wrong = findings_in_words(compared.found)
    click.echo(
        f"{client}: {record['documents_compared']:,} documents compared with BILL in "
        f"{compared.requests:,} requests{compared.what_is_missing}."
    )
    if record["new_since_last_sync"]:
        brought = "are in the books now" if repair else "come with the next sync"
        click.echo(f"  {record['new_since_last_sync']:,} changed since the last sync and {brought}")
    if not wrong:
        click.echo("  all else is as BILL has it")
    elif repair:
        click.echo(f"  repaired: {wrong}")
    else:
        click.echo(f"  not as BILL has it: {wrong}")
        click.echo(f"Next: bill-pipeline verify {client} --repair")


def _print_altered(client: str, altered: list[dict[str, Any]]) -> None:
    if altered:
        named = ", ".join(
            f"{one['list']} {one['id']} (version {one['version']})" for one in altered[:3]
        )
        click.echo(
            f"  altered in the archive since BILL sent them: {len(altered):,} versions ({named}"
            f"{', …' if len(altered) > 3 else ''}). Put the client's file back from a backup, then "
            f"run `bill-pipeline sync {client}`: a rebuild would give other entries."
        )
