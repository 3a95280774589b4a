"""Who is who among a client's vendors and customers, by their names and by what people said.

Names are compared by ``models.parties``; people's merges and splits always win, and what people
said at clients who share is known to all (``firm_parties``). The result is a view: documents,
amounts and entries keep BILL's own ids. How people say it is ``party_answers``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from bill_pipeline.categorization.firm_parties import FirmParties
from bill_pipeline.decisions import parties as party_decisions
from bill_pipeline.registry.clients import utc_now
from bill_pipeline.settings import Home
from bill_pipeline.warehouse import upkeep
from bill_pipeline.warehouse.warehouse import Warehouse
from models.fingerprint import code_version
from models.parties import Resolution, resolve

_LAYER = "party resolution"

_PARTIES = """
select
    parties.party_id, parties.party_type, parties.party,
    (select min(seen_at) from raw.document_versions as versions
        where versions.id = parties.party_id) as first_seen_at
from staging.parties as parties
order by first_seen_at, parties.party_id
"""
# What was merged in BILL itself; people who keep two apart here have the last word.
_MERGED_IN_BILL = """
select party_id, merged_into_party_id, true from staging.parties
where merged_into_party_id is not null order by party_id
"""
# What people said last about each pair, in the order in which they said it.
ANSWERS = """
select party_id, other_party_id, is_same
from (
    select party_id, same_as_party_id as other_party_id, true as is_same, withdrawn, decided_at,
        rowid as row_no
    from decisions.party_links
    union all
    select party_id, other_party_id, false, withdrawn, decided_at, rowid from decisions.party_splits
)
where decided_at <= $as_of
qualify row_number() over (
    partition by least(party_id, other_party_id), greatest(party_id, other_party_id), is_same
    order by decided_at desc, row_no desc
) = 1 and not withdrawn
order by decided_at, row_no
"""
_NAMES = """
select party_id, party from decisions.party_names where decided_at <= $as_of
qualify row_number() over (partition by party_id order by decided_at desc, rowid desc) = 1
order by party_id
"""
_RESOLVED = """
select party_id, merged_party_id, firm_party_id, firm_party from decisions.party_resolutions
qualify row_number() over (partition by party_id order by decided_at desc, rowid desc) = 1
"""


@dataclass(frozen=True)
class Known:
    """Everything the resolution of one client's parties depends on."""

    parties: pd.DataFrame  # party_id, party_type, party; the longest known first
    answers: list[tuple[str, str, bool]]
    names: dict[str, str]
    merged_in_bill: list[tuple[str, str, bool]]

    def signature(self, firm: FirmParties) -> str:
        text = repr((self.parties.values.tolist(), self.answers, self.names, self.merged_in_bill))
        parts = f"{text}{firm.version}{code_version()}"
        return hashlib.sha256(parts.encode()).hexdigest()[:16]


def resolve_parties(warehouse: Warehouse, home: Home, as_of: datetime) -> int:
    """Bring the resolution up to date with names and answers; how many parties it changed."""
    known, firm = what_is_known(warehouse, as_of), FirmParties.load(home)
    signature = known.signature(firm)
    if upkeep.built_version(warehouse, _LAYER) == signature:
        return 0
    rows = _resolved_rows(known, _resolution(known, firm))
    before = {row[0]: row[1:] for row in warehouse.connection.execute(_RESOLVED).fetchall()}
    new = [row for row in rows if before.get(row[0]) != row[1:4]]
    party_decisions.record_resolutions(
        warehouse.connection, new, decided_at=as_of.replace(tzinfo=None), decided_by="names"
    )
    upkeep.record_version(warehouse, _LAYER, as_of, signature)
    return len(new)


def likely_same(warehouse: Warehouse, home: Home) -> pd.DataFrame:
    """Pairs a person should look at: left, right (names), left_id, right_id, probability, reason.

    Too alike to ignore and too different to merge unasked; the likeliest first.
    """
    known = what_is_known(warehouse, utc_now())
    found = _resolution(known, FirmParties.load(home)).review
    name = known.parties.set_index("party_id")["party"]
    return pd.DataFrame(
        {
            "left": found["left"].map(name), "right": found["right"].map(name),
            "left_id": found["left"], "right_id": found["right"],
            "probability": found["probability"], "reason": found["reason"],
        }
    )  # fmt: skip


def what_is_known(warehouse: Warehouse, as_of: datetime) -> Known:
    """The client's parties as staged, and what people had said about them until ``as_of``."""
    values = {"as_of": as_of.replace(tzinfo=None)}
    parties = warehouse.connection.execute(_PARTIES).df()[["party_id", "party_type", "party"]]
    answers = warehouse.connection.execute(ANSWERS, values).fetchall()
    names = warehouse.connection.execute(_NAMES, values).fetchall()
    merged = warehouse.connection.execute(_MERGED_IN_BILL).fetchall()
    return Known(parties, answers, {party: name for party, name in names if name}, merged)


def _resolution(known: Known, firm: FirmParties) -> Resolution:
    names = dict(zip(known.parties["party_id"], known.parties["party"], strict=True))
    # What people of this client said comes last, and wins.
    decided = [*firm.answers_about(names), *known.merged_in_bill, *known.answers]
    return resolve(names, known=firm.ids_of(names), decided=decided)


def _resolved_rows(known: Known, found: Resolution) -> list[tuple[str, str, str, str, str | None]]:
    """(party_id, merged_party_id, firm_party_id, firm_party, reason) of every party."""
    reasons = {
        party: pair.reason for pair in found.pairs.itertuples() for party in (pair.left, pair.right)
    }
    reasons |= {party: "merged in BILL" for party, _into, _is_same in known.merged_in_bill}
    said = [*known.merged_in_bill, *known.answers]
    linked = {party for party, _other, is_same in said if is_same}
    table = found.parties.set_index("key").join(known.parties.set_index("party_id"))
    # Within one kind of party the one known longest stands for all, unless a person chose another.
    order = {party: (party in linked, at) for at, party in enumerate(known.parties["party_id"])}
    rows: list[tuple[str, str, str, str, str | None]] = []
    for firm_party_id, group in table.groupby("party_id", sort=True):
        names = [known.names[party] for party in group.index if party in known.names]
        shown = names[-1] if names else group["party_name"].iloc[0]
        for _kind, members in group.groupby("party_type", sort=True):
            stands = min(members.index, key=lambda party: order[party])
            for party in members.index:
                reason = None if party == stands else reasons.get(party, "a person said so")
                rows.append((party, stands, str(firm_party_id), shown, reason))
    return sorted(rows)
