"""Log in and keep sessions, shared by v2 and v3: lifetimes, revoked tokens, dev keys.

Which objects a credential may read is decided in ``v3_reading.py`` and ``v2.py``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.clock import Clock
from bill_pipeline.sandbox.organization import Credential, Organization
from bill_pipeline.sandbox.switches import Switches


@dataclass
class Session:
    """One login to one organization, bound to the dev key it was made with."""

    session_id: str
    organization: Organization
    credential: Credential
    dev_key: str
    last_used_ms: int
    #: Has passed MFA (``trust.py``).
    is_trusted: bool = False
    #: Where it was opened: v3 or v2.
    plane: str = "v3"


class Sessions:
    """All sessions of the sandbox. Idle lifetimes run on the sandbox's clock."""

    def __init__(self, clock: Clock, switches: Switches, seed: int) -> None:
        self._clock = clock
        self._switches = switches
        self._seed = seed
        self._sessions: dict[str, Session] = {}
        self._revoked: set[str] = set()
        self._count = 0

    def log_in(
        self, organization: Organization | None, name: str, password: str, dev_key: str
    ) -> Session:
        """A new session; raises ``ApiError`` BDC_1101 or BDC_1105."""
        credential = self._credential(organization, name, password)
        if organization is None or credential is None:
            raise errors.wrong_password(self._switches.login_error_status)
        if not organization.is_api_enabled:
            raise errors.api_disabled()
        self._count += 1
        digest = hashlib.blake2b(f"{self._seed}/{self._count}".encode(), digest_size=16)
        session_id = f"{digest.hexdigest()}{self._count:06d}"
        session = Session(session_id, organization, credential, dev_key, self._clock.now_ms())
        self._sessions[session_id] = session
        return session

    def _credential(
        self, organization: Organization | None, name: str, password: str
    ) -> Credential | None:
        for credential in organization.credentials if organization else ():
            same = hmac.compare_digest(credential.password.encode(), password.encode())
            if credential.name == name and same and credential.name not in self._revoked:
                return credential
        return None

    def find(self, session_id: str, dev_key: str, plane: str = "v3") -> Session:
        """The live session, its idle time restarted; raises ``ApiError`` BDC_1109."""
        session = self._sessions.get(session_id)
        if session is None or session.dev_key != dev_key:
            raise errors.session_invalid()
        if session.plane != plane and not self._switches.sessions_serve_both_planes:
            raise errors.session_invalid()
        idle_seconds = (self._clock.now_ms() - session.last_used_ms) / 1_000
        if idle_seconds > self.lifetime_seconds(session):
            del self._sessions[session_id]
            raise errors.session_invalid()
        session.last_used_ms = self._clock.now_ms()
        return session

    def lifetime_seconds(self, session: Session) -> int:
        if session.credential.kind == "token":
            return self._switches.session_idle_seconds_token
        return self._switches.session_idle_seconds_user

    def log_out(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)

    def lose(self, organization_id: str | None = None) -> int:
        """Forget all sessions (of one organization); the number forgotten."""
        lost = [
            session_id
            for session_id, session in self._sessions.items()
            if organization_id in {None, session.organization.id}
        ]
        for session_id in lost:
            del self._sessions[session_id]
        return len(lost)

    def revoke(self, credential: Credential) -> None:
        """End a credential and its sessions, as a customer does in the web app."""
        self._revoked.add(credential.name)
        for session_id in [
            s.session_id for s in self._sessions.values() if s.credential == credential
        ]:
            del self._sessions[session_id]

    def restore(self, credential: Credential) -> None:
        self._revoked.discard(credential.name)


def organizations_of(
    organizations: Iterable[Organization], name: str, password: str
) -> list[Organization]:
    """The organizations a name and password may log in to (v2 ``ListOrgs``)."""
    return [
        organization
        for organization in organizations
        if any(c.name == name and c.password == password for c in organization.credentials)
    ]
