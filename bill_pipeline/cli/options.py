"""Options that several commands share, and how commands print."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from bill_pipeline.settings import Home, SettingsError

if TYPE_CHECKING:
    from bill_pipeline.registry.failures import ClientError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _home(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Home:
    return Home.at(value)


home_option: Callable[[Any], Any] = click.option(
    "--home",
    metavar="FOLDER",
    callback=_home,
    help="Folder of the registry and the books (BILL_PIPELINE_HOME, else ./data).",
)
json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, one object a line, for machines."
)


def _networks(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(value, strict=False) for value in values)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write an address or a network.") from None


#: Labels of letters, digits and hyphens, as a certificate or a proxy names a host.
_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.IGNORECASE)


def _host_name(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    if value is None:
        return None
    name = value.removesuffix(".").lower()
    if not _HOST_NAME.fullmatch(name) or len(name) > 253:
        raise click.BadParameter(
            f"{value!r} is no host name: write the one name under which people open the console, "
            "such as books.example.com, without https:// and without a port."
        )
    return name


#: Addresses that only this machine reaches.
_LOCAL = ("127.0.0.1", "localhost", "::1")
_LISTENING = (
    click.option("--port", default=8400, show_default=True, type=click.IntRange(1, 65535)),
    click.option(
        "--host",
        default="127.0.0.1",
        show_default=True,
        help="Address to listen on. Other machines reach it only with --behind-https.",
    ),
    click.option(
        "--behind-https",
        metavar="NAME",
        callback=_host_name,
        default=None,
        help="The console is reached as https://NAME through a proxy that ends TLS.",
    ),
    click.option(
        "--trust-proxy",
        "proxies",
        metavar="ADDRESS",
        callback=_networks,
        multiple=True,
        default=("127.0.0.1", "::1"),
        show_default=True,
        help="Where the proxy of --behind-https is: only its word counts for where a request comes "
        "from. An address or a network; repeatable.",
    ),
)


def listening_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--port, --host, --behind-https and --trust-proxy: where the console is reached."""
    for option in reversed(_LISTENING):
        command = option(command)
    return command


def require_encrypted(host: str, behind_https: str | None) -> None:
    """Raises SettingsError when people would sign in over the network without TLS."""
    if host not in _LOCAL and behind_https is None:
        raise SettingsError(
            f"Passwords would cross the network unencrypted if the console listened on {host}. Put "
            "a proxy with TLS in front of it and say --behind-https NAME."
        )


def end_with_troubles(client_errors: Mapping[str, ClientError], as_json: bool) -> None:
    """Print what went wrong with each client, if anything, and end with 1 then."""
    for client, client_error in client_errors.items():
        print_trouble(client, client_error, as_json)
    if client_errors:
        raise SystemExit(1)


def print_trouble(client: str, client_error: ClientError, as_json: bool) -> None:
    if as_json:
        print_json({"client": client, "error": str(client_error)})
    else:
        click.echo(f"{client}: failed. {str(client_error).removeprefix(f'{client}: ')}", err=True)


def print_json(record: dict[str, Any]) -> None:
    click.echo(json.dumps(record, default=str))
