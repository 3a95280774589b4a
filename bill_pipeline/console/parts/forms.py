"""Read a submitted form. Bodies have a size, fields a number; secrets come out wrapped."""

from __future__ import annotations

import contextlib
from urllib.parse import parse_qsl

from anyio import CapacityLimiter, WouldBlock
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from bill_pipeline.settings import LONGEST_TEXT

#: A CSV of a thousand clients is 150 KB, a bulk decision on ten thousand lines 600 KB.
MOST_BYTES = 2 * 1024 * 1024
MOST_FIELDS = 5_000
#: What anybody may send at any time: a sign-in form, with the page it goes back to.
SMALL_BYTES = 32 * 1024


class Form:
    """The fields of one submission; a name may come several times."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def names(self) -> list[str]:
        return list(self._values)

    def text(self, name: str, default: str = "", *, most: int = LONGEST_TEXT) -> str:
        """The first value, without surrounding blanks; 413 when it has more characters."""
        return self._first(name, default, most).strip()

    def texts(self, name: str) -> list[str]:
        """Every value; 413 when one has more than ``LONGEST_TEXT`` characters."""
        return [_short(name, value, LONGEST_TEXT).strip() for value in self._values.get(name, [])]

    def secret(self, name: str, *, most: int = LONGEST_TEXT) -> SecretStr:
        """The value as it was typed, blanks included: they may be part of a password."""
        return SecretStr(self._first(name, "", most))

    def _first(self, name: str, default: str, most: int) -> str:
        return _short(name, self._values.get(name, [default])[0], most)


def _short(name: str, value: str, most: int) -> str:
    if len(value) > most:
        raise HTTPException(
            413, f"What was typed as {name[:40]} is longer than {most:,} characters. Shorten it."
        )
    return value


async def read_body(request: Request, most: int, large_bodies: CapacityLimiter | None) -> bytes:
    """The body of ``request``, of at most ``most`` bytes.

    A body of more than ``SMALL_BYTES`` needs a place among ``large_bodies``, and is too large where
    there are none. Raises HTTPException 400, 413 or 503.
    """
    body = bytearray()
    if large_bodies is None:
        most = min(most, SMALL_BYTES)
    async with contextlib.AsyncExitStack() as place:
        try:
            async for chunk in request.stream():
                was_small = len(body) <= SMALL_BYTES
                body += chunk
                if len(body) > most:
                    raise HTTPException(413, "This is too large.")
                if was_small and len(body) > SMALL_BYTES and large_bodies is not None:
                    large_bodies.acquire_nowait()
                    place.callback(large_bodies.release)
        except ClientDisconnect:
            raise HTTPException(400, "The request did not arrive as a whole.") from None
        except WouldBlock:
            raise HTTPException(503, "Too much is being sent. Try again in a minute.") from None
    return bytes(body)


async def read_form(request: Request, large_bodies: CapacityLimiter | None) -> Form:
    """Raises HTTPException 413 or 415 for what is not a form of ours, and as ``read_body``."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await read_body(request, MOST_BYTES, large_bodies)
    if body and kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Only forms are accepted here.")
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise HTTPException(413, "The form has too many fields, or is not text.") from None
    return Form(pairs)
