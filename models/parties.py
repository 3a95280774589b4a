"""Which names are one party? Groups of spellings, with probabilities and a list to review.

``resolve`` never changes a document: its groups are a view, and people's merges and splits always
win. How two names are compared is in ``party_pairs``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from models.fingerprint import fingerprint
from models.party_pairs import core_words, same_party
from models.party_words import WEAK_WORDS

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
