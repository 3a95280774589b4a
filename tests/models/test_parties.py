"""Party resolution on pairs labelled by hand.

``party_pairs.csv``: pairs of names written and labelled for this test from common knowledge of how
company names vary, with look-alikes that are different parties. They are no sample of any ledger.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from rapidfuzz import fuzz

from models.normalize import fold, vendor_key
from models.parties import MERGE_AT, resolve
from models.party_pairs import same_party

PAIRS = Path(__file__).with_name("party_pairs.csv")


def labelled_pairs() -> list[tuple[str, str, bool]]:
    with PAIRS.open(encoding="utf-8") as file:
        return [(r["left"], r["right"], r["is_same"] == "yes") for r in csv.DictReader(file)]


def scores(guesses: list[bool], truth: list[bool]) -> tuple[float, float]:
    """(precision, F1)"""
    both = sum(g and t for g, t in zip(guesses, truth, strict=True))
    return both / max(sum(guesses), 1), 2 * both / (sum(guesses) + sum(truth))


def test_five_hundred_distinct_pairs_of_both_kinds():
    pairs = labelled_pairs()
    assert len({frozenset(pair[:2]) for pair in pairs}) == len(pairs) >= 500
    assert 0.4 < sum(same for *_, same in pairs) / len(pairs) < 0.6


def test_pairs_are_told_apart_better_than_by_the_usual_means():
    pairs = labelled_pairs()
    truth = [same for *_, same in pairs]
    ours = scores([same_party(a, b)[0] >= MERGE_AT for a, b, _ in pairs], truth)
    exact = scores([fold(a) == fold(b) for a, b, _ in pairs], truth)
    token_set = max(
        (scores([fuzz.token_set_ratio(fold(a), fold(b)) >= cut for a, b, _ in pairs], truth)
         for cut in range(60, 101, 2)),
        key=lambda pair: pair[1],
    )  # fmt: skip
    print(f"(precision, F1): ours {ours}, exact {exact}, token set at its best {token_set}")
    assert ours[0] >= 0.99
    assert ours[1] >= 0.97
    assert ours[1] > max(exact[1], token_set[1])


@pytest.mark.parametrize(("left", "right", "_"), labelled_pairs()[::7])
def test_the_probability_is_symmetric(left, right, _):
    assert same_party(left, right)[0] == same_party(right, left)[0]


def test_spellings_of_one_vendor_share_an_id_and_strangers_do_not():
    parties = resolve(
        ["AMAZON WEB SVCS", "Amazon Web Services, Inc.", "AWS EMEA", "Amazon Fresh Produce Market"]
    ).parties.set_index("name")["party_id"]
    assert parties[["AMAZON WEB SVCS", "Amazon Web Services, Inc.", "AWS EMEA"]].nunique() == 1
    assert parties.nunique() == 2


def test_the_same_names_in_any_order_give_the_same_ids():
    names = [name for pair in labelled_pairs()[:80] for name in pair[:2]]
    assert resolve(names).parties.equals(resolve(reversed(names)).parties)


def test_a_new_spelling_never_renames_a_party():
    before = resolve(["Acme Inc", "ACME LLC"]).parties
    known = dict(zip(before["name"], before["party_id"], strict=True))
    after = resolve(["Acme Inc", "ACME LLC", "Acme"], known=known).parties
    assert set(after["party_id"]) == set(before["party_id"])


def test_a_persons_merge_and_split_win_over_any_probability():
    names = ["Acme Inc", "ACME LLC", "Blue Sky Holdings"]
    decided = [("Acme Inc", "ACME LLC", False), ("ACME LLC", "Blue Sky Holdings", True)]
    result = resolve(names, decided=decided)
    party = result.parties.set_index("name")["party_id"]
    assert party["Acme Inc"] != party["ACME LLC"] == party["Blue Sky Holdings"]
    assert not len(result.review), "a decided pair is not asked again"


def test_doubtful_pairs_go_to_the_review_list_and_not_into_one_group():
    result = resolve(["Johnson Lumber", "Johnston Lumber", "Harbor Ice"])
    assert result.parties["party_id"].nunique() == 3
    assert result.review[["left", "right"]].to_numpy().tolist() == [
        ["Johnson Lumber", "Johnston Lumber"]
    ]
    assert "surname" in result.review["reason"].iloc[0]


@pytest.mark.parametrize(
    "name", ["", "   ", None, "., &", "🎉", "שלום בע״מ", "12345", "x" * 10_000]
)
def test_strange_names_are_survived(name):
    result = resolve([name, "Acme Inc"])
    assert "Acme Inc" in set(result.parties["name"])


def test_ten_thousand_names_are_resolved_in_seconds():
    import time

    names = [f"Vendor {a}{b} {kind}" for a in "abcdefghij" for b in range(250)
             for kind in ("Supply", "Supply Inc", "Roofing", "Cafe LLC")]  # fmt: skip
    began = time.process_time()
    parties = resolve(names).parties
    assert len(parties) == len(names) == 10_000
    assert time.process_time() - began < 30


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ACME, Inc.", "acme"),
        ("The Café Olé, L.L.C.", "cafe ole"),
        ("Smith & Sons Ltd T/A Blue Door", "smith and sons blue door"),
        ("Müller GmbH & Co. KG", "muller"),
        ("Inc.", "inc"),
    ],
)
def test_a_vendors_key_drops_case_accents_punctuation_and_legal_form(name, key):
    assert vendor_key(name) == key
