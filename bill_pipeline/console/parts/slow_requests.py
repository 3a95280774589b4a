"""What one connection may cost: time to arrive, bytes of a head, requests at once, time to be read.

uvicorn waits for the rest of a request, and for the reader of an answer, for ever, and takes a head
of any size. Nothing here knows what is asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Response

from bill_pipeline.console.auth.access import strict_headers

#: From the connection, or from the first byte of the next request, to the last byte of one.
SECONDS_TO_ARRIVE = 15.0
#: The rest of a request that is answered already is read for so long: who sends a form too large
#: should learn so. Then nothing is read any more until the time to arrive is over.
SECONDS_TO_END = 2.0
#: Connections at once. Beyond them the one goes whose request is the longest in coming; where all
#: requests have come, whoever comes next is answered 503.
MOST_CONNECTIONS = 2_000
#: Request line and headers together. A browser's are under 10 kB, cookies of other programs on the
#: same host included.
MOST_HEAD_BYTES = 64 * 1024
MOST_HEADERS = 200
#: Headers by which a request says that a body follows.
_SAY_BODY = frozenset({b"content-length", b"transfer-encoding"})
#: How often a connection is looked at that has not taken its answer, and what it has to take
#: meanwhile: 5 kB a second, a bad line's pace.
SECONDS_TO_TAKE = 10.0
LEAST_BYTES_TAKEN = 50_000


class _TooMuchError(Exception):
    """More than a request may hold; ends the parsing of what was received."""


class PromptHandshakes(WebSocketsSansIOProtocol):
    """uvicorn's websockets, of which a handshake is answered in time or ended."""

    deadline: asyncio.TimerHandle | None = None
    is_https = False

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._send_response = self.conn.send_response
        self.conn.send_response = self._send_strictly  # type: ignore[method-assign]

    def _send_strictly(self, response: Response) -> None:
        """Whoever refuses a handshake, uvicorn or the console: browsers are told to be strict."""
        if response.status_code != 101:
            for name, value in _strict(self.is_https).items():
                if name not in response.headers:
                    response.headers[name] = value
        self._send_response(response)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.deadline = self.loop.call_later(SECONDS_TO_ARRIVE, self.give_up)

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.handshake_complete:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def give_up(self) -> None:
        self.transport.abort()


class HttpsHandshakes(PromptHandshakes):
    """The same behind a proxy that ends TLS."""

    is_https = True


class PromptRequests(HttpToolsProtocol):
    """uvicorn's protocol, with an end to everything that a peer can draw out."""

    handshakes: type[PromptHandshakes] = PromptHandshakes

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.ws_protocol_class = self.handshakes
        self.deadline: asyncio.TimerHandle | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._unread = 0  # bytes of answers that the peer had not taken at the last check
        self._has_taken = False
        self._head_bytes = 0  # of the parts of the head that are whole
        self._bytes_beside_body = 0
        self._had_body = False
        self._is_last = False  # the peer did not wait for its answer: no more of its requests
        self._refusal = 400
        self._is_websocket = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) >= MOST_CONNECTIONS:
            self._make_room()
        self._expect_all()

    def data_received(self, data: bytes) -> None:
        if self._is_last:
            return
        self._had_body = False
        super().data_received(data)
        if self._is_last or self.transport.is_closing() or self._is_websocket:
            return
        if not self._had_body:
            # A header, or what follows the last piece of a body, is told of when it is whole.
            self._bytes_beside_body += len(data)
            if self._bytes_beside_body > MOST_HEAD_BYTES:
                self._refuse(431)
        if self.deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_all()  # an empty line between requests begins none, and is no way to stay

    def on_message_begin(self) -> None:
        if self.cycle is not None and not _is_whole(self.cycle):
            # Thousands of requests fit into one packet. A client that sends the next one before it
            # has its answer has to be able to send it again (RFC 9112, 9.3.2).
            self._is_last = True
            self.cycle.keep_alive = False
            raise _TooMuchError
        super().on_message_begin()
        self._head_bytes = self._bytes_beside_body = 0
        if self.deadline is None:
            self._expect_all()

    def on_url(self, url: bytes) -> None:
        self._count(len(url), 414)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value), 431)
        if len(self.headers) >= MOST_HEADERS:
            self._count(MOST_HEAD_BYTES, 431)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade() and self._should_upgrade():
            # Of what is handed on to become a websocket the head goes on and nothing else: whoever
            # reads it would wait for the body for ever. Nor may an answer still be ending here.
            is_busy = self.cycle is not None and not self.cycle.response_complete
            if is_busy or not self._is_bare_get():
                raise _TooMuchError
        most = self.limit_concurrency
        if most is not None and max(len(self.connections), len(self.tasks)) >= most:
            self._refusal = 503  # uvicorn's own answer is not strict
            raise _TooMuchError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._had_body = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_waiting()
        super().on_message_complete()
        if self._looking is None:
            self._look_again()

    def on_response_complete(self) -> None:
        # Otherwise what is still to come is the next request.
        is_answered_early = self.cycle.more_body and not self.pipeline
        super().on_response_complete()
        if self.deadline is not None and is_answered_early:
            # Closing would make it come back at once with the next one.
            self._ending = self.loop.call_later(SECONDS_TO_END, self.flow.pause_reading)

    def send_400_response(self, msg: str) -> None:
        """uvicorn says so of what is no request, and of what ``_count`` stopped."""
        if not self._is_last:  # otherwise the answer under way ends the connection
            self._refuse(self._refusal)

    def resume_writing(self) -> None:
        self._has_taken = True
        super().resume_writing()

    def handle_websocket_upgrade(self) -> None:
        """From here on nothing of the connection is told to this object, its end neither."""
        self._is_websocket = True
        self._stop_waiting()
        self._stop_looking()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_looking()
        super().connection_lost(exc)

    def _is_bare_get(self) -> bool:
        lengths = {name: value for name, value in self.headers if name in _SAY_BODY}
        return self.parser.get_method() == b"GET" and set(lengths.values()) <= {b"0"}

    def _count(self, size: int, status: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MOST_HEAD_BYTES:
            self._refusal = status
            raise _TooMuchError

    def _refuse(self, status: int) -> None:
        has_begun = self.cycle is not None and self.cycle.response_started
        if not has_begun or self.cycle.response_complete:
            strict = _strict(self.handshakes.is_https).items()
            head = "".join(f"{name}: {value}\r\n" for name, value in strict).encode()
            end = b"content-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + head + end)
        self.transport.close()

    def _make_room(self) -> None:
        """Send away the one whose request, or answer to a handshake, is the longest in coming.

        A websocket that was opened stays: of these few are opened (``dagster_proxy``).
        """
        waiting = [
            other
            for other in self.connections
            if isinstance(other, PromptRequests | PromptHandshakes) and other.deadline is not None
        ]
        if waiting:
            oldest = min(waiting, key=lambda other: other.deadline.when())  # type: ignore[union-attr]
            self.connections.discard(oldest)
            oldest.give_up()

    def _expect_all(self) -> None:
        self.deadline = self.loop.call_later(SECONDS_TO_ARRIVE, self.give_up)

    def _stop_waiting(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _look_again(self) -> None:
        self._has_taken = False
        self._looking = self.loop.call_later(SECONDS_TO_TAKE, self._look)

    def _look(self) -> None:
        """Close where an answer lies and is not taken; a page that is still made is waited for."""
        before, self._unread = self._unread, self.transport.get_write_buffer_size()
        most = before - LEAST_BYTES_TAKEN
        if before and self._unread and self._unread > most and not self._has_taken:
            self.give_up()
        else:
            self._look_again()

    def give_up(self) -> None:
        self.transport.abort()


class HttpsRequests(PromptRequests):
    """The same behind a proxy that ends TLS."""

    handshakes = HttpsHandshakes


def _strict(is_https: bool) -> dict[str, str]:
    return {**strict_headers(is_https=is_https), "cache-control": "no-store"}


def _is_whole(cycle: RequestResponseCycle) -> bool:
    """Whether the peer has all of the answer, and may ask on.

    Whoever makes the answer may be at its end still: closing what it was read from, for example.
    Of requests that come meanwhile, uvicorn lets one wait, which is the cycle from then on.
    """
    if cycle.response_complete or not cycle.response_started:
        return cycle.response_complete
    if cycle.scope["method"] == "HEAD" or cycle.chunked_encoding is None:
        return True  # an answer without a body
    return not cycle.chunked_encoding and cycle.expected_content_length == 0


def allow_connections() -> None:
    """Let this process have as many files open as ``MOST_CONNECTIONS`` and its work need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + 512
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
