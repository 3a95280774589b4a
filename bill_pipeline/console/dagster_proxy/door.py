"""The way to Dagster's web page, and how many may go it at once."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
from starlette.exceptions import HTTPException

from bill_pipeline.dagster.address import PREFIX

#: Websockets open at once. A page of Dagster's keeps one.
MOST_WEBSOCKETS = 200
MOST_WEBSOCKETS_OF_ONE = 20
#: Dagster's slowest queries take seconds; one that takes a minute has failed.
_PATIENCE = httpx.Timeout(60.0, connect=5.0, pool=10.0)


class Places:
    """The websockets and subscriptions that are open to one Dagster, by their users."""

    def __init__(self) -> None:
        self._websockets: Counter[str] = Counter()  # open ones, by the name of their user
        self.subscriptions: Counter[str] = Counter()  # likewise

    @contextlib.contextmanager
    def websocket(self, user_name: str) -> Iterator[None]:
        """Hold one of the places of ``user_name``. Raises HTTPException 503 where all are taken."""
        if (
            self._websockets.total() >= MOST_WEBSOCKETS
            or self._websockets[user_name] >= MOST_WEBSOCKETS_OF_ONE
        ):
            raise HTTPException(503, "Too many pages of Dagster are open.")
        self._websockets[user_name] += 1
        try:
            yield
        finally:
            self._websockets[user_name] -= 1
            self._websockets += Counter()  # forgets who has none


class DagsterDoor:
    """The way to Dagster's web page that listens on the Unix socket ``socket``."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        # No httpx.Client: it would keep cookies for everybody, follow redirects and add headers.
        self._transport = httpx.AsyncHTTPTransport(uds=str(socket))
        self.places = Places()

    async def ask(
        self, method: str, path: str, headers: dict[str, str], content: bytes | None = None
    ) -> httpx.Response:
        """Dagster's answer, of which the body is still to be read; raises httpx.TransportError."""
        return await self._transport.handle_async_request(
            httpx.Request(
                method,
                f"http://dagster{PREFIX}/{quote(path)}",
                headers=headers,
                content=content,
                extensions={"timeout": _PATIENCE.as_dict()},
            )
        )

    async def close(self) -> None:
        """Close what is open to Dagster."""
        await self._transport.aclose()
