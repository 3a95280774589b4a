"""BILL ids: 20 characters, a type prefix first, the same for the same seed.

The running number of a document is scrambled into its id and can be read back, so a list of a
million documents needs no dictionary from id to position.
"""

from __future__ import annotations

import hashlib

ZERO_ID = "0" * 20
"""v2's "no reference"."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TAIL = "abcdefghijklmnopqrstuvwxyz0123456789"
_MODULUS = 26**10
# Any factor that is neither even nor a multiple of 13 has an inverse modulo 26**10.
_FACTOR = 61_803_398_875_001
_INVERSE = pow(_FACTOR, -1, _MODULUS)
_LETTER_VALUE = {letter: value for value, letter in enumerate(_LETTERS)}


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class IdSeries:
    """The ids of one kind of object in one organization.

    >>> bills = IdSeries("00n", "seed 7, company 2")
    >>> bills.number(bills.at(41))
    41
    """

    def __init__(self, prefix: str, salt: str) -> None:
        digest = _digest(f"{salt}|{prefix}")
        self._offset = digest % _MODULUS
        tail = ""
        for _ in range(5):
            digest, remainder = divmod(digest, len(_TAIL))
            tail += _TAIL[remainder]
        self._head = f"{prefix}0{1 + digest % 2}"
        self._tail = tail

    def at(self, number: int) -> str:
        """The id of the ``number``-th object."""
        value = (number * _FACTOR + self._offset) % _MODULUS
        letters = ""
        for _ in range(10):
            value, remainder = divmod(value, 26)
            letters += _LETTERS[remainder]
        return f"{self._head}{letters}{self._tail}"

    def number(self, object_id: str) -> int | None:
        """The number an id stands for; None when the id is not of this series."""
        if (
            len(object_id) != 20
            or not object_id.startswith(self._head)
            or not object_id.endswith(self._tail)
        ):
            return None
        value = 0
        for letter in reversed(object_id[5:15]):
            if letter not in _LETTER_VALUE:
                return None
            value = value * 26 + _LETTER_VALUE[letter]
        return (value - self._offset) * _INVERSE % _MODULUS
