"""Which sessions are trusted: MFA challenges and remembered devices, shared by v2 and v3.

BILL sends a code to the user's phone; here the code is always ``MFA_CODE``. A session becomes
trusted by answering a challenge, or at login by naming a device that answered one before.
"""

from __future__ import annotations

import hashlib

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.sessions import Session

#: The code that every phone of the sandbox receives.
MFA_CODE = "123456"


class Trust:
    """Open challenges by id, and the devices a user wants remembered."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._count = 0
        self._challenges: dict[str, str] = {}
        self._devices: set[tuple[str, str, str]] = set()

    def _new_id(self) -> str:
        self._count += 1
        digest = hashlib.blake2b(f"{self._seed}/mfa/{self._count}".encode(), digest_size=16)
        return digest.hexdigest()

    def challenge(self, session: Session) -> str:
        """Send a code to the session's user; the id to answer it with."""
        challenge_id = self._new_id()
        self._challenges[challenge_id] = session.session_id
        return challenge_id

    def answer(self, session: Session, challenge_id: str, code: str, device: str) -> str:
        """Make the session trusted; an id that remembers the device. Raises ``ApiError``."""
        if self._challenges.get(challenge_id) != session.session_id:
            raise errors.wrong_mfa("BDC_1356")
        if code != MFA_CODE:
            raise errors.wrong_mfa("BDC_1358")
        del self._challenges[challenge_id]
        session.is_trusted = True
        remember_id = self._new_id()
        self._devices.add((session.credential.user_id, remember_id, device))
        return remember_id

    def step_up(self, session: Session, remember_id: str, device: str) -> bool:
        """Make the session trusted if its user's device is remembered; whether it is."""
        known = (session.credential.user_id, remember_id, device) in self._devices
        session.is_trusted = session.is_trusted or known
        return known
