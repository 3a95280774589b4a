"""The control plane for Python callers: one method per thing a test does to the sandbox."""

from __future__ import annotations

from typing import Any

import httpx


class ControlClient:
    """Talks to ``/sandbox/*``; raises ``ValueError`` with the sandbox's words when refused."""

    def __init__(self, root_url: str) -> None:
        # The proxies of the environment have no business with a server on localhost.
        self._http = httpx.Client(base_url=root_url, timeout=120, trust_env=False)

    def call(self, method: str, path: str, values: dict[str, Any] | None = None) -> Any:
        answer = self._http.request(method, f"/sandbox/{path}", json=values)
        body = answer.json()
        if answer.status_code != 200:
            raise ValueError(body["error"])
        return body

    def close(self) -> None:
        self._http.close()

    def set_clock(self, moment: str) -> str:
        """Set the clock to an ISO time; the new time."""
        return str(self.call("POST", "clock", {"set": moment})["now"])

    def step(self, step: str) -> str:
        """Step the clock, for example by ``"1 day"``; the new time."""
        return str(self.call("POST", "clock", {"step": step})["now"])

    def switches(self, **values: Any) -> dict[str, Any]:
        """Change switches by name (none: only read them); all switches."""
        method = "POST" if values else "GET"
        answer: dict[str, Any] = self.call(method, "switches", values or None)
        return answer

    def faults(self, faults: list[dict[str, Any]], seed: int | None = None) -> None:
        """Replace the active faults; ``[]`` ends the trouble."""
        self.call("POST", "faults", {"faults": faults, "seed": seed})

    def active_faults(self) -> list[dict[str, Any]]:
        """The active faults with their ``hits``."""
        answer: list[dict[str, Any]] = self.call("GET", "faults")
        return answer

    def statistics(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.call("GET", "statistics")
        return answer

    def reset_statistics(self) -> None:
        self.call("POST", "statistics/reset", {})

    def lose_sessions(self, organization_id: str | None = None) -> int:
        values = {"organization_id": organization_id} if organization_id else {}
        return int(self.call("POST", "sessions/lose", values)["lost"])

    def revoke_token(self, client: str) -> None:
        self.call("POST", f"organizations/{client}/token/revoke", {})

    def restore_token(self, client: str) -> None:
        self.call("POST", f"organizations/{client}/token/restore", {})

    def books(self, client: str) -> dict[str, list[dict[str, Any]]]:
        """The true books, list by list."""
        answer: dict[str, list[dict[str, Any]]] = self.call("GET", f"organizations/{client}/books")
        return answer
