"""What the firm knows about parties across clients: ids that hold everywhere, and people's answers.

Only clients who agreed to share add to it, every client may use it. It holds hashes of names, so it
tells nothing about a name that one does not already have.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bill_pipeline.settings import Home
from models.party_pairs import core_words


@dataclass(frozen=True)
class FirmParties:
    """``ids``: party id by hash of a name. ``answers``: (hash, hash, is_same), the latest last."""

    ids: dict[str, str] = field(default_factory=dict)
    answers: tuple[tuple[str, str, bool], ...] = ()

    @property
    def version(self) -> str:
        return hashlib.sha256(self._text().encode()).hexdigest()[:16]

    @classmethod
    def load(cls, home: Home) -> FirmParties:
        """What was saved last; nothing when there is no file or it cannot be read."""
        try:
            record = json.loads(_path(home).read_text(encoding="utf-8"))
            answers = tuple((str(a), str(b), bool(same)) for a, b, same in record["answers"])
            return cls({str(k): str(v) for k, v in record["ids"].items()}, answers)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def save(self, home: Home) -> None:
        path = _path(home)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".new")
        temporary.write_text(self._text(), encoding="utf-8")
        temporary.replace(path)

    def _text(self) -> str:
        return json.dumps({"ids": self.ids, "answers": self.answers}, sort_keys=True)

    def ids_of(self, names: Mapping[str, str]) -> dict[str, str]:
        """By key of ``names``, the id the firm gave to that name."""
        hashed = {key: name_hash(name) for key, name in names.items()}
        return {key: self.ids[h] for key, h in hashed.items() if h in self.ids}

    def answers_about(self, names: Mapping[str, str]) -> list[tuple[str, str, bool]]:
        """The answers about pairs of ``names``, by key."""
        key_of: dict[str, str] = {}
        for key, name in names.items():
            key_of.setdefault(name_hash(name), key)
        return [
            (key_of[left], key_of[right], is_same)
            for left, right, is_same in self.answers
            if left in key_of and right in key_of
        ]


def name_hash(name: str) -> str:
    """The same for every spelling that differs in case, punctuation or legal form only."""
    return hashlib.sha256(" ".join(core_words(name)).encode()).hexdigest()[:24]


def pooled(
    clients: Iterable[tuple[Mapping[str, str], Iterable[tuple[str, str, bool]]]],
) -> FirmParties:
    """The knowledge of several clients: per client, firm id by name, and answers by name."""
    ids: dict[str, str] = {}
    answers: list[tuple[str, str, bool]] = []
    for names, said in clients:
        for name, party_id in sorted(names.items()):
            ids.setdefault(name_hash(name), party_id)
        answers += [(name_hash(left), name_hash(right), same) for left, right, same in said]
    return FirmParties(ids, tuple(answers))


def _path(home: Home) -> Path:
    return home.models / "firm_parties.json"
