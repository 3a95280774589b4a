"""Which names are one party? Groups of spellings, with probabilities and a list to review.

``resolve`` never changes a document: its groups are a view, and people's merges and splits always
win. How two names are compared is in ``party_pairs``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

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
    """``parties``: key, name, party_id, party_name. ``pairs``: left, right, probability, reason.

    ``review``: the pairs too alike to ignore and too different to merge, likeliest first. ``left``
    and ``right`` are keys: the names themselves, unless ``resolve`` was given other ones.
    """

    parties: pd.DataFrame
    pairs: pd.DataFrame
    review: pd.DataFrame


def resolve(
    names: Iterable[str] | Mapping[str, str],
    *,
    known: Mapping[str, str] | None = None,
    decided: Iterable[tuple[str, str, bool]] = (),
) -> Resolution:
    """Group names into parties.

    ``names``: names, or names by key where two parties may bear one name. ``known``: party ids
    given earlier, by key; a group keeps the smallest id it already has, so new spellings never
    rename a party. ``decided``: what people said, (left, right, is_same), the latest last; it beats
    every probability. The same input gives the same ids.
    """
    given = names.items() if isinstance(names, Mapping) else ((name, name) for name in names)
    name_of = {key: name for key, name in sorted(given, key=str) if _is_name(name)}
    pairs = _compared(name_of)
    answers = {frozenset((a, b)): is_same for a, b, is_same in decided}
    apart = {pair for pair, is_same in answers.items() if not is_same}
    together = [sorted(pair) for pair, is_same in answers.items() if is_same and len(pair) == 2]
    likely = pairs.sort_values(["probability", "left", "right"], ascending=[False, True, True])
    merges = likely[likely["probability"] >= MERGE_AT]
    groups = _Groups(list(name_of), apart)
    for left, right in [*together, *zip(merges["left"], merges["right"], strict=True)]:
        groups.merge(left, right)
    parties = _with_ids(groups, name_of, known or {})
    group_of = dict(zip(parties["key"], parties["party_id"], strict=True))
    is_open = pairs["left"].map(group_of) != pairs["right"].map(group_of)
    undecided = [
        frozenset(pair) not in apart for pair in zip(pairs["left"], pairs["right"], strict=True)
    ]
    review = pairs[is_open & pd.Series(undecided, index=pairs.index, dtype=bool)]
    review = review.sort_values("probability", ascending=False, kind="stable")
    return Resolution(parties, pairs, review.reset_index(drop=True))


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name.strip())


def _compared(name_of: Mapping[str, str]) -> pd.DataFrame:
    """Pairs of keys with the probability that they are one party, unlikely ones left out."""
    keys_of: dict[str, list[str]] = defaultdict(list)
    for key, name in name_of.items():
        keys_of[name].append(key)
    rows = [(*pair, 0.99, "same name") for keys in keys_of.values() for pair in pairwise(keys)]
    for left, right in _candidate_pairs(sorted(keys_of)):
        probability, reason = same_party(left, right)
        if probability >= REVIEW_AT:
            # One key stands for its namesakes: they are in one group already, or kept apart.
            rows.append((keys_of[left][0], keys_of[right][0], probability, reason))
    return pd.DataFrame(rows, columns=["left", "right", "probability", "reason"])


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


def _with_ids(
    groups: _Groups, name_of: Mapping[str, str], known: Mapping[str, str]
) -> pd.DataFrame:
    rows = []
    taken: set[str] = set()
    for members in sorted(map(sorted, groups)):
        names = sorted({name_of[key] for key in members})
        earlier = sorted({known[key] for key in members if key in known} - taken)
        plainest = min(names, key=lambda name: (len(core_words(name)), " ".join(core_words(name))))
        core = " ".join(core_words(plainest)) or plainest
        party_id = earlier[0] if earlier else f"party_{fingerprint('party', core)}"
        # Names kept apart by a person may share a key; the spelling then tells them apart.
        if party_id in taken:
            party_id = f"party_{fingerprint('party', core, *members)}"
        taken.add(party_id)
        best = min(names, key=lambda name: (name.isupper(), -len(name), name))
        rows += [(key, name_of[key], party_id, best) for key in members]
    table = pd.DataFrame(rows, columns=["key", "name", "party_id", "party_name"])
    return table.sort_values("key", kind="stable").reset_index(drop=True)
