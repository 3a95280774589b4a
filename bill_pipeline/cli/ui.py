"""``ui``: Dagster's web page and daemon, and the console, over one home, until Ctrl-C."""

from __future__ import annotations

import click

from bill_pipeline.cli.options import home_option
from bill_pipeline.settings import Home


@click.command()
@click.option("--port", default=3000, show_default=True, help="Port of the web page.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--console-port",
    default=8400,
    show_default=True,
    help="Port of the console, which listens on this machine only; 0 leaves it out.",
)
@home_option
def ui(port: int, host: str, console_port: int, home: Home) -> None:
    """Open the Dagster UI and let sensors and schedules keep every client fresh.

    Starts Dagster's code server, web page and daemon, and the console. One that dies is started
    again; Ctrl-C stops all. Dagster's page has no login: let only the firm reach it.
    """
    from bill_pipeline.dagster.services import Services
    from bill_pipeline.signals import raise_interrupt_on_sigterm

    raise_interrupt_on_sigterm()
    services = Services(home, host=host, port=port, console_port=console_port or None)
    try:
        services.start()
        click.echo(f"Dagster is at http://{host}:{port} with the books in {home.path}.")
        if console_port:
            click.echo(f"The console is at http://127.0.0.1:{console_port}.")
        click.echo("Sensors and schedules run. Ctrl-C stops everything.")
        services.watch()
    except KeyboardInterrupt:
        pass  # asked for, and all that serves ends
    finally:
        services.stop()
