"""One test of many things: thousands of tests of a millisecond take longer to tell than to run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TypeVar

Thing = TypeVar("Thing")


def of_each(things: Mapping[str, Thing]) -> Callable[[Callable[[Thing], None]], Callable[[], None]]:
    """A test of every one of ``things``; it fails with the name of each of which the law fails."""

    def decorate(law: Callable[[Thing], None]) -> Callable[[], None]:
        @functools.wraps(law)
        def test() -> None:
            assert things, "there is nothing to look at"
            failed = []
            for name, thing in things.items():
                try:
                    law(thing)
                except Exception as error:  # noqa: BLE001 - whatever it is, the others are told too
                    failed.append(f"{name}: {type(error).__name__}: {error}")
            assert not failed, "\n".join(failed)

        # Or pytest would look for a fixture of the thing's name.
        del test.__wrapped__  # type: ignore[attr-defined]
        return test

    return decorate
