"""Where a session is kept between runs: a sync token's session lives 48 hours when idle.

BILL allows 200 logins per hour and developer key, so a session is used by every run and every
process until BILL ends it. The registry implements ``SessionStore`` with a sealed column; here
is only the protocol and a store for one process.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Session:
    """A session BILL opened for one connection. ``session_id`` is a secret."""

    session_id: str = field(repr=False)
    organization_id: str
    fingerprint: str  # Connection.fingerprint of the credentials that opened it


class SessionStore(Protocol):
    """Keeps at most one session per client; safe to call from many threads and processes."""

    def get(self, client: str) -> Session | None:
        """The client's session, or ``None`` when there is none."""

    def put(self, client: str, session: Session) -> None:
        """Replace the client's session."""

    def drop(self, client: str, session: Session) -> None:
        """Forget ``session``, unless another process already put a newer one."""


class MemorySessions:
    """Sessions of this process only: for tests, and for trying out a connection."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def get(self, client: str) -> Session | None:
        with self._lock:
            return self._sessions.get(client)

    def put(self, client: str, session: Session) -> None:
        with self._lock:
            self._sessions[client] = session

    def drop(self, client: str, session: Session) -> None:
        with self._lock:
            if self._sessions.get(client) == session:
                del self._sessions[client]
