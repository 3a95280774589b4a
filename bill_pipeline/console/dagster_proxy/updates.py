"""Dagster's live updates: subscriptions of its page, and nothing else, over few websockets.

A message is read and written anew before it goes on, as ``graphql_requests.py`` says.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from anyio import create_task_group
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from bill_pipeline.console.auth.access import sign_in_of
from bill_pipeline.console.console import Console
from bill_pipeline.console.dagster_proxy.door import Places
from bill_pipeline.console.dagster_proxy.errors import without_traces
from bill_pipeline.console.dagster_proxy.graphql_requests import NotGraphql, read_json, read_request

#: The one protocol that Dagster's page and its server speak over websockets.
PROTOCOL = "graphql-ws"
#: Subscriptions open at once: a page has one to what it shows, and one to each run at work.
MOST_SUBSCRIPTIONS = 30
MOST_SUBSCRIPTIONS_OF_ONE = 60
#: Of a message over a websocket: a subscription of Dagster's page has a tenth.
MOST_MESSAGE_BYTES = 64 * 1024
#: After each subscription the next message of the same websocket is not read for so long.
PAUSE_SECONDS = 0.05
#: How soon an open websocket notices that its session ended.
RECHECK_SECONDS = 5.0
#: Codes with which a websocket is closed.
_NORMAL, _UNREADABLE, POLICY_VIOLATION, _TOO_LARGE, _TRY_LATER = 1000, 1003, 1008, 1009, 1013
_log = logging.getLogger(__name__)


async def follow(
    browser: WebSocket, socket: Path, address: str, places: Places, user_name: str
) -> int:
    """Hand messages on between ``browser`` and Dagster's websocket ``address`` on ``socket``.

    Returns the code with which the browser's websocket is to be closed, unless it is already: when
    either side ended, or the session of ``user_name``.
    """
    open_ones = _Subscriptions(places.subscriptions, user_name)
    try:
        async with unix_connect(
            str(socket), address, subprotocols=[Subprotocol(PROTOCOL)], compression=None,
            max_size=None, open_timeout=5, close_timeout=1, user_agent_header=None,
        ) as dagster:  # fmt: skip
            await browser.accept(PROTOCOL)
            return await _first_of(
                lambda: _from_browser(browser, dagster, open_ones),
                lambda: _from_dagster(browser, dagster, open_ones),
                lambda: _until_session_ends(browser),
            )
    except (OSError, WebSocketException, TimeoutError) as error:
        _log.info("Dagster's live updates do not answer: %r", error)
        return _TRY_LATER
    finally:
        open_ones.end_all()


class _Subscriptions:
    """The open subscriptions of one websocket, by their ids; ``of_users`` counts those of all."""

    def __init__(self, of_users: Counter[str], user_name: str) -> None:
        self.user_name = user_name
        self._of_users = of_users
        self._ids: set[str] = set()

    def start(self, number: str) -> bool:
        """Count it, unless there are too many; returns whether it may start."""
        if number not in self._ids:
            of_user = self._of_users[self.user_name]
            if len(self._ids) >= MOST_SUBSCRIPTIONS or of_user >= MOST_SUBSCRIPTIONS_OF_ONE:
                return False
            self._ids.add(number)
            self._of_users[self.user_name] += 1
        return True

    def end(self, number: str) -> None:
        """Forget it, if it is there."""
        if number in self._ids:
            self._ids.remove(number)
            self._of_users[self.user_name] -= 1

    def end_all(self) -> None:
        """Forget all: Dagster ends them with the websocket."""
        for number in tuple(self._ids):
            self.end(number)


async def _first_of(*tasks: Callable[[], Awaitable[int]]) -> int:
    """What the first of ``tasks`` to end returns: a websocket's closing code."""
    codes: list[int] = []
    async with create_task_group() as group:

        async def run(task: Callable[[], Awaitable[int]]) -> None:
            codes.append(await task())
            group.cancel_scope.cancel()

        for task in tasks:
            group.start_soon(run, task)
    return codes[0]


async def _from_browser(
    browser: WebSocket, dagster: ClientConnection, open_ones: _Subscriptions
) -> int:
    console: Console = browser.app.state.console
    while True:
        received = await browser.receive()
        if received["type"] == "websocket.disconnect":
            return _NORMAL
        text = received.get("text") or ""
        if len(text) > MOST_MESSAGE_BYTES:
            return _TOO_LARGE
        try:
            # One at a time, as pages are made: parsing takes a while, and others are served too.
            message = await console.turns.show(_read_message, text, user_name=open_ones.user_name)
            if message.is_start and not open_ones.start(message.number):
                await browser.send_json(_too_many(message.number))
                continue
            await dagster.send(message.text)
        except NotGraphql:
            return _UNREADABLE
        except WebSocketException:
            return _TRY_LATER
        if message.is_start:
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            open_ones.end(message.number)


@dataclass(frozen=True)
class _Message:
    """What goes on of a message from the browser; ``number`` is empty if it is of no operation."""

    text: str
    number: str = ""
    is_start: bool = False


def _read_message(text: str) -> _Message:
    """Raises NotGraphql for what may not go on."""
    given = read_json(text)
    kind = given.get("type") if isinstance(given, dict) else None
    if kind in ("connection_init", "connection_terminate"):
        return _Message(orjson.dumps({"type": kind}).decode())
    number = given.get("id") if isinstance(given, dict) else None
    if not isinstance(number, str):
        raise NotGraphql("A message needs the id of its operation.")
    if kind == "stop":
        return _Message(orjson.dumps({"type": kind, "id": number}).decode(), number)
    asked = read_request(given.get("payload"))
    if kind != "start" or asked.operations != {OperationType.SUBSCRIPTION} or asked.changes:
        raise NotGraphql("Only subscriptions go over a websocket.")
    payload = orjson.Fragment(asked.body)
    message = orjson.dumps({"type": kind, "id": number, "payload": payload}).decode()
    return _Message(message, number, is_start=True)


def _too_many(number: str) -> dict[str, Any]:
    said = "Too many subscriptions are open. Close other pages of Dagster."
    return {"type": "error", "id": number, "payload": {"message": said}}


async def _from_dagster(
    browser: WebSocket, dagster: ClientConnection, open_ones: _Subscriptions
) -> int:
    try:
        async for message in dagster:
            with contextlib.suppress(orjson.JSONDecodeError):  # Dagster may say NaN
                given = orjson.loads(message)
                if given["type"] in ("complete", "error"):
                    open_ones.end(given["id"])
                    message = orjson.dumps(without_traces(given)).decode()
            await browser.send_text(message if isinstance(message, str) else message.decode())
    except WebSocketException:
        return _TRY_LATER
    except WebSocketDisconnect:
        pass
    return _NORMAL


async def _until_session_ends(browser: WebSocket) -> int:
    while True:
        await asyncio.sleep(RECHECK_SECONDS)
        sign_in = await sign_in_of(browser, is_visit=False)
        if sign_in is None or not sign_in.user.may_open_dagster:
            return POLICY_VIOLATION
