"""``console``: the web page where clients are connected, lines reviewed and books read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import SecretStr

from bill_pipeline.cli.asking import ask_new_password
from bill_pipeline.cli.options import Network, home_option, listening_options, require_encrypted
from bill_pipeline.settings import Home

if TYPE_CHECKING:
    from starlette.types import ASGIApp


@click.command()
@listening_options
@click.option(
    "--create-admin",
    metavar="NAME",
    default=None,
    help="Make an administrator, asking for the password, and stop.",
)
@click.option("--dagster-socket", type=click.Path(path_type=Path), default=None, hidden=True)
@home_option
def console(
    port: int,
    host: str,
    behind_https: str | None,
    proxies: tuple[Network, ...],
    create_admin: str | None,
    dagster_socket: Path | None,
    home: Home,
) -> None:
    """Serve the console: connect clients, settle the review queue, read the books."""
    from bill_pipeline.console.app import console_app
    from bill_pipeline.console.console import Console

    if create_admin is not None:
        _create_admin(home, create_admin)
        return
    require_encrypted(host, behind_https)
    import uvicorn

    from bill_pipeline.console.auth.forwarded import Forwarded
    from bill_pipeline.console.parts.forms import MOST_BYTES
    from bill_pipeline.console.parts.slow_requests import (
        MOST_CONNECTIONS,
        HttpsRequests,
        PromptRequests,
        allow_connections,
    )

    allow_connections()
    names = (behind_https,) if behind_https else ()
    the_console = Console.at(
        home,
        is_https=behind_https is not None,
        allowed_hosts=names,
        dagster_socket=dagster_socket,
    )
    if not the_console.users.all():
        click.echo("Nobody can sign in yet: bill-pipeline console --create-admin NAME", err=True)
    address = f"https://{behind_https}" if behind_https else f"http://{host}:{port}"
    click.echo(f"The console is at {address}; stop it with Ctrl-C.")
    app: ASGIApp = console_app(the_console)
    if behind_https is not None:
        app = Forwarded(app, proxies)
    uvicorn.run(
        app,
        host=host,
        port=port,
        http=PromptRequests if behind_https is None else HttpsRequests,
        limit_concurrency=MOST_CONNECTIONS,
        ws_max_size=MOST_BYTES,
        timeout_graceful_shutdown=2,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # ``Forwarded`` reads them: uvicorn takes any text for an address
    )


def _create_admin(home: Home, name: str) -> None:
    from bill_pipeline.console.auth.users import ALL_CLIENTS, Role, Users
    from bill_pipeline.console.database import ConsoleDatabase

    password = ask_new_password(f"Password for {name} (12 characters or more)")
    users = Users(ConsoleDatabase(home.console))
    users.create(
        name, SecretStr(password), Role.ADMIN, clients=ALL_CLIENTS, created_by="command line"
    )
    click.echo(f"{name} can sign in, at the address that `bill-pipeline ui` or `console` prints.")
