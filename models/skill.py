"""The ranking skill that carries over between clients: learned on those who share.

Every client is replayed as if it were new: from an empty memory, with knowledge taken only from
*other* clients, so that the skill learns how far knowledge and few precedents can be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.accounts import Accounts
from models.backtest import backtest
from models.confidence import Calibrator
from models.decision import decide
from models.evidence import Evidence, gather
from models.history import History
from models.knowledge import GlobalKnowledge
from models.lines import Lines
from models.ranker import Ranker, Replay
from models.safety import Limits
from models.sampling import some_vendors
from models.sources import Sources, account_word_matrix
from models.text_model import TextModel

CLIENTS_MIN = 4
CLIENT_LINES_MIN = 200
# How much history a replayed client has: young clients are where the skill matters.
LIFE_LENGTHS = (250, 1_800)
ITERATIONS, LEAVES = 80, 20
FIRST_DAY_LINES = 150
# Lines of one client's lives: whole vendors, for a vendor without its past teaches nothing.
LIFE_LINES = 1_800


@dataclass
class Skill:
    """A ranker and a calibrator that serve any client."""

    ranker: Ranker
    calibrator: Calibrator


def learn_knowledge(
    lines: pd.DataFrame, *, chart: pd.DataFrame | None = None, random_state: int = 0
) -> GlobalKnowledge:
    """What a firm knows from the clients who share, the skill of ranking included.

    ``lines`` and ``chart`` are as for ``GlobalKnowledge``, with a column ``organization``.
    """
    knowledge = GlobalKnowledge(chart=chart, random_state=random_state).fit(lines)
    is_canonical = knowledge.accounts_.codes(lines["account_id"]) >= 0
    canonical = knowledge.accounts_.frame()
    knowledge.skill_ = learn_skill(lines[is_canonical], canonical, random_state)
    return knowledge


def learn_skill(lines: pd.DataFrame, chart: pd.DataFrame, random_state: int = 0) -> Skill | None:
    """Learn from sharing clients' lines: columns of the contract, ``organization``, canonical
    ``account_id``. None when there are fewer than ``CLIENTS_MIN`` clients with enough lines.
    """
    count = lines.groupby("organization").size()
    clients = sorted(count.index[count >= CLIENT_LINES_MIN])
    if len(clients) < CLIENTS_MIN:
        return None
    halves = [clients[0::2], clients[1::2]]
    replays: list[list[Replay]] = []
    for own, others in (halves, halves[::-1]):
        taught = lines[lines["organization"].isin(others)].drop(columns="organization")
        knowledge = GlobalKnowledge(chart=chart, random_state=random_state).fit(taught)
        replays.append([])
        for client in own:
            client_lines = some_vendors(lines[lines["organization"] == client], LIFE_LINES)
            replays[-1] += _lives(client_lines, chart, knowledge, random_state)
    facts, hits = [], []
    for judged, learned in (replays, replays[::-1]):
        ranker = _ranker(random_state).fit(learned)
        for item in judged:
            limits = Limits(99.0, int(item.lines.day.max()), 1)
            decisions = decide(item.lines, item.evidence, ranker, limits)
            facts.append(decisions.facts)
            hits.append(decisions.account == item.truth)
    calibrator = Calibrator().fit(np.concatenate(facts), np.concatenate(hits))
    return Skill(_ranker(random_state).fit([*replays[0], *replays[1]]), calibrator)


def _ranker(random_state: int) -> Ranker:
    # Pooled clients teach more than one: the boosting may be larger.
    return Ranker(iterations=ITERATIONS, leaves=LEAVES, random_state=random_state)


def _lives(
    frame: pd.DataFrame, chart: pd.DataFrame, knowledge: GlobalKnowledge, random_state: int
) -> list[Replay]:
    """One client replayed from its first day, short and long."""
    lines = Lines.read(frame)
    order = np.argsort(lines.day, kind="stable")
    lines = lines.take(order)
    accounts = Accounts.of_chart(chart)
    account = accounts.codes(frame["account_id"].iloc[order])
    correspondence = knowledge.correspondence(accounts.frame())
    words = account_word_matrix(accounts.words)

    def sources(history: History, text_model: TextModel | None) -> Sources:
        return Sources(
            history=history, text_model=text_model, knowledge=knowledge,
            correspondence=correspondence, is_candidate=accounts.is_candidate,
            is_income=accounts.is_income, is_asset=accounts.is_asset, account_words=words,
        )  # fmt: skip

    first = slice(0, FIRST_DAY_LINES)
    evidence = Evidence.joined([gather(lines.take(first), sources(History.empty(), None))])
    result = [Replay(lines.take(first), evidence, account[first])]
    for length in LIFE_LENGTHS:
        part = slice(0, min(length, len(lines)))
        result += backtest(
            lines.take(part), account[part], sources, folds=3, lines_max=length,
            text_rows_max=2_000, random_state=random_state,
        )  # fmt: skip
    return result
