"""Read a submitted form. Bodies have a size, fields a number; secrets come out wrapped."""

from __future__ import annotations

from urllib.parse import parse_qsl

from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import Request

#: A CSV of a thousand clients is 150 KB, a bulk decision on ten thousand lines 600 KB.
MOST_BYTES = 2 * 1024 * 1024
MOST_FIELDS = 5_000


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

    def text(self, name: str, default: str = "") -> str:
        """The first value, without surrounding blanks."""
        return self._values.get(name, [default])[0].strip()

    def texts(self, name: str) -> list[str]:
        return [value.strip() for value in self._values.get(name, [])]

    def secret(self, name: str) -> SecretStr:
        """The value as it was typed, blanks included: they may be part of a password."""
        return SecretStr(self._values.get(name, [""])[0])


async def read_form(request: Request) -> Form:
    """Raises HTTPException 413 or 415 for what is not a form of ours."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "The form is too large.")
    if body and kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Only forms are accepted here.")
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise HTTPException(413, "The form has too many fields, or is not text.") from None
    return Form(pairs)
