"""Which names are one party? Groups of spellings, with probabilities and a list to review.

``resolve`` never changes a document: its groups are a view, and people's merges and splits always
win. Strings are compared by RapidFuzz; what words mean is in ``party_words``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from models.fingerprint import fingerprint
from models.normalize import vendor_words
from models.party_words import ABBREVIATIONS, TELLING_WORDS, TRADE_NAMES, WEAK_WORDS

MERGE_AT = 0.9
REVIEW_AT = 0.5
# A word shared by more names than this says nothing about any two of them.
BLOCK_MAX = 80


@dataclass(frozen=True)
class Resolution:
    """``parties``: name, party_id, party_name. ``pairs``: left, right, probability, reason.

    ``review``: the pairs too alike to ignore and too different to merge, likeliest first.
    """

    parties: pd.DataFrame
    pairs: pd.DataFrame
    review: pd.DataFrame


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


def _letters(name: str) -> str:
    return "".join(vendor_words(name))


def _compare_words(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[float, str]:
    only_first, only_second, typos = _unmatched(first, second)
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


def _unmatched(
    first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Words without a counterpart on either side, and pairs that differ by a slip of the pen."""
    left = [word for word in first if word not in second]
    right = [word for word in second if word not in first]
    typos = []
    for word in list(left):
        match = next((other for other in right if _is_slip(word, other)), None)
        if match is not None:
            left.remove(word)
            right.remove(match)
            typos.append((word, match))
    return left, right, typos


def _is_slip(word: str, other: str) -> bool:
    """One letter wrong, missing, doubled or swapped, or an abbreviation by its first letters."""
    from rapidfuzz.distance import DamerauLevenshtein

    shorter, longer = sorted((word, other), key=len)
    if any(character.isdigit() for character in word + other):
        return False
    if len(shorter) >= 4 and longer.startswith(shorter):
        return True
    if word[0] != other[0] or len(shorter) < 5:
        return False
    allowed = 2 if len(longer) >= 9 else 1
    return bool(DamerauLevenshtein.distance(word, other, score_cutoff=allowed) <= allowed)


def _typo_probability(
    typos: list[tuple[str, str]], first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[float, str]:
    shortest = min(min(len(a), len(b)) for a, b in typos)
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


def resolve(
    names: Iterable[str],
    *,
    known: Mapping[str, str] | None = None,
    decided: Iterable[tuple[str, str, bool]] = (),
) -> Resolution:
    """Group names into parties.

    ``known``: party ids given earlier, by name; a group keeps the smallest id it already has, so
    new spellings never rename a party. ``decided``: what people said, (left, right, is_same); it
    beats every probability. The same input gives the same ids.
    """
    distinct = sorted({str(name) for name in names if isinstance(name, str) and name.strip()})
    rows = [(*pair, *same_party(*pair)) for pair in _candidate_pairs(distinct)]
    pairs = pd.DataFrame(rows, columns=["left", "right", "probability", "reason"])
    pairs = pairs[pairs["probability"] >= REVIEW_AT].reset_index(drop=True)
    apart = {frozenset((a, b)) for a, b, is_same in decided if not is_same}
    together = [(a, b) for a, b, is_same in decided if is_same]
    likely = pairs.sort_values(["probability", "left", "right"], ascending=[False, True, True])
    merges = likely[likely["probability"] >= MERGE_AT]
    groups = _Groups(distinct, apart)
    for left, right in [*together, *zip(merges["left"], merges["right"], strict=True)]:
        groups.merge(left, right)
    parties = _with_ids(groups, distinct, known or {})
    group_of = dict(zip(parties["name"], parties["party_id"], strict=True))
    is_open = pairs["left"].map(group_of) != pairs["right"].map(group_of)
    undecided = [
        frozenset(pair) not in apart for pair in zip(pairs["left"], pairs["right"], strict=True)
    ]
    review = pairs[is_open & pd.Series(undecided, index=pairs.index, dtype=bool)]
    review = review.sort_values("probability", ascending=False, kind="stable")
    return Resolution(parties, pairs, review.reset_index(drop=True))


def _candidate_pairs(names: list[str]) -> list[tuple[str, str]]:
    """Pairs worth comparing: names that share a rare enough word, its beginning or all letters."""
    blocks: dict[str, list[str]] = defaultdict(list)
    for name in names:
        words = core_words(name)
        strong = [word for word in words if word not in WEAK_WORDS] or list(words)
        keys = {f"w:{word}" for word in strong} | {f"p:{word[:4]}" for word in strong[:1]}
        keys.add(f"c:{''.join(words)[:7]}")
        keys.add("a:" + "".join(word[0] for word in words if word not in ("and", "of", "the")))
        keys.add(f"a:{words[0]}" if len(words) == 1 else "a:")
        for key in keys:
            blocks[key].append(name)
    found: set[tuple[str, str]] = set()
    for key, block in blocks.items():
        if key != "a:" and len(block) <= BLOCK_MAX:
            found.update(combinations(block, 2))
    return sorted(found)


class _Groups:
    """Sets of names that are one party; a merge that would join two names kept apart is refused."""

    def __init__(self, names: list[str], apart: set[frozenset[str]]) -> None:
        self._members = {name: [name] for name in names}
        self._leader = {name: name for name in names}
        self._apart = apart

    def merge(self, left: str, right: str) -> None:
        first, second = self._leader.get(left), self._leader.get(right)
        if first is None or second is None or first == second:
            return
        members, others = self._members[first], self._members[second]
        if any(frozenset((a, b)) in self._apart for a in members for b in others):
            return
        for name in others:
            self._leader[name] = first
        members.extend(others)
        del self._members[second]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._members.values())


def _with_ids(groups: _Groups, names: list[str], known: Mapping[str, str]) -> pd.DataFrame:
    rows = []
    taken: set[str] = set()
    for members in sorted(map(sorted, groups)):
        earlier = sorted({known[name] for name in members if name in known} - taken)
        plainest = min(
            members, key=lambda name: (len(core_words(name)), " ".join(core_words(name)))
        )
        key = " ".join(core_words(plainest)) or plainest
        party_id = earlier[0] if earlier else f"party_{fingerprint('party', key)}"
        # Names kept apart by a person may share a key; the spelling then tells them apart.
        if party_id in taken:
            party_id = f"party_{fingerprint('party', key, *members)}"
        taken.add(party_id)
        best = min(members, key=lambda name: (name.isupper(), -len(name), name))
        rows += [(name, party_id, best) for name in members]
    table = pd.DataFrame(rows, columns=["name", "party_id", "party_name"])
    return table.sort_values("name", kind="stable").reset_index(drop=True)
