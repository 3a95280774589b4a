"""Run the sandbox: in a thread of a test, or in this process for the command line.

>>> with SandboxServer(companies=2, seed=7) as sandbox:            # doctest: +SKIP
...     company = sandbox.companies[0]
...     login = httpx.post(f"{sandbox.base_url}/v3/login", json={
...         "username": company.token_name, "password": company.token_password,
...         "organizationId": company.organization_id, "devKey": sandbox.dev_key})
...     headers = {"devKey": sandbox.dev_key, "sessionId": login.json()["sessionId"]}
...     httpx.get(f"{sandbox.base_url}/v3/bills", headers=headers, params={"max": 100})
...     sandbox.control.step("1 day")
...     sandbox.control.faults([{"kind": "reset", "match": "/bills$", "rate": 0.1}])

``base_url`` is ``http://127.0.0.1:PORT/connect``, ``v2_url`` ``http://127.0.0.1:PORT/api/v2``.
Nothing here knows what the books say; give a prepared ``SandboxState`` for your own.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bill_pipeline.sandbox import control, events, v2, v3
from bill_pipeline.sandbox.clock import Clock
from bill_pipeline.sandbox.companies import add_invented_companies
from bill_pipeline.sandbox.control_client import ControlClient
from bill_pipeline.sandbox.saved import save
from bill_pipeline.sandbox.state import DEFAULT_TODAY, Company, SandboxState
from bill_pipeline.sandbox.switches import Switches

#: A start that takes longer is a failure, not a slow machine.
_START_SECONDS = 60
_TICK_SECONDS = 0.2
#: A look-alike that is killed forgets no more than this.
_SECONDS_BETWEEN_SAVES = 30


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with the connection at hand for the faults that break it."""

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.scope["sandbox.transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class _TidyPath:
    """Reads paths as BILL's gateway is reached: ``//`` and a last ``/`` say nothing.

    Clients join a base URL that ends with a slash and a path that begins with one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            tidy = "/" + "/".join(part for part in scope["path"].split("/") if part)
            if tidy != scope["path"]:
                scope = {**scope, "path": tidy, "raw_path": tidy.encode()}
        await self._app(scope, receive, send)


class _Dated:
    """Answers carry the sandbox's time in ``Date``, as they carry it in everything else."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(self._clock.now(), usegmt=True).encode()
                message = {**message, "headers": [*message["headers"], (b"date", date)]}
            await send(message)

        await self._app(scope, receive, dated if scope["type"] == "http" else send)


def application(state: SandboxState, saved_in: Path | None = None) -> Starlette:
    """All planes of one sandbox as an ASGI app; its state is kept in the file ``saved_in``."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(_live_on(state))]
        if saved_in:
            tasks.append(asyncio.create_task(_save_on(state, saved_in)))
        yield
        for task in tasks:
            task.cancel()
        if saved_in:
            save(state, saved_in)

    return Starlette(
        routes=[
            *v3.routes(state),
            *events.routes(state),
            *v2.routes(state),
            *control.routes(state),
        ],
        lifespan=lifespan,
        middleware=[Middleware(_TidyPath), Middleware(_Dated, clock=state.clock)],
    )


async def _live_on(state: SandboxState) -> None:
    """Let companies live although nobody asks: their webhooks must not wait for a request."""
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        state.advance()
        await state.webhooks.deliver()


async def _save_on(state: SandboxState, saved_in: Path) -> None:
    while True:
        save(state, saved_in)
        await asyncio.sleep(_SECONDS_BETWEEN_SAVES)


def server_config(
    state: SandboxState, host: str, port: int, saved_in: Path | None = None
) -> uvicorn.Config:
    return uvicorn.Config(
        application(state, saved_in),
        host=host,
        port=port,
        http=_Protocol,
        date_header=False,  # the sandbox's own clock, see _Dated
        loop="uvloop",
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=1,
    )


class SandboxServer:
    """A sandbox on a free port of localhost, for the length of a ``with`` block."""

    def __init__(
        self,
        companies: int = 2,
        documents: int = 400,
        seed: int = 1,
        today: datetime = DEFAULT_TODAY,
        speed: float = 0.0,
        switches: dict[str, Any] | None = None,
        state: SandboxState | None = None,
        port: int = 0,
        variety: str = "usual",
    ) -> None:
        if state is None:
            chosen = Switches()
            chosen.change(switches or {})
            state = SandboxState(seed, today, speed, chosen)
            add_invented_companies(state, companies, documents, variety)
        self.state = state
        self._port = port

    def __enter__(self) -> SandboxServer:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        root = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.root_url = root
        self.base_url = self.state.base_url = f"{root}/connect"
        self.events_url = f"{root}/connect-events"
        self.v2_url = f"{root}/api/v2"
        self.dev_key = self.state.dev_key
        self._server = uvicorn.Server(server_config(self.state, "127.0.0.1", 0))
        started = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(listener, started), name="sandbox", daemon=True
        )
        self._thread.start()
        if not started.wait(_START_SECONDS):
            raise RuntimeError(f"The sandbox did not start within {_START_SECONDS} s")
        self.control = ControlClient(root)
        return self

    def _run(self, listener: socket.socket, started: threading.Event) -> None:
        original = self._server.startup

        async def startup(sockets: list[socket.socket] | None = None) -> None:
            await original(sockets)
            started.set()

        self._server.startup = startup  # type: ignore[method-assign]
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(self._server.serve(sockets=[listener]))

    def __exit__(self, *exception: object) -> None:
        self.control.close()
        self._server.should_exit = True
        self._thread.join(timeout=10)

    @property
    def companies(self) -> list[Company]:
        return self.state.companies()
