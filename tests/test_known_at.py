"""A report as known then reads nothing of now: whatever it reads has a moment of its own."""

from __future__ import annotations

import pytest

from bill_pipeline.warehouse.transforms import Transform, load_transforms

#: Columns of tables that keep every state: the reader chooses those of its moment.
MOMENTS = {"posted_at", "known_from", "decided_at"}
#: What tells of now on purpose; docs/ledger.md names it.
OF_NOW = {
    ("ledger.document_facts", "ledger.documents"),
    ("reports.clearing_in_flight", "ledger.funding_accounts"),
}


def takes_a_moment(transform: Transform) -> bool:
    return transform.macro is not None and "known_at" in transform.macro.parameters


READERS = {key: t for key, t in load_transforms().items() if takes_a_moment(t)}


@pytest.mark.parametrize("key", sorted(READERS))
def test_a_report_as_known_then_reads_nothing_of_now(key: str) -> None:
    for read in READERS[key].upstream:
        table = load_transforms()[read]
        keeps_history = bool(MOMENTS & {column.name for column in table.columns})
        assert takes_a_moment(table) or keeps_history or (key, read) in OF_NOW, (
            f"{key} reads {read} as it is now: give that a macro with known_at"
        )


def test_what_tells_of_now_is_still_read() -> None:
    assert all(read in READERS[key].upstream for key, read in OF_NOW)
