"""What clients learn from each other, and the switch that keeps a client's lines to itself.

A client is private until its firm says otherwise: its lines are its business, and nothing is lost
that could not be switched on later. A private client may use what others know and adds nothing.
The shared artefacts are the firm's knowledge with its ranking skill (``model_registry``) and the
firm's parties (``firm_parties``); both are made here, from sharing clients alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from bill_pipeline.actions.deciding import decision, hold_client
from bill_pipeline.categorization import firm_parties, model_registry
from bill_pipeline.categorization.client_model import read_frame, training_lines
from bill_pipeline.categorization.parties import what_is_known
from bill_pipeline.decisions.tables import set_policy
from bill_pipeline.errors import PipelineError
from bill_pipeline.pipeline.books import open_books
from bill_pipeline.registry.client_files import client_lock
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.registry.failures import ClientError, alone
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse
from models.knowledge import GlobalKnowledge, seed_lines
from models.skill import learn_knowledge

POLICY = "share_lines"
#: The newest lines of each sharing client; more changes little and costs minutes.
LINES_OF_A_CLIENT = 5_000
_COLUMNS = [
    "date", "document_type", "party_id", "party_name", "description", "amount", "department_id",
    "account_id", "organization",
]  # fmt: skip


@dataclass
class FirmKnowledge:
    """What was pooled: the clients whose lines are in it, and why those of others are not."""

    contributors: list[str] = field(default_factory=list)
    left_out: dict[str, ClientError] = field(default_factory=dict)  # by client, until the next time
    line_count: int = 0
    party_count: int = 0
    has_skill: bool = False
    version: str = ""


@dataclass(frozen=True)
class _Contribution:
    lines: pd.DataFrame
    party_ids: dict[str, str]  # by name
    answers: list[tuple[str, str, bool]]  # by name


def is_shared(home: Home, client: str) -> bool:
    """Whether the client's lines may teach other clients' models. Raises UnknownClient."""
    Registry(home).status(client)
    if not home.client_file(client).exists():
        return False
    with hold_client(home, client), open_books(Registry(home), client) as warehouse:
        return _is_shared(warehouse)


def set_shared(home: Home, client: str, shared: bool, *, by: str, reason: str) -> bool:
    """Switch sharing on or off; whether what was shared had to be made anew without the client.

    Switched off, the client's lines leave every shared artefact before this returns: knowledge and
    parties are made anew, and other clients' models that were trained with its help are removed
    (their next sync trains them). Raises UnknownClient, ClientBusy.
    """
    Registry(home).status(client)
    with decision(home, client, by=by, builds=False) as batch:
        set_policy(batch.connection, POLICY, "yes" if shared else "no", **batch.signed(reason))
    return False if shared else forget(home, client)


def forget(home: Home, client: str) -> bool:
    """Remove what a client added to shared artefacts; whether there was anything."""
    helped = client in model_registry.contributors(home)
    failed: dict[str, ClientError] = {}
    for other in Registry(home).names():
        if other != client:
            with alone(other, failed):
                helped |= model_registry.remove_taught_by(home, other, client)
    if helped:
        pool(home)
    if failed:  # a promise of privacy is not kept by half
        why = " ".join(map(str, failed.values()))
        remedy = f"run `bill-pipeline privacy {client} --private` again"
        if client not in Registry(home).names():  # it was purged
            remedy = f"delete their folders in {home.models / 'clients'}; they are trained anew"
        raise PipelineError(
            f"What {client} taught the models of {', '.join(sorted(failed))} is still there. "
            f"{why} Then {remedy}."
        )
    return helped


def pool(home: Home) -> FirmKnowledge:
    """Make the firm's knowledge, skill and parties anew from the clients who share."""
    report = FirmKnowledge()
    found = list(_contributions(home, report))
    lines = pd.concat(
        [seed_lines().assign(organization=None), *(one.lines for one in found)], ignore_index=True
    )
    made = learn_knowledge(lines)
    parties = firm_parties.pooled((one.party_ids, one.answers) for one in found)
    parties.save(home)
    model_registry.save_knowledge(home, made, report.contributors)
    report.line_count = sum(len(one.lines) for one in found)
    report.party_count = len(parties.ids)
    report.has_skill = made.skill_ is not None
    report.version = made.version_
    return report


def _contributions(home: Home, report: FirmKnowledge) -> Iterator[_Contribution]:
    canonical = GlobalKnowledge.from_seeds()
    for number, client in enumerate(sorted(Registry(home).names())):
        if not home.client_file(client).exists():
            continue
        contribution = None
        # The lines of one that is busy or damaged come in with the next pooling.
        with (
            alone(client, report.left_out),
            client_lock(home, client, "read for the firm's knowledge"),
            open_books(Registry(home), client) as warehouse,
        ):
            if _is_shared(warehouse) and _has_books(warehouse):
                contribution = _contribution(warehouse, canonical, str(number))
        if contribution:
            report.contributors.append(client)
            yield contribution


def _contribution(
    warehouse: Warehouse, canonical: GlobalKnowledge, organization: str
) -> _Contribution:
    """A client's lines in canonical accounts, under a number instead of its name."""
    lines = training_lines(warehouse).sort_values("date", kind="stable").tail(LINES_OF_A_CLIENT)
    account = canonical.canonical_account(read_frame(warehouse, "from categorized.chart"))
    lines = lines.assign(
        account_id=lines["account_id"].map(account), organization=organization, party_id=None
    )
    known = what_is_known(warehouse, utc_now())
    name = dict(zip(known.parties["party_id"], known.parties["party"], strict=True))
    rows = warehouse.connection.execute(
        "select party, firm_party_id from categorized.parties where firm_party_id is not null"
    ).fetchall()
    said = [(name[a], name[b], same) for a, b, same in known.answers if a in name and b in name]
    return _Contribution(lines[lines["account_id"].notna()][_COLUMNS], dict(rows), said)


def _is_shared(warehouse: Warehouse) -> bool:
    row = warehouse.connection.execute(
        "select value from decisions.policies where name = ? "
        "order by decided_at desc, rowid desc limit 1",
        [POLICY],
    ).fetchone()
    return row == ("yes",)


def _has_books(warehouse: Warehouse) -> bool:
    row = warehouse.connection.execute(
        "select count(*) from duckdb_tables() "
        "where schema_name = 'categorized' and table_name in ('training_lines', 'parties')"
    ).fetchone()
    return row == (2,)
