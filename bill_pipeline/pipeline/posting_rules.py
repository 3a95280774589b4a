"""Which posting rules made the books, and what other rules would post: shown first, then posted.

The posting rules are the SQL files that the journal is derived from. Every batch of the journal
keeps their version. The first time that a client's file is opened under other rules, everything
known by then is posted under them as a batch of its own, before anything new is read: so an entry
whose cause is *posting rules changed* has no other cause, and a rebuild can begin there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bill_pipeline.pipeline.batches import have_changed, record_batch
from bill_pipeline.pipeline.steps import post_everything
from bill_pipeline.registry.clients import utc_now
from bill_pipeline.warehouse.upkeep import next_batch_time
from bill_pipeline.warehouse.warehouse import Warehouse

#: What a preview shows of each line that would be posted.
PREVIEW = """
select
    entries.cause, lines.document_type, lines.document_id, entries.entry_kind, lines.date,
    coalesce(accounts.account_name, lines.account_id) as account, lines.amount, entries.entry_id
from ledger.journal_lines as lines
inner join ledger.journal_entries as entries using (entry_id)
left join ledger.accounts as accounts using (account_id)
where entries.posted_at = ?
order by
    lines.document_type, lines.document_id, entries.event, entries.ordinal, lines.line_no
"""


@dataclass(frozen=True)
class NewRules:
    """What posting under changed rules did: so many entries, of so many documents."""

    as_of: datetime
    entries: int
    documents: int

    def sentence(self, client: str) -> str:
        return (
            f"{client}: the posting rules changed since the last sync; {self.entries:,} entries "
            f"of {self.documents:,} documents were posted anew. "
            f"`bill-pipeline query \"from posting_rule_changes where client = '{client}'\"` "
            "lists them."
        )


def begin(warehouse: Warehouse) -> tuple[datetime, NewRules | None]:
    """The moment (UTC) at which a sync or a decision counts, after the rules have been brought up.

    Whoever writes into a client's books begins here. Raises ChecksFailed.
    """
    as_of = next_batch_time(warehouse, utc_now())
    new_rules = post_under_new_rules(warehouse, as_of)
    return (next_batch_time(warehouse, utc_now()) if new_rules else as_of), new_rules


def post_under_new_rules(warehouse: Warehouse, as_of: datetime) -> NewRules | None:
    """Post what the present rules make of everything known, if the last batch had other rules.

    Closed periods stay as they are: differences to them are posted on the first open day. None
    when the rules are the same. Raises ChecksFailed with nothing posted.
    """
    if not have_changed(warehouse.connection):
        return None
    with warehouse.transaction():
        _post(warehouse, as_of)
    row = warehouse.connection.execute(
        "select count(*), count(distinct (document_type, document_id)) "
        "from ledger.journal_entries where posted_at = ?",
        [as_of.replace(tzinfo=None)],
    ).fetchone()
    return NewRules(as_of, *(row or (0, 0)))


def preview(warehouse: Warehouse) -> list[dict[str, Any]]:
    """The journal lines that would be posted from what is known now; nothing is kept.

    Each has ``cause, document_type, document_id, entry_kind, date, account, amount`` (home
    currency, debit positive) and ``entry_id``. Raises ChecksFailed when they would be refused.
    """
    as_of = next_batch_time(warehouse, utc_now())
    with warehouse.trial():
        _post(warehouse, as_of)
        found = warehouse.connection.execute(PREVIEW, [as_of.replace(tzinfo=None)])
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _post(warehouse: Warehouse, as_of: datetime) -> None:
    """Build the layers up to the journal, in the caller's transaction."""
    if have_changed(warehouse.connection):
        record_batch(warehouse.connection, as_of, is_change_of_rules=True)
    post_everything(warehouse, as_of)
