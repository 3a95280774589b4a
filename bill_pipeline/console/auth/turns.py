"""Whose turn it is: who is signed in does not wait for strangers, and nobody for many passwords.

One process serves the console. Whatever anybody may ask for without having signed in is worked at
by few threads of its own, so that a flood of it delays itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException

Answer = TypeVar("Answer")

#: Requests of people who are signed in, worked at together; the others wait.
PEOPLE_AT_ONCE = 40
PAGES_OF_ONE_AT_ONCE = 2  # a browser that opens ten tabs, or a script, leaves a core to others
STRANGERS_AT_ONCE = 2
#: Passwords: 128 MB and most of a core each. Of people who never signed in from where they are,
#: one fewer, so that a place is left for those who did, and a core for pages.
HASHED_AT_ONCE = 2
STRANGERS_HASHED_AT_ONCE = 1
#: Beyond these, who asks is told to come again: waiting costs a connection each.
MOST_WAITING_TO_HASH = 20
#: Of these, strangers of one network: it does not keep other networks' strangers out.
MOST_OF_ONE_NETWORK = 4
#: Bodies of more than a form's few fields, received at once: 2 MB each in memory.
LARGE_BODIES_AT_ONCE = 16


class Turns:
    """The lines of one console. Make it where an event loop runs."""

    def __init__(self) -> None:
        self._people = CapacityLimiter(PEOPLE_AT_ONCE)
        self._persons: dict[str, CapacityLimiter] = {}  # as many as there are users
        self._strangers = CapacityLimiter(STRANGERS_AT_ONCE)
        self._hashing = CapacityLimiter(HASHED_AT_ONCE)
        self._strangers_hashing = CapacityLimiter(STRANGERS_HASHED_AT_ONCE)
        self._networks: Counter[str] = Counter()
        self.large_bodies = CapacityLimiter(LARGE_BODIES_AT_ONCE)
        self.strangers_large_bodies = CapacityLimiter(LARGE_BODIES_AT_ONCE)

    async def run(
        self, work: Callable[..., Answer], *arguments: object, is_known: bool = False
    ) -> Answer:
        """``work(*arguments)``, which is short, in a thread; ``is_known`` to be signed in."""
        line = self._people if is_known else self._strangers
        return await to_thread.run_sync(work, *arguments, limiter=line)

    async def show(
        self, work: Callable[..., Answer], *arguments: object, user_name: str | None
    ) -> Answer:
        """``work``, which makes a page for a user, or for a stranger, in a thread."""
        if user_name is None:
            return await self.run(work, *arguments)
        async with self._persons.setdefault(user_name, CapacityLimiter(PAGES_OF_ONE_AT_ONCE)):
            return await self.run(work, *arguments, is_known=True)

    async def hash(
        self, work: Callable[..., Answer], *arguments: object, is_known: bool, network: str
    ) -> Answer:
        """``work``, which makes or checks a password, in a thread.

        ``is_known``: for somebody who is signed in, or has signed in from ``network`` before.
        Raises HTTPException 503 when too many wait.
        """
        line = self._hashing if is_known else self._strangers_hashing
        is_full = line.statistics().tasks_waiting >= MOST_WAITING_TO_HASH
        if is_full or (not is_known and self._networks[network] >= MOST_OF_ONE_NETWORK):
            raise HTTPException(503, "Too many people are signing in. Try again in a minute.")
        if is_known:
            return await to_thread.run_sync(work, *arguments, limiter=self._hashing)
        self._networks[network] += 1
        try:
            async with self._strangers_hashing:
                return await to_thread.run_sync(work, *arguments, limiter=self._hashing)
        finally:
            self._networks[network] -= 1
            self._networks += Counter()  # forgets who is not here
