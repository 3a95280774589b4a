"""``ui``: the console with Dagster's page in it, and Dagster's daemon, until Ctrl-C."""

from __future__ import annotations

import click

from bill_pipeline.cli.options import Network, home_option, listening_options, require_encrypted
from bill_pipeline.settings import Home


@click.command()
@listening_options
@home_option
def ui(
    port: int, host: str, behind_https: str | None, proxies: tuple[Network, ...], home: Home
) -> None:
    """Serve the console and Dagster, and let sensors and schedules keep every client fresh.

    Starts Dagster's code server, web page and daemon, and the console, which serves Dagster's page
    under /dagster to those who may see all clients. One that dies is started again; Ctrl-C stops
    all.
    """
    from bill_pipeline.console.auth.users import Users
    from bill_pipeline.console.database import ConsoleDatabase
    from bill_pipeline.dagster.services import Services
    from bill_pipeline.runtime.signals import raise_interrupt_on_sigterm

    require_encrypted(host, behind_https)
    raise_interrupt_on_sigterm()
    further = ["--behind-https", behind_https] if behind_https else []
    further += [word for proxy in proxies for word in ("--trust-proxy", str(proxy))]
    services = Services(home, host=host, port=port, console_options=tuple(further))
    try:
        services.start()
        address = f"https://{behind_https}" if behind_https else f"http://{host}:{port}"
        click.echo(f"The console is at {address}, with the books in {home.path}.")
        click.echo(f"Dagster is at {address}/dagster, for those who may see all clients.")
        if not Users(ConsoleDatabase(home.console)).all():
            click.echo("Nobody can sign in yet: bill-pipeline console --create-admin NAME")
        click.echo("Sensors and schedules run. Ctrl-C stops everything.")
        services.watch()
    except KeyboardInterrupt:
        pass  # asked for, and all that serves ends
    finally:
        services.stop()
