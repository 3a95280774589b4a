"""A request has to arrive: connections that are opened and left, or dripped into, are closed.

uvicorn waits for the rest of a request for ever. Nothing here knows what is asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: From the connection, or from the first byte of the next request, to the last byte of one.
SECONDS_TO_ARRIVE = 15.0
#: Connections at once; beyond them it answers 503 before it reads anything.
MOST_CONNECTIONS = 2_000


class PromptRequests(HttpToolsProtocol):
    """uvicorn's protocol, with a time within which each request has to be whole."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_all()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:
            self._expect_all()

    def on_message_complete(self) -> None:
        self._stop_waiting()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _expect_all(self) -> None:
        self._deadline = self.loop.call_later(SECONDS_TO_ARRIVE, self._close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()


def allow_connections() -> None:
    """Let this process have as many files open as ``MOST_CONNECTIONS`` and its work need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + 512
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
