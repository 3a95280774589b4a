"""Bring party names and line texts to one spelling.

Belongs here: case, accents, punctuation, legal forms, digits. Nothing here decides whether two
names mean one party (``parties``) or what a line is for (``categorizer``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

# A line text carries its meaning in the first words; a pasted contract would only cost time.
TEXT_LENGTH_MAX = 240

# fmt: off
LEGAL_FORMS = frozenset({
    "inc", "incorporated", "corp", "corporation", "co", "company", "ltd", "limited", "llc", "llp",
    "lp", "plc", "pllc", "pc", "pa", "gmbh", "ag", "kg", "ug", "ohg", "sarl", "sas", "sa", "srl",
    "spa", "bv", "nv", "ab", "as", "aps", "oy", "oyj", "pty", "pte", "kk", "sl", "cic", "cio",
    "lllp", "ulc",
})
# fmt: on
_TRADING_AS = re.compile(r"\b(?:t/a|d/b/a|dba|trading as|doing business as|f/k/a|fka|c/o)\b")
_DOTTED = re.compile(r"\b(?:[a-z]\.){2,}(?:[a-z]\b)?")
_NOT_WORD = re.compile(r"[^\w]+|_")
_DIGITS = re.compile(r"\d+")


def fold(text: str) -> str:
    """Lower case without accents, compatibility forms or invisible characters."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    kept = (c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf", "Cc"))
    return "".join(kept).casefold()


def vendor_words(name: str) -> list[str]:
    """The words of a party's name, without punctuation and without its legal form at the end.

    >>> vendor_words("The Café Olé, L.L.C.")
    ['cafe', 'ole']
    >>> vendor_words("Smith & Sons Ltd t/a Blue Door Bakery")
    ['smith', 'and', 'sons', 'blue', 'door', 'bakery']
    """
    text = fold(name[:TEXT_LENGTH_MAX])
    text = _DOTTED.sub(lambda match: match.group().replace(".", ""), text)
    # The legal form before "t/a" is dropped too, so cut the name there first.
    parts = _TRADING_AS.split(text)
    words = [word for part in parts for word in _without_legal_form(part)]
    return words[1:] if len(words) > 1 and words[0] == "the" else words


def _without_legal_form(text: str) -> list[str]:
    text = text.replace("&", " and ").replace("+", " and ").replace("'", "").replace("’", "")
    words = _NOT_WORD.sub(" ", text).split()
    while len(words) > 1 and (words[-1] in LEGAL_FORMS or words[-1] == "and"):
        words.pop()
    return words


def vendor_key(name: str) -> str:
    """The spelling under which a party's history is kept: ``ACME, Inc.`` → ``acme``."""
    return " ".join(vendor_words(name))


def text_key(text: str) -> str:
    """A line text without digits and punctuation: ``Invoice 4411: Rent 3/26`` → ``invoice rent``.

    Numbers and dates differ on every bill; what remains repeats.
    """
    return " ".join(_NOT_WORD.sub(" ", _DIGITS.sub(" ", fold(text[:TEXT_LENGTH_MAX]))).split())


def apply_to_distinct(
    values: Iterable[object] | pd.Series, rule: Callable[[str], str]
) -> tuple[np.ndarray, np.ndarray]:
    """Apply ``rule`` once per distinct value; missing values count as the empty string.

    Returns ``(codes, distinct)``: for each value the index into the distinct *results*.
    """
    series = pd.Series(values, dtype=object)
    raw_codes, raw = pd.factorize(series, use_na_sentinel=True)
    results = [rule(str(value)) for value in raw] + [""]
    result_codes, distinct = pd.factorize(np.array(results, dtype=object))
    return result_codes[raw_codes].astype(np.int64), np.asarray(distinct, dtype=object)


def stable_hash(strings: np.ndarray) -> np.ndarray:
    """64-bit hashes of strings, the same in every process and on every machine."""
    return pd.util.hash_array(np.asarray(strings, dtype=object), categorize=False)


_MIX = np.uint64(0x9E3779B97F4A7C15)


def combine(*hashes: np.ndarray) -> np.ndarray:
    """One 64-bit key from several, order-sensitive, by multiply and xor-shift."""
    with np.errstate(over="ignore"):
        result = np.zeros(len(hashes[0]), dtype=np.uint64)
        for part in hashes:
            result = (result ^ part.astype(np.uint64)) * _MIX
            result ^= result >> np.uint64(29)
    return result
