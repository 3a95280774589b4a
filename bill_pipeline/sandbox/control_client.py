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

    def live(self, live: bool = True) -> None:
        """Let the invented companies go on living as the clock goes on, or stop them."""
        self.call("POST", "live", {"live": live})

    def change(self, client: str, name: str = "bills", **values: Any) -> list[str]:
        """Edit documents of a list: ``count`` or ``ids``, ``set`` fields, ``silent``; their ids."""
        answer = self.edit(client, "change", list=name, **values)
        return list(answer["ids"])

    def archive(self, client: str, name: str = "bills", **values: Any) -> list[str]:
        """Archive (``archived=False``: restore) documents of a list; their ids."""
        return list(self.edit(client, "archive", list=name, **values)["ids"])

    def edit(self, client: str, kind: str, **values: Any) -> dict[str, Any]:
        """Any edit of ``edits.EDITS``: change, archive, recode, bills, pay, payments, merge."""
        answer: dict[str, Any] = self.call("POST", f"organizations/{client}/{kind}", values)
        return answer

    def truth(self, client: str) -> list[dict[str, str]]:
        """The true accounts of an invented company's uncoded lines."""
        answer: list[dict[str, str]] = self.call("GET", f"organizations/{client}/truth")
        return answer

    def variety(self, client: str) -> dict[str, Any]:
        """A company's ``kinds`` of variety, and the ``events`` that lists do not show."""
        answer: dict[str, Any] = self.call("GET", f"organizations/{client}/variety")
        return answer

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
