"""Where a request came from when it came through a proxy: the address that the proxy names.

Only proxies that the operator named are believed, and only addresses: what stands in the header
goes into the audit log and says whose wrong passwords count together.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forwarded:
    """Puts the address that ``X-Forwarded-For`` names in the place of the proxy's.

    That is the last one no proxy of ours has. What is no address ends the search: whatever stands
    before it was not written by a proxy of ours.
    """

    def __init__(self, app: ASGIApp, proxies: Sequence[_Network]) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = address_of(scope["client"][0]) if scope.get("client") else None
        if peer is not None and self._is_proxy(peer):
            told = Headers(scope=scope).getlist("x-forwarded-for")
            scope["client"] = (str(self._origin(peer, ",".join(told))), 0)
            scope["scheme"] = "wss" if scope["type"] == "websocket" else "https"
        await self._app(scope, receive, send)

    def _origin(self, peer: _Address, told: str) -> _Address:
        found = peer
        for text in reversed(told.split(",")):
            address = address_of(text)
            if address is None:
                break
            found = address
            if not self._is_proxy(address):
                break
        return found

    def _is_proxy(self, address: _Address) -> bool:
        return any(address in network for network in self._proxies)


def address_of(text: str) -> _Address | None:
    """The address in ``text``, with or without a port; None when it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    if "%" in text:  # the name of a network card, which is free text
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
