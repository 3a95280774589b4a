"""``console``: the web page where clients are connected, lines reviewed and books read."""

from __future__ import annotations

import click
from pydantic import SecretStr

from bill_pipeline.cli.options import home_option
from bill_pipeline.settings import Home, SettingsError

_LOCAL = ("127.0.0.1", "localhost", "::1")


@click.command()
@click.option("--port", default=8400, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on. Other machines reach it only with --behind-https.",
)
@click.option(
    "--behind-https",
    metavar="NAME",
    default=None,
    help="The console is reached as https://NAME through a proxy that ends TLS.",
)
@click.option(
    "--trust-proxy",
    "proxies",
    metavar="ADDRESS",
    multiple=True,
    default=("127.0.0.1", "::1"),
    show_default=True,
    help="Where the proxy of --behind-https is: only its word counts for where a request comes "
    "from. An address or a network; repeatable.",
)
@click.option(
    "--create-admin",
    metavar="NAME",
    default=None,
    help="Make an administrator, asking for the password, and stop.",
)
@home_option
def console(
    port: int,
    host: str,
    behind_https: str | None,
    proxies: tuple[str, ...],
    create_admin: str | None,
    home: Home,
) -> None:
    """Serve the console: connect clients, settle the review queue, read the books."""
    from bill_pipeline.console.app import Console, console_app

    if create_admin is not None:
        _create_admin(home, create_admin)
        return
    if host not in _LOCAL and behind_https is None:
        raise SettingsError(
            f"Passwords would cross the network unencrypted if the console listened on {host}. Put "
            "a proxy with TLS in front of it and say --behind-https NAME."
        )
    import uvicorn

    from bill_pipeline.console.slow_requests import (
        MOST_CONNECTIONS,
        PromptRequests,
        allow_connections,
    )

    allow_connections()
    names = (behind_https,) if behind_https else ()
    the_console = Console.at(home, is_https=behind_https is not None, allowed_hosts=names)
    if not the_console.users.all():
        click.echo("Nobody can sign in yet: bill-pipeline console --create-admin NAME", err=True)
    address = f"https://{behind_https}" if behind_https else f"http://{host}:{port}"
    click.echo(f"The console is at {address}; stop it with Ctrl-C.")
    uvicorn.run(
        console_app(the_console),
        host=host,
        port=port,
        http=PromptRequests,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=2,
        log_level="warning",
        server_header=False,
        # Only a proxy may say which address a request came from.
        proxy_headers=behind_https is not None,
        forwarded_allow_ips=list(proxies),
    )


def _create_admin(home: Home, name: str) -> None:
    from bill_pipeline.console.database import ConsoleDatabase
    from bill_pipeline.console.users import ALL_CLIENTS, Role, Users

    password = click.prompt(
        f"Password for {name} (12 characters or more)", hide_input=True, confirmation_prompt=True
    )
    users = Users(ConsoleDatabase(home.path / "console.sqlite"))
    users.create(
        name, SecretStr(password), Role.ADMIN, clients=ALL_CLIENTS, created_by="command line"
    )
    click.echo(f"{name} can sign in. Start the console with: bill-pipeline console")
