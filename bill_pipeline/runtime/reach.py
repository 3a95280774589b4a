"""What a connection may reach that an address in the settings asks for.

An address of an alert is a secret that others hand out, and a name means what its owner says at
that moment. So the addresses behind it are looked at when it is connected to, and those are used:
this machine, its network and a cloud's own services are none of an alert's.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection

from bill_pipeline.errors import PipelineError

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: IPv4 in IPv6 by a translator (RFC 6052).
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
#: A public address by the registry, and a service of the machine's own host in one cloud.
_OF_A_CLOUD = frozenset({ipaddress.ip_address("168.63.129.16")})


class NotReached(PipelineError):
    """The host is, or could be, of this machine's own network, and nobody said that it may be."""


def checked_addresses(host: str, port: int, allowed: Collection[str]) -> list[str]:
    """The addresses of ``host``, each of the open internet unless ``host`` is ``allowed``.

    Raises NotReached, OSError when the name has no address.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if host.lower() not in allowed and not all(map(is_public, addresses)):
        raise NotReached("its host is of this machine or of its own network")
    return addresses


def connect_checked(
    host: str, port: int, timeout: float | None, allowed: Collection[str]
) -> socket.socket:
    """A connection to one of the ``checked_addresses``. Raises NotReached, OSError."""
    problem: OSError | None = None
    for address in checked_addresses(host, port, allowed):
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            problem = error
    raise problem or OSError(f"{host} has no address")


def is_public(address: str) -> bool:
    """Whether ``address`` is of the open internet, also where it holds another one."""
    parsed: _Address = ipaddress.ip_address(address.partition("%")[0])
    inner: _Address | None = None
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if parsed in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if parsed.teredo:
            inner = parsed.teredo[1]
    if inner is not None:
        return is_public(str(inner))
    return parsed.is_global and not parsed.is_multicast and parsed not in _OF_A_CLOUD
