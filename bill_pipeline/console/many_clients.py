"""Connect many clients from a CSV, in the background, a few at a time.

Rows and passwords are kept in memory only, and forgotten as each row is done. One bad row never
stops the others.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bill_pipeline.bill.errors import BillError
from bill_pipeline.console.connecting import Request, connect_client, require_each_once
from bill_pipeline.errors import PipelineError
from bill_pipeline.registry.clients import Registry

_log = logging.getLogger(__name__)

_AT_ONCE = 3
#: Results of the last files; older ones are forgotten.
_BATCHES_KEPT = 10


@dataclass
class Result:
    """What became of one row of the file."""

    client: str
    state: str = "waiting"  # waiting | connected | refused
    message: str = ""


@dataclass
class Batch:
    """One file being worked off."""

    number: str
    user_name: str
    results: list[Result] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return all(result.state != "waiting" for result in self.results)

    @property
    def connected_count(self) -> int:
        return sum(result.state == "connected" for result in self.results)


class ManyClients:
    """The files this console was given lately."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._batches: dict[str, Batch] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="connect")

    def start(
        self, requests: list[Request], user_name: str, on_connected: Callable[[Request], None]
    ) -> Batch:
        """Begin to connect; ``on_connected`` is called for each row that BILL accepted.

        Raises NotConnected for a file without rows, with too many, or naming a client twice.
        """
        require_each_once(requests)
        results = [Result(request.client) for request in requests]
        batch = Batch(secrets.token_urlsafe(12), user_name, results)
        with self._lock:
            self._batches[batch.number] = batch
            while len(self._batches) > _BATCHES_KEPT:
                del self._batches[next(iter(self._batches))]
        for request, result in zip(requests, batch.results, strict=True):
            self._threads.submit(self._connect, request, result, on_connected)
        return batch

    def get(self, number: str) -> Batch | None:
        with self._lock:
            return self._batches.get(number)

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _connect(
        self, request: Request, result: Result, on_connected: Callable[[Request], None]
    ) -> None:
        try:
            refused = connect_client(self._registry, request)
            on_connected(request)
        except (PipelineError, BillError) as error:
            result.message, result.state = str(error), "refused"
        except Exception:  # noqa: BLE001 - a row whose fate nobody learns would wait for ever
            _log.exception("%s was not connected", request.client)
            result.message, result.state = "Failed; the console's log says why.", "refused"
        else:
            names = ", ".join(sorted(refused))
            result.message = f"not readable with this token: {names}" if refused else ""
            result.state = "connected"
