"""One request as the handlers see it: who asks, for what, with which body. They know no HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.faults import Fault
from bill_pipeline.sandbox.sessions import Session
from bill_pipeline.sandbox.state import SandboxState


@dataclass
class Call:
    """What a handler gets: the session, the path's parts, the query and the JSON body."""

    state: SandboxState
    path: str
    route: str
    parts: dict[str, str]
    parameters: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    session: Session | None = None
    fault: Fault | None = None
    status: int = 200
    media_type: str = "application/json"
    #: Answer of a handler that must be delivered after its documents were touched.
    notes: dict[str, Any] = field(default_factory=dict)

    def _loaded(self) -> Any:
        try:
            return orjson.loads(self.body or b"{}")
        except ValueError:
            raise errors.invalid("The request body is not valid JSON") from None

    def json_any(self) -> Any:
        """The body as an object or an array of objects; raises ``ApiError`` 400."""
        value = self._loaded()
        return self.json_array() if isinstance(value, list) else self.json()

    def json_array(self) -> list[dict[str, Any]]:
        """The body as an array of objects; raises ``ApiError`` 400."""
        values = self._loaded()
        if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
            raise errors.invalid("The request body must be a JSON array of objects")
        return values

    def json(self) -> dict[str, Any]:
        """The body as an object; raises ``ApiError`` 400."""
        value = self._loaded()
        if not isinstance(value, dict):
            raise errors.invalid("The request body must be a JSON object")
        return value

    def signed_in(self) -> Session:
        if self.session is None:
            raise errors.session_invalid()
        return self.session

    def signed_in_person(self) -> Session:
        """The session of a person: what a sync token may not do begins with this."""
        session = self.signed_in()
        if session.credential.kind == "token":
            raise errors.forbidden(self.state.switches.forbidden_code)
        return session


Handler = Callable[[Call], bytes | dict[str, Any] | list[Any] | None]
