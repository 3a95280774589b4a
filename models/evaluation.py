"""Honest figures: the model beside its baselines, split by time, client by client.

Protocols:

    walk-forward   month by month, judged from the seventh on; everything earlier is known; models
                   are refitted every quarter and remember each finished month in between
    static         trained once on the first 70 % of lines, judged on the rest
    unseen         a new client's first day: canonical accounts, learned from the other clients
    few            a new client after its first 50, 100, 200, 300 and 1,000 coded lines

Nothing of a client's future enters features, thresholds or calibration. What other clients teach
(``knowledge_of``) never includes the client judged.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from models.knowledge import GlobalKnowledge
from models.metrics import self_agreement, summary
from models.protocols import new_client, taught_by_others, walk
from models.published_ledgers import EvaluationDataMissing, chart_of, read_ledger
from models.sampling import newest_months, some_vendors
from models.skill import learn_knowledge

PROTOCOLS = ("walk-forward", "static", "unseen", "few")
NEW_CLIENT_PROTOCOLS = {"unseen", "few"}
# What other clients teach: whole vendors of so many lines, and one line of each kind of the rest.
SHARED_LINES = 10_000
SHARED_LINES_IN_ALL = 100_000
SHARED_MONTHS = 36
SHARING_CLIENTS_MIN = 2
# With more clients than this, several are left out at once: fewer trainings, never a kinder figure.
LEAVE_ONE_OUT_MAX = 6
GROUPS = 4
KIND = ("party_name", "description", "department_id")


@dataclass(frozen=True)
class Scope:
    """How much of the data is judged, and how."""

    protocols: tuple[str, ...] = ("walk-forward",)
    lines_max: int | None = 4_000
    months: int = 18
    refit_months: int = 3
    is_sharing: bool = True
    random_state: int = 0


def evaluate(
    data: pd.DataFrame,
    protocol: str = "walk-forward",
    organizations: list[str] | None = None,
    max_lines: int | None = Scope.lines_max,
    *,
    months: int = Scope.months,
    refit_months: int = Scope.refit_months,
    is_sharing: bool = True,
    jobs: int = 1,
    random_state: int = 0,
) -> pd.DataFrame:
    """One row of figures per protocol, organization and model (ours and every baseline).

    ``protocol``: one of ``PROTOCOLS``, or ``all``. Each organization is cut to its newest
    ``months`` months and to whole vendors of at most ``max_lines`` lines (None: all of it).
    ``is_sharing``: whether the other organizations' lines may teach in ``walk-forward`` and
    ``static``; a new client always starts with what the others taught. Raises
    ``EvaluationDataMissing``.
    """
    outcomes = decisions(
        data, protocol, organizations, max_lines, months=months, refit_months=refit_months,
        is_sharing=is_sharing, jobs=jobs, random_state=random_state,
    )  # fmt: skip
    rows = []
    groups = ["protocol", "organization", "coded_lines", "model"]
    for key, part in outcomes.groupby(groups, sort=False):
        costs = {name: part[name].iloc[0] for name in ("fit_seconds", "lines_per_second")}
        agreement = {name: part[name].iloc[0] for name in ("agreement", "repeated_share")}
        rows.append(dict(zip(groups, key, strict=True)) | summary(part) | costs | agreement)
    return pd.DataFrame(rows)


def decisions(
    data: pd.DataFrame,
    protocol: str = "walk-forward",
    organizations: list[str] | None = None,
    max_lines: int | None = Scope.lines_max,
    *,
    months: int = Scope.months,
    refit_months: int = Scope.refit_months,
    is_sharing: bool = True,
    jobs: int = 1,
    random_state: int = 0,
) -> pd.DataFrame:
    """Every decision behind ``evaluate``: the input of the plots in ``models.metrics``."""
    protocols = PROTOCOLS if protocol == "all" else (protocol,)
    if unknown := sorted(set(protocols) - set(PROTOCOLS)):
        raise EvaluationDataMissing(f"no protocol {unknown[0]!r}; one of {', '.join(PROTOCOLS)}")
    ledger = read_ledger(data)
    known = sorted(ledger["organization"].unique())
    chosen = organizations or known
    if absent := sorted(set(chosen) - set(known)):
        raise EvaluationDataMissing(f"no lines of {', '.join(absent)}")
    scope = Scope(protocols, max_lines, months, refit_months, is_sharing, random_state)
    whole = dict(list(ledger.groupby("organization")))
    judged = {name: (_cut(whole[name], scope), _unmet(whole[name], scope)) for name in chosen}
    teaching = {name: _taught(lines, len(whole)) for name, lines in whole.items()}
    work = partial(_judge_group, judged, teaching, scope)
    groups = _groups(chosen)
    if jobs == 1 or len(groups) == 1:
        parts = [part for group in groups for part in work(group)]
    else:
        with ProcessPoolExecutor(jobs) as pool:
            parts = [part for found in pool.map(work, groups) for part in found]
    if not parts:
        raise EvaluationDataMissing(
            f"no organization has enough lines for the protocol {protocol}; "
            "walk-forward needs two months, unseen and few need other organizations"
        )
    return pd.concat(parts, ignore_index=True)


def _cut(lines: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    if scope.lines_max is None:
        return lines
    return some_vendors(newest_months(lines, scope.months), scope.lines_max)


def _taught(lines: pd.DataFrame, clients: int) -> pd.DataFrame:
    """The canonically coded lines that an organization may teach others from.

    The ranking skill needs vendors with their history, the knowledge as many vendors as there are.
    """
    coded = lines[lines["canonical"].notna()]
    each = max(min(SHARED_LINES, SHARED_LINES_IN_ALL // clients), 50)
    histories = some_vendors(newest_months(coded, SHARED_MONTHS), each)
    kinds = coded.drop_duplicates([*KIND, "canonical"], keep="last")
    taught = coded.loc[histories.index.union(kinds.index)]
    return taught.assign(account_id=taught["canonical"])


def _unmet(lines: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Lines of a client that nobody has met, drawn at random: without its past none is torn."""
    coded = lines[lines["canonical"].notna()]
    size = min(len(coded), scope.lines_max or len(coded))
    return coded.sample(size, random_state=scope.random_state).sort_index()


def _groups(chosen: list[str]) -> list[list[str]]:
    """Organizations that are judged with the same knowledge, learned from all others."""
    count = len(chosen) if len(chosen) <= LEAVE_ONE_OUT_MAX else GROUPS
    return [chosen[first::count] for first in range(count)]


def _judge_group(
    ledger: dict[str, tuple[pd.DataFrame, pd.DataFrame]], teaching: dict[str, pd.DataFrame],
    scope: Scope, group: list[str],
) -> list[pd.DataFrame]:  # fmt: skip
    shared, knowledge, others = None, None, {}
    if scope.is_sharing or set(scope.protocols) & NEW_CLIENT_PROTOCOLS:
        shared = shared_lines(teaching, group)
    if shared is not None:
        knowledge = knowledge_of(shared, scope.random_state)
        others = taught_by_others(shared) if "unseen" in scope.protocols else {}
    parts = []
    for organization in group:
        for protocol in scope.protocols:
            own = ledger[organization][1 if protocol == "unseen" else 0].reset_index(drop=True)
            facts = {"organization": organization, **self_agreement(own)}
            if protocol in NEW_CLIENT_PROTOCOLS:
                if knowledge is None:
                    continue
                judged = new_client(own, knowledge, others, protocol)
            else:
                lent = knowledge if scope.is_sharing else None
                judged = walk(own, protocol, lent, scope.refit_months, scope.random_state)
            parts += [part.assign(protocol=protocol, **facts) for part in judged]
    return parts


def shared_lines(teaching: dict[str, pd.DataFrame], group: list[str]) -> pd.DataFrame | None:
    """The teaching lines of all organizations outside ``group``; None if too few have any."""
    others = [lines for name, lines in teaching.items() if name not in group and len(lines)]
    if len(others) < SHARING_CLIENTS_MIN:
        return None
    return pd.concat(others).sort_values("date", kind="stable").reset_index(drop=True)


def knowledge_of(shared: pd.DataFrame, random_state: int) -> GlobalKnowledge:
    """What a firm knows from these clients: canonical accounts, and the skill of ranking."""
    chart = chart_of(shared["account_id"])
    return learn_knowledge(shared, chart=chart, random_state=random_state)


def mean_over_organizations(table: pd.DataFrame) -> pd.DataFrame:
    """One row per protocol, number of coded lines and model: the mean of every figure."""
    groups = ["protocol", "coded_lines", "model"]
    figures = table.drop(columns="organization").groupby(groups, sort=False)
    mean = figures.mean(numeric_only=True)
    mean["lines"] = figures["lines"].sum()
    mean["organizations"] = figures.size()
    return mean.replace([np.inf], np.nan).reset_index()
