"""Who is connected: ``connect`` and ``connect-many``, ``clients``, ``pause``, ``disconnect`` …"""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bill_pipeline.bill.connection import Connection
from bill_pipeline.cli.asking import ask, require_yes
from bill_pipeline.cli.options import (
    end_with_troubles,
    home_option,
    json_option,
    print_json,
)
from bill_pipeline.registry.clients import ClientStatus, Registry, utc_now
from bill_pipeline.registry.failures import ClientError, alone
from bill_pipeline.registry.webhooks import Webhooks
from bill_pipeline.settings import Home, Settings, SettingsError, base_urls, require_client_name

_STEPS_IN_BILL = (
    "In BILL, as an administrator: Settings › Sync & Integrations › Tokens › New. BILL shows the "
    "token's password once; if it is lost, make a new token."
)


@click.command(epilog=_STEPS_IN_BILL)
@click.argument("client")
@click.option("--organization-id", required=True, help="BILL's id of the organization (008…).")
@click.option("--token-name", required=True, help="Name of the sync token.")
@click.option(
    "--token-password-stdin",
    is_flag=True,
    help="Read the token's password from standard input instead of asking for it.",
)
@click.option(
    "--environment",
    default="production",
    show_default=True,
    help="production, sandbox, or the URL of a BILL look-alike.",
)
@click.option(
    "--allow-duplicate",
    is_flag=True,
    help="Connect the organization although it is connected under another name.",
)
@home_option
@json_option
def connect(
    client: str,
    organization_id: str,
    token_name: str,
    token_password_stdin: bool,
    environment: str,
    allow_duplicate: bool,
    home: Home,
    as_json: bool,
) -> None:
    """Connect CLIENT's BILL account with a sync token.

    The password is asked for without echo, never taken from the command line. The developer key of
    the firm comes from BILL_PIPELINE_DEV_KEY or is asked for.
    """
    from bill_pipeline.ingest.client_import import check_access

    require_client_name(client)
    if token_password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = ask("Token password", hidden=True)
    dev_key = Settings.now().dev_key
    if dev_key is None and not sys.stdin.isatty():
        raise SettingsError("Set BILL_PIPELINE_DEV_KEY to the firm's BILL developer key.")
    dev_key = dev_key or SecretStr(ask("Developer key", hidden=True))
    if not password or not dev_key.get_secret_value():
        raise SettingsError(f"No token password for {client}. {_STEPS_IN_BILL}")
    base_url, v2_url = base_urls(environment)
    connection = Connection(
        organization_id=organization_id,
        token_name=token_name,
        token_password=SecretStr(password),
        dev_key=dev_key,
        base_url=base_url,
        v2_url=v2_url,
    )
    registry = Registry(home)
    access = check_access(registry, client, connection)
    registry.connect(client, connection, environment=environment, allow_duplicate=allow_duplicate)
    registry.update(client, skipped_lists=access.refused_lists)
    if as_json:
        print_json({"client": client, "refused_lists": access.refused_lists})
        return
    click.echo(f"{client} is connected to BILL organization {organization_id}.")
    for name, reason in access.refused_lists.items():
        click.echo(f"  not readable with this token: {name} ({reason})")
    click.echo(f"Next: bill-pipeline sync {client}")


@click.command("connect-many", epilog=_STEPS_IN_BILL)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--environment",
    default="production",
    show_default=True,
    help="Of the rows that name none: production, sandbox, or the URL of a BILL look-alike.",
)
@home_option
@json_option
def connect_many(file: Path, environment: str, home: Home, as_json: bool) -> None:
    """Connect the clients of FILE, a CSV (- is standard input); one bad row stops no other.

    Its columns are client, organization_id, token_name, token_password and, if need be,
    environment and developer_key; without one the firm's (BILL_PIPELINE_DEV_KEY) is sent to BILL's
    own addresses. Delete FILE afterwards: it holds the tokens' passwords.
    """
    from bill_pipeline.console.connecting import connect_client, read_csv, require_each_once

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {type(error).__name__}.") from None
    requests = list(read_csv(text, environment, SecretStr("")))
    require_each_once(requests)
    registry = Registry(home)
    failed: dict[str, ClientError] = {}
    for request in requests:
        with alone(request.client, failed):
            refused = connect_client(registry, request)
            if as_json:
                print_json({"client": request.client, "refused_lists": refused})
            else:
                unread = f"; not readable with this token: {', '.join(refused)}" if refused else ""
                click.echo(f"{request.client} is connected{unread}.")
    if len(failed) < len(requests) and not as_json:
        click.echo("Next: bill-pipeline sync --all")
    end_with_troubles(failed, as_json)


@click.command()
@home_option
@json_option
def clients(home: Home, as_json: bool) -> None:
    """List the connected clients and how each one is doing."""
    from bill_pipeline.pipeline.interrupted import mend_interrupted
    from bill_pipeline.publishing.publish import as_published
    from bill_pipeline.registry.registry_file import why_lost

    if said := why_lost(home):
        raise SettingsError(said)
    registry = Registry(home)
    mend_interrupted(registry)
    statuses = as_published(home, registry.all())
    _name_unknown(registry)
    if as_json:
        for status in statuses:
            print_json(asdict(status))
        return
    if not statuses:
        click.echo("No client is connected. `bill-pipeline connect --help` says how to begin.")
        return
    table = Table("client", "state", "last sync", "documents", "to review", "what to do")
    for status in statuses:
        table.add_row(
            status.client,
            _state(status),
            _age(status.last_success_at),
            f"{status.document_count:,}",
            f"{status.review_count:,}",
            _advice(status),
        )
    Console().print(table)


def _state(status: ClientStatus) -> str:
    """The client's state, and what a sync that is at work on it does."""
    said = status.state.value.replace("_", " ")
    if doing := status.progress.get("doing"):
        documents = status.progress.get("documents", 0)
        said += f" ({doing}, {documents:,} documents)" if documents else f" ({doing})"
    return said


def _name_unknown(registry: Registry) -> None:
    """Say, on standard error, whose files are here though nobody is connected under their name."""
    from bill_pipeline.publishing.registry import remedy_for_unknown

    for client in registry.unknown_files():
        said = f"{registry.home.client_file(client)}: nobody is connected under that name."
        click.echo(f"{said} {remedy_for_unknown(client)}", err=True)


@click.command()
@click.argument("client")
@home_option
def pause(client: str, home: Home) -> None:
    """Stop syncing CLIENT until it is resumed; its books stay as they are."""
    from bill_pipeline.console import leaving

    leaving.pause(Registry(home), client)
    click.echo(f"{client} is paused. `bill-pipeline resume {client}` starts it again.")


@click.command()
@click.argument("client")
@home_option
def resume(client: str, home: Home) -> None:
    """Sync CLIENT again after it was paused."""
    from bill_pipeline.console import leaving

    leaving.resume(Registry(home), client)
    click.echo(f"{client} is synced again.")


_DELETED = "its books here were deleted; backups and copies of them stay"


@click.command()
@click.argument("client")
@click.option("--purge", is_flag=True, help="Also delete the client's books. Cannot be undone.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def disconnect(client: str, purge: bool, yes: bool, home: Home) -> None:
    """Forget CLIENT's sync token; with --purge its books as well."""
    from bill_pipeline.console import leaving

    registry = Registry(home)
    leaving.require_known(registry, client)
    if purge and not yes:
        require_yes(f"Delete every document and journal entry of {client}?")
    leaving.disconnect(registry, client, purge=purge)
    kept = _DELETED if purge else f"its books stay in {home.client_file(client)}"
    click.echo(f"{client} is disconnected; {kept}.")


@click.command("rotate-key")
@click.option("--print", "prints", is_flag=True, help="Only print a new key, to store elsewhere.")
@home_option
def rotate_key(prints: bool, home: Home) -> None:
    """Seal all stored secrets with a new key and retire the old one.

    When the key comes from the environment or a keyring, put the new key in front of the old one
    there, separated by a comma, run this, and then drop the old one.
    """
    from bill_pipeline.registry.vault import (
        configured_keys,
        new_key,
        retire_old_keys,
        rotate_key_file,
    )

    if prints:
        click.echo(new_key().get_secret_value())
        return
    has_key_file = configured_keys() is None
    if has_key_file:
        rotate_key_file(home.secret_key)
    registry = Registry(home)
    count = registry.reseal()
    Webhooks(registry).reseal()
    if has_key_file:
        retire_old_keys(home.secret_key)
    which = "a new key" if has_key_file else "the first of the given keys; drop the others"
    click.echo(f"{count} clients' secrets are sealed with {which}.")


def _age(moment: datetime | None) -> str:
    if moment is None:
        return "never"
    minutes = int((utc_now() - moment).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def _trouble(status: ClientStatus) -> str:
    return f"{status.error} {status.remedy or ''}".strip()


def _advice(status: ClientStatus) -> str:
    if status.unpublished_since:
        built = f"built, not published since {status.unpublished_since:%Y-%m-%d %H:%M} UTC"
        return f"{built}. {_trouble(status)}" if status.error else f"{built}: the next sync does it"
    if status.error:
        return _trouble(status)
    if status.quarantined:
        waiting = ", ".join(f"{count:,} of {name}" for name, count in status.quarantined.items())
        return f"unreadable: {waiting}"
    if status.refused_documents:
        from bill_pipeline.ingest.loading import ASKED_AGAIN

        refused = ", ".join(f"{n:,} of {name}" for name, n in status.refused_documents.items())
        return f"BILL does not show: {refused}; {ASKED_AGAIN}"
    if status.unreadable_lists:
        return f"not readable: {', '.join(sorted(status.unreadable_lists))}"
    return " ".join(filter(None, (status.clock_alarm, status.model_alarm)))
