"""Write down what a person says about parties: these are one, these are two, this is its name.

Each answer is a later row; nothing is edited. The books are built and published before the call
returns, and no amount in them moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bill_pipeline.actions.deciding import Batch, decision
from bill_pipeline.categorization.parties import ANSWERS
from bill_pipeline.decisions import parties as party_decisions
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.settings import Home


def merge(
    home: Home, client: str, into: str, others: Sequence[str], *, by: str, reason: str
) -> None:
    """Say that ``others`` are the party ``into``; earlier splits of them are withdrawn."""
    if into in others:
        raise DecisionRefused(f"{client}: {into} cannot be merged into itself.")
    with decision(home, client, by=by) as batch:
        for other in others:
            _say(batch, other, into, is_same=True, reason=reason)


def keep_apart(home: Home, client: str, party_id: str, other: str, *, by: str, reason: str) -> None:
    """Say that two parties are not one; earlier merges of them are withdrawn."""
    with decision(home, client, by=by) as batch:
        _say(batch, party_id, other, is_same=False, reason=reason)


def rename(home: Home, client: str, party_id: str, name: str, *, by: str, reason: str) -> None:
    """What reports call the party from now on. Raises DecisionRefused for an empty name."""
    if not name.strip():
        raise DecisionRefused(f"{client}: a party's name cannot be empty.")
    with decision(home, client, by=by) as batch:
        party_decisions.name_party(batch.connection, party_id, name.strip(), **batch.signed(reason))


def undo(home: Home, client: str, *, by: str) -> datetime:
    """Take back what was last decided about parties, by a later decision; when that was.

    Undone twice, it stands again. Raises DecisionRefused when nothing was decided yet.
    """
    with decision(home, client, by=by) as batch:
        return _undo_last(batch, client)


def _say(batch: Batch, party: str, other: str, *, is_same: bool, reason: str) -> None:
    def write(left: str, right: str, *, is_same: bool, withdrawn: bool = False) -> None:
        append = party_decisions.link_parties if is_same else party_decisions.keep_parties_apart
        append(batch.connection, left, right, withdrawn=withdrawn, **batch.signed(reason))

    standing = batch.connection.execute(ANSWERS, {"as_of": batch.decided_at}).fetchall()
    for left, right, said_same in standing:
        if {left, right} == {party, other} and said_same != is_same:
            write(left, right, is_same=said_same, withdrawn=True)
    write(party, other, is_same=is_same)


#: table → (its key, the column that says what stands, what stands when nothing was said)
_UNDONE = {
    "party_links": ("party_id, same_as_party_id", "withdrawn", "true"),
    "party_splits": ("party_id, other_party_id", "withdrawn", "true"),
    "party_names": ("party_id", "party", "null"),
}


def _undo_last(batch: Batch, client: str) -> datetime:
    connection = batch.connection
    moments = " union all ".join(f"select decided_at from decisions.{name}" for name in _UNDONE)
    row = connection.execute(f"select max(decided_at) from ({moments})").fetchone()
    if row is None or row[0] is None:
        raise DecisionRefused(f"{client}: nothing was decided about its parties yet.")
    last: datetime = row[0]
    for table, (key, state, none_yet) in _UNDONE.items():
        connection.execute(
            f"""
            insert into decisions.{table} by name
            select distinct on ({key}) undone.* replace (
                coalesce((
                    select {state} from decisions.{table} as before
                    where before.decided_at < undone.decided_at
                        and {" and ".join(f"before.{k} = undone.{k}" for k in key.split(", "))}
                    order by before.decided_at desc, before.rowid desc limit 1
                ), {none_yet}) as {state},
                $at::timestamp as decided_at, $by as decided_by, 'undone' as reason
            )
            from decisions.{table} as undone
            where decided_at = $last
            """,
            {"at": batch.decided_at, "by": batch.by, "last": last},
        )
    return last
