"""How likely two names are one party: a comparison of their words.

Strings are compared by RapidFuzz, what words mean is in ``party_words``; grouping is in
``parties``.
"""

from __future__ import annotations

from functools import lru_cache

from models.normalize import vendor_words
from models.party_words import ABBREVIATIONS, TELLING_WORDS, TRADE_NAMES, WEAK_WORDS


# A name is compared with many others: its words are taken apart once.
@lru_cache(maxsize=50_000)
def core_words(name: str) -> tuple[str, ...]:
    """The words that identify a party, abbreviations written out and trade names resolved.

    >>> core_words("AMAZON WEB SVCS, INC.")
    ('amazon', 'web', 'services')
    """
    words = _joined_letters([ABBREVIATIONS.get(word, word) for word in vendor_words(name)])
    full = " ".join(words)
    for known in (full, " ".join(word for word in words if word not in WEAK_WORDS)):
        if known in TRADE_NAMES:
            return tuple(TRADE_NAMES[known].split())
    return tuple(words)


def _joined_letters(words: list[str]) -> list[str]:
    """``j p morgan`` → ``jp morgan``: single letters in a row are one word."""
    result: list[str] = []
    was_letter = False
    for word in words:
        is_letter = len(word) == 1 and word.isalpha()
        if is_letter and was_letter:
            result[-1] += word
        else:
            result.append(word)
        was_letter = is_letter
    return result


def same_party(left: str, right: str) -> tuple[float, str]:
    """Probability that two names are one party, and why; symmetric.

    >>> same_party("Acme Inc.", "ACME, LLC")[0] > 0.9
    True
    >>> same_party("Smith Plumbing", "Smith Electric")[0] < 0.5
    True
    """
    first, second = core_words(left), core_words(right)
    if not first or not second:
        return (0.0, "no name")
    if first == second:
        return (0.99, "same name but for case, punctuation and legal form")
    if "".join(first) == "".join(second) or _letters(left) == _letters(right):
        return (0.97, "same letters, spaced differently")
    if sorted(set(first)) == sorted(set(second)):
        return (0.96, "same words in another order")
    return _compare_words(first, second)


@lru_cache(maxsize=50_000)
def _letters(name: str) -> str:
    return "".join(vendor_words(name))


def _compare_words(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[float, str]:
    only_first, only_second, typos = _unmatched(first, second)
    only_first, only_second = _without_remarks(only_first, only_second, first, second)
    strong = [word for word in (*only_first, *only_second) if word not in WEAK_WORDS]
    shared = [w for w in first if w not in only_first and w not in WEAK_WORDS]
    if any(_is_telling(word) for word in strong):
        return (0.1, "differ in a number, place or rank")
    if not shared:
        return _as_acronym(first, second)
    if not strong:
        if not typos:
            return (0.95, "differ only in words that many companies carry")
        return _typo_probability(typos, first, second)
    if (
        only_first
        and only_second
        and [w for w in only_first if w in strong]
        and [w for w in only_second if w in strong]
    ):
        return (0.15, "each has a word that the other lacks")
    if len(shared) >= 2 and len(strong) == 1 and not typos:
        return (0.6, f"one also says {strong[0]!r}")
    return (0.3, f"one also says {' '.join(strong)!r}")


def _without_remarks(
    left: list[str], right: list[str], first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """Leave out what only one side says about itself: its initials, a shop's or payment's number.

    >>> same_party("Tesco Stores 3228", "TESCO STORES LTD")[0] > 0.9
    True
    >>> same_party("Tesco Stores 3228", "Tesco Stores 4410")[0] > 0.5
    False
    """
    if left and right:
        return left, right
    common = [word for word in first if word in second]
    initials = "".join(word[0] for word in common)
    kept = [
        word
        for word in left or right
        if not (len(word) >= 3 and word == initials) and sum(c.isdigit() for c in word) < 4
    ]
    return (kept, []) if left else ([], kept)


def _unmatched(
    first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Words without a counterpart on either side, and pairs that differ by a slip of the pen."""
    left = [word for word in first if word not in second]
    right = [word for word in second if word not in first]
    typos = []
    if _is_cut_off(first, second) or _is_cut_off(second, first):
        return [], [], []
    for word in list(left):
        match = next((other for other in right if _is_slip(word, other)), None)
        if match is not None:
            left.remove(word)
            right.remove(match)
            typos.append((word, match))
    return left, right, typos


def _is_cut_off(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Whether ``short`` is ``long`` cut within its last word, as narrow fields cut long names."""
    return (
        len(short) == len(long) >= 4
        and short[:-1] == long[:-1]
        and len(short[-1]) >= 2
        and long[-1].startswith(short[-1])
    )


def _is_slip(word: str, other: str) -> bool:
    """One letter wrong, missing, doubled or swapped, or an abbreviation by its first letters."""
    from rapidfuzz.distance import DamerauLevenshtein

    if word[0] != other[0]:
        return False
    shorter, longer = sorted((word, other), key=len)
    if len(shorter) >= 5 and longer == f"{shorter}s":
        return True
    if any(character.isdigit() for character in word + other):
        return False
    if len(shorter) >= 4 and longer.startswith(shorter):
        return True
    if len(shorter) < 5:
        return False
    allowed = 2 if len(longer) >= 9 else 1
    return bool(DamerauLevenshtein.distance(word, other, score_cutoff=allowed) <= allowed)


def _typo_probability(
    typos: list[tuple[str, str]], first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[float, str]:
    shortest = min(min(len(a), len(b)) for a, b in typos)
    if all(sorted(pair, key=len)[1] == f"{sorted(pair, key=len)[0]}s" for pair in typos):
        return (0.93, "differ in a plural only")
    written = ", ".join(f"{a}/{b}" for a, b in typos)
    # Johnson Lumber and Johnston Lumber are two firms: a first word is often a surname.
    if any(word in (first[0], second[0]) for word, _ in typos) and min(len(first), len(second)) > 1:
        return (0.75, f"differ in the spelling of {written}, which may be a surname")
    if len(typos) > 1:
        return (0.75, f"differ in the spelling of {written}")
    return (0.92 if shortest >= 7 else 0.7, f"differ in the spelling of {written}")


def _is_telling(word: str) -> bool:
    return word in TELLING_WORDS or any(character.isdigit() for character in word)


def _as_acronym(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[float, str]:
    for short, long in ((first, second), (second, first)):
        letters = "".join(word[0] for word in long if word not in ("and", "of", "the"))
        if len(short) == 1 and len(letters) >= 3 and short[0] == letters:
            return (0.7, f"{short[0]!r} may be short for {' '.join(long)!r}")
    return (0.05, "no word in common")
