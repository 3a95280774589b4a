"""Check every belief at one client's BILL, and write what was seen so that it can be shared.

The report holds counts and our own words: no name, amount, id, address or text of BILL's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.beliefs.observer import CappedBudget, NotSeen, Observation, Observer
from bill_pipeline.bill.beliefs.table import BELIEFS, Belief
from bill_pipeline.bill.connection import PRODUCTION_URL, SANDBOX_URL, Connection

VERDICTS = ("contradicted", "seen", "could not be seen")
#: After one of these nothing more can be seen, and it is for a person to act.
_FATAL = (errors.ConnectionRefused, errors.BillUnreachable)


@dataclass
class BeliefReport:
    """What was seen of each belief, and with how many requests."""

    environment: str
    requests: int = 0
    most_requests: int = 0
    findings: dict[str, Observation] = field(default_factory=dict)

    def named(self, verdict: str) -> list[str]:
        return [name for name, found in self.findings.items() if found.verdict == verdict]

    def as_dict(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "requests": self.requests,
            "most_requests": self.most_requests,
            "beliefs": [
                {
                    "belief": name,
                    "verdict": found.verdict,
                    "holds": found.holds,
                    "fails": found.fails,
                    "lists": list(found.lists),
                    "because": found.because,
                }
                for name, found in self.findings.items()
            ],
        }

    def markdown(self) -> str:
        return "\n".join([*self._head(), *self._contradicted(), *self._table()]) + "\n"

    def _head(self) -> Iterator[str]:
        counts = Counter(found.verdict for found in self.findings.values())
        yield "# What BILL shows of what we believe about it"
        yield ""
        asked = f"{self.requests} requests of at most {self.most_requests}"
        yield f"Asked: {self.environment}, {asked}, reading only."
        yield f"{len(self.findings)} beliefs: {_counted(counts)}."
        yield "This report holds no name, amount or id. Share it in an issue of bill-pipeline."
        yield ""

    def _contradicted(self) -> Iterator[str]:
        for name in self.named("contradicted"):
            belief = BELIEFS[name]
            yield f"## Contradicted: {name}"
            yield ""
            yield f"We believed: {belief.says}"
            yield f"What follows: {belief.otherwise}"
            yield "What to do: report it with this file."
            yield ""

    def _table(self) -> Iterator[str]:
        yield "| belief | verdict | held | did not | remark |"
        yield "|---|---|---:|---:|---|"
        for name, found in self.findings.items():
            remark = found.because or ", ".join(found.lists) or BELIEFS[name].says
            yield f"| {name} | {found.verdict} | {found.holds} | {found.fails} | {remark} |"


def check_beliefs(api: BillApi, budget: CappedBudget, *, with_v2: bool = True) -> BeliefReport:
    """Check every belief; at most ``budget.most`` requests, and none that writes.

    Raises ``BillError`` when BILL cannot be reached, or refuses the client, at all.
    """
    api.log_in()
    observer = Observer(api, budget, with_v2=with_v2)
    report = BeliefReport(_environment(api.connection), most_requests=budget.most)
    for name, belief in BELIEFS.items():
        report.findings[name] = _seen(belief, observer)
    report.requests = budget.requests
    if observer.unanswered and all(not f.holds + f.fails for f in report.findings.values()):
        raise observer.unanswered
    return report


def _seen(belief: Belief, observer: Observer) -> Observation:
    if belief.seen_by is None:
        return Observation(because=belief.unseen)
    try:
        return belief.seen_by(observer)
    except NotSeen as reason:
        return Observation(because=str(reason))
    except _FATAL:
        raise
    except errors.PermissionMissing:
        return Observation(because="the token may not read what would show it")
    except (KeyError, TypeError, AttributeError, ArithmeticError, ValueError):
        return Observation(because="BILL's answer has another shape than is read")
    except errors.BillError as error:
        return Observation(because=f"BILL did not answer as it should ({type(error).__name__})")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)


def _environment(connection: Connection) -> str:
    if connection.is_local:
        return "a look-alike on this machine"
    known = {PRODUCTION_URL: "BILL's production", SANDBOX_URL: "BILL's sandbox"}
    return known.get(connection.base_url, "another address")
