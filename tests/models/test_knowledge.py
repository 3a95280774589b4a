"""What is known before a client's first line: seeds, charts, correspondence, privacy."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest

from models.chart import ChartColumnsMissing, canonical_chart, read_chart
from models.knowledge import SEED_FILE, GlobalKnowledge, seed_lines


def test_two_thousand_distinct_seeds_cover_every_candidate_account():
    with SEED_FILE.open(encoding="utf-8") as file:
        seeds = list(csv.DictReader(file))
    chart = canonical_chart()
    assert len({(s["vendor"], s["description"]) for s in seeds}) == len(seeds) >= 2_000
    count = pd.Series([s["account_code"] for s in seeds]).value_counts()
    assert set(count.index) == set(chart.account_id[chart.is_candidate])
    assert count.min() >= 15


def test_control_bank_equity_and_suspense_accounts_are_no_candidates():
    chart = canonical_chart()
    never = {"1000", "1050", "1100", "2000", "3000", "3200", "3900", "6990", "7090", "9990"}
    assert not set(chart.account_id[chart.is_candidate]) & never


def test_vendors_held_out_of_the_seeds_are_recognised_by_their_texts():
    seeds = seed_lines()
    held = seeds.party_name.map(lambda name: sum(name.encode()) % 5 == 0)
    knowledge = GlobalKnowledge().fit(seeds[~held])
    from models.lines import Lines

    p = knowledge.probabilities(Lines.read(seeds[held]))
    guess = knowledge.accounts_.account_id[p.argmax(axis=1)]
    right = (guess == seeds[held].account_id.to_numpy()).mean()
    majority = seeds[held].account_id.value_counts(normalize=True).iloc[0]
    assert right > 0.6 > majority, f"{right:.3f} of {held.sum()}, majority {majority:.3f}"


@pytest.mark.parametrize(
    ("name", "account_type", "code"),
    [
        ("Computer Software", "EXPENSE", "6060"),
        ("Office Rent", "EXPENSE", "6130"),
        ("Legal & Professional Fees", "EXPENSE", "6080"),
        ("Utilities:Electric", "EXPENSE", "6140"),
        ("Freight & Delivery", "EXPENSE", "6120"),
        ("Sales of Product Income", "INCOME", "4000"),
        ("Zanzibar", "EXPENSE", None),
    ],
)
def test_a_clients_account_corresponds_by_its_name(knowledge, name, account_type, code):
    chart = pd.DataFrame(
        {"account_id": ["a"], "account_name": [name], "account_type": [account_type],
         "is_candidate": [True]}
    )  # fmt: skip
    assert knowledge.canonical_account(chart)["a"] == code


def test_correspondence_gives_nothing_to_accounts_that_are_no_candidates(knowledge, chart):
    read = read_chart(chart)
    matrix = knowledge.correspondence(read)
    assert matrix[:, ~read.is_candidate.to_numpy()].sum() == 0
    assert (matrix.sum(axis=1) <= 1 + 1e-6).all()


def test_a_chart_without_names_is_refused():
    with pytest.raises(ChartColumnsMissing, match="account_name"):
        read_chart(pd.DataFrame({"account_id": ["1"], "is_candidate": [True]}))


def test_knowledge_learns_from_clients_who_share(knowledge):
    shared = pd.concat([seed_lines().assign(account_id="6060").head(0), seed_lines()])
    own = seed_lines().head(30).assign(
        party_name="Zyxxo Partners", description="", account_id="6230"
    )  # fmt: skip
    taught = GlobalKnowledge().fit(pd.concat([shared, own]))
    from models.lines import Lines

    p = taught.probabilities(Lines.read(own.head(1)))[0]
    assert taught.accounts_.account_id[int(np.argmax(p))] == "6230"


def test_no_name_or_text_of_a_client_is_in_the_saved_knowledge(tmp_path):
    import skops.io  # takes seconds, which the collecting of all tests should not

    secret = seed_lines().head(30).assign(party_name="Quibblefrost", description="wozzlethwack")
    knowledge = GlobalKnowledge().fit(pd.concat([seed_lines(), secret]))
    import io
    import zipfile

    archive = zipfile.ZipFile(io.BytesIO(skops.io.dumps(knowledge)))
    content = b"".join(archive.read(name) for name in archive.namelist()).lower()
    content = content.replace(b"\0", b"")  # fixed-width unicode
    assert b"office supplies" in content  # the chart's names are there
    assert b"quibblefrost" not in content
    assert b"wozzlethwack" not in content
