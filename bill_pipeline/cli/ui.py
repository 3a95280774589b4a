"""``ui``: Dagster's web page and its daemon over the same home, until Ctrl-C."""

from __future__ import annotations

import click

from bill_pipeline.cli.options import home_option
from bill_pipeline.settings import Home


@click.command()
@click.option("--port", default=3000, show_default=True, help="Port of the web page.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@home_option
def ui(port: int, host: str, home: Home) -> None:
    """Open the Dagster UI and let sensors and schedules keep every client fresh.

    Starts three processes: the code server, the web page and the daemon. One that dies is started
    again; Ctrl-C stops all of them. The web page has no login: let only the firm reach it.
    """
    from bill_pipeline.dagster.services import Services

    services = Services(home, host=host, port=port)
    services.start()
    click.echo(f"Dagster is at http://{host}:{port} with the books in {home.path}.")
    click.echo("Sensors and schedules run. Ctrl-C stops everything.")
    services.wait()
