"""What the columns mean of tables that no SQL file makes, and the types they have in DuckDB.

Types are read from the tables themselves, made empty in memory; only the meanings stand here.
"""

from __future__ import annotations

from functools import cache

import duckdb

from bill_pipeline.decisions import tables as decisions
from bill_pipeline.ingest import document_versions as archive
from bill_pipeline.ingest import raw

#: Columns that mean the same wherever they stand.
_EVERYWHERE = {
    "client": "The client's name; the first column of every published table. ← the registry",
    "id": "BILL's id of the document. ← BILL: id",
    "list": "The list the document belongs to; the raw table's name. ← bill/lists.py",
    "updated_at": "When BILL last changed the document, UTC. ← BILL: updatedTime",
    "is_refused": "True while BILL does not let the list be read. ← BILL: the answer",
    "is_archived": "True when the document was archived in BILL. ← BILL: archived",
    "is_deleted": "True when BILL no longer has the document. ← found by a comparison",
    "content_hash": "Says whether two versions differ. ← hash of the document",
    "document": "The whole document as BILL sent it. ← BILL: the answer's row",
    "version": "1, 2, 3 … for each document. ← counted by the archive",
    "seen_at": "The sync that brought this version, UTC. ← the sync's as_of",
    "first_seen_at": "The sync that found it first, UTC. ← the sync's as_of",
    "healed_at": "When a good version came; empty as long as none has. ← the sync's as_of",
    "field": "Name of the field. ← BILL: the answer's row",
    "note": "What is unusual about the field. ← the archive",
    "decided_at": "From when on the decision counts, UTC. ← the sync or the person",
    "decided_by": "Who or what decided. ← the person, rule or model",
    "withdrawn": "True when the row takes the decision back. ← the person",
    "reason": "Why, in words. ← whoever decided",
    "document_type": "bill, vendor_credit, invoice or credit_memo. ← the person or model",
    "document_id": "BILL's id of the document. ← staging",
    "line_id": "BILL's id of the line. ← staging",
    "features_hash": "What the model saw; another hash means the line changed. ← categorize.py",
    "account_id": "The account, BILL's id or the standard chart's. ← whoever decided",
    "source": "model, person or default. ← whoever decided",
    "confidence": "Probability that the account is right, 0–1. ← the model",
    "needs_review": "True when a person is asked. ← the model's threshold",
    "model_version": "The model that decided. ← models/",
    "alternatives": "The next best accounts with their probabilities. ← the model",
    "parts": "The accounts and amounts a person split the line into. ← the person",
    "rule_id": "The rule. ← the person",
    "priority": "Of two rules that match, the lower number wins. ← the person",
    "party_id": "Vendor or customer, BILL's id. ← the person",
    "same_as_party_id": "The party it is the same as. ← the person",
    "description_contains": "Matches lines whose description has this text. ← the person",
    "amount_from": "Matches lines of at least this amount. ← the person",
    "amount_to": "Matches lines of at most this amount. ← the person",
    "department_id": "Matches lines of this department. ← the person",
    "valid_from": "Matches documents of this day or later. ← the person",
    "valid_to": "Matches documents of this day or earlier. ← the person",
    "other_party_id": "The party it is not the same as. ← the person",
    "party": "What reports call the party; empty: as its spellings say. ← the person",
    "merged_party_id": "The vendor or customer that stands for all spellings. ← names and people",
    "firm_party_id": "The party's id at every client of the firm. ← names and people",
    "firm_party": "The party's name across spellings. ← names and people",
    "role": "What the account is used for: payables, receivables, clearing … ← the person or rule",
    "closed_through": "Last day of the closed period, inclusive. ← the person",
    "action": "close or reopen; of a balance: move, keep or withdraw. ← the person",
    "name": "Which policy. ← the person",
    "value": "What the policy says. ← the person",
    "cutover_date": "The day the opening balance stands on. ← the person",
    "amount": "Home currency. ← the person",
    "invoice_id": "The invoice, BILL's id. ← the person",
    "write_off_date": "Accounting date of the write-off. ← the person",
    "received_payment_id": "The customer's payment, BILL's id. ← the deposit or the person",
    "money_movement_id": "The deposit that shows it; empty when a person said so. ← the deposit",
    "first_day": "First day of the account's new type. ← the chart's history",
    "date": "Day of the entry; empty where nothing is posted. ← the person",
    "is_to_balance_sheet": "From profit and loss to the balance sheet. ← the chart's history",
    "amount_earlier": "Of the amount, that of earlier fiscal years. ← the journal",
    "amount_cash": "The amount on the cash basis. ← the cash basis",
    "amount_earlier_cash": "Of that, what is of earlier fiscal years. ← the cash basis",
    "as_of": "The time of one sync, UTC. ← the sync",
    "posting_rules": "Version of the SQL files that posted. ← the sync",
    "is_change_of_rules": "Posted only because these rules are not those before. ← the sync",
    "is_clock_put_right": "Posted because a wrong clock was put right. ← the sync",
}


@cache
def tables_without_sql() -> dict[str, dict[str, str]]:
    """``schema.table`` → column → type, for ``raw`` and ``decisions``."""
    with duckdb.connect(":memory:") as connection:
        raw.make_raw_tables(connection)
        archive.make_archive(connection)
        decisions.ensure_decisions(connection)
        rows = connection.execute(
            "select table_schema || '.' || table_name, column_name, lower(data_type) "
            "from information_schema.columns where table_schema in ('raw', 'decisions') "
            "order by 1, ordinal_position"
        ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, type_ in rows:
        tables.setdefault(table, {})[column] = type_
    return tables


def meaning(column: str) -> str:
    """What ``column`` says. Raises KeyError for a column nobody has described yet."""
    return _EVERYWHERE[column]
