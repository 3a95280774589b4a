"""The review queue: lines nobody is sure of, grouped so that one answer settles many.

How lines are grouped is said in ``reports/review_questions.sql``, for these pages and for
``bill-pipeline review`` alike. Writing answers is ``deciding``'s work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bill_pipeline.actions.deciding import DocumentLine
from bill_pipeline.console.queries.ledger import Row, Snapshot
from bill_pipeline.decisions.alternatives import read_alternatives
from bill_pipeline.errors import PipelineError

#: Groups on one page: about what one sitting settles.
GROUPS_SHOWN = 40
#: Lines shown of a group before its own page is opened.
EXAMPLES_SHOWN = 3
#: An alternative less likely than this only takes up room.
LEAST_SHOWN = 0.01

#: A question whose lines are all put off is no question now.
_QUEUE = """
with questions as (
    select
        *,
        -- A client that was last published by an earlier version has no lines yet, only their ids.
        [line for line in coalesce(lines, [{
            'transaction_id': id, 'date': last_date, 'description': null, 'amount': null
        } for id in transaction_ids])
            if not list_contains($postponed::varchar[], client || chr(31) || line.transaction_id)]
            as lines_asked
    from review_questions
    where client in (select unnest($clients::varchar[]))
        and ($question::varchar is null or question_id = $question)
)

select
    client, question_id, coalesce(party_id, '') as party_id,
    coalesce(party, 'no vendor or customer') as party, document_type, currency,
    suggested_account_id, confidence, told_apart_by, reason, alternatives, booked_before,
    len(lines_asked) as line_count,
    coalesce(list_sum([abs(line.amount) for line in lines_asked]), amount_asked)::decimal(18, 3)
        as amount,
    [line.transaction_id for line in lines_asked] as transaction_ids,
    lines_asked[:$examples] as examples
from questions
where len(lines_asked) > 0
order by rows_saved desc, client, question_id
"""
_ACCOUNTS = """
select client, account_id, account_code, account_name
from accounts
where client in (select unnest(?::varchar[]))
    and not is_archived and control is null and source <> 'unknown'
    and account_subtype not in
        ('Bank', 'Clearing', 'Suspense', 'Retained Earnings', 'Opening Balance')
order by client, account_code nulls last, account_name, account_id
"""
#: What the queue is read from.
QUEUE_TABLES = ("review_questions", "accounts")


class UnknownAccount(PipelineError):
    """What was typed names no account of the client, or several."""


@dataclass(frozen=True)
class Account:
    """An account a line may be booked to; ``label`` is what people type and read."""

    account_id: str
    label: str
    code: str
    name: str


@dataclass(frozen=True)
class Group:
    """Lines that one answer settles. ``key`` is stable while the group's meaning is."""

    client: str
    question_id: str
    party_id: str
    party: str
    document_type: str
    suggestion: Account | None
    line_count: int
    amount: Any
    currency: str
    confidence: float | None
    told_apart_by: str | None
    reason: str
    transaction_ids: list[str]
    examples: list[dict[str, Any]]
    alternatives: list[tuple[Account, float]]
    before: list[tuple[str, int]]  # (account's name, lines)

    @property
    def key(self) -> str:
        """Questions of two clients may have one id."""
        parts = f"{self.client}{chr(31)}{self.question_id}"
        return hashlib.blake2b(parts.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Queue:
    """One page of the queue and what there is in all."""

    groups: list[Group]
    group_count: int
    line_count: int
    accounts: dict[str, list[Account]]  # by client


def read_queue(
    books: Snapshot,
    clients: Iterable[str],
    postponed: set[tuple[str, str]],
    *,
    question: str | None = None,
    limit: int = GROUPS_SHOWN,
    examples: int = EXAMPLES_SHOWN,
) -> Queue:
    """The groups of ``clients``, the most useful first; lines put off are left out.

    ``question``: only this one.
    """
    names = sorted(clients)
    if not names or not books.has_column("review_questions", "lines"):
        return Queue([], 0, 0, {})
    wanted = {
        "clients": names,
        "postponed": [f"{client}{chr(31)}{line}" for client, line in postponed],
        "question": question,
        "examples": examples,
    }
    # Books that an earlier version published are asked about as it grouped them.
    queue = _QUEUE
    if not books.has_column("review_questions", "told_apart_by"):
        queue = queue.replace("told_apart_by", "null as told_apart_by")
    rows, listed = books.together((queue, wanted), (_ACCOUNTS, [names]))
    shown = rows[:limit]
    accounts = _by_client({row["client"] for row in shown}, listed)
    groups = [_group(row, accounts) for row in shown]
    return Queue(groups, len(rows), sum(row["line_count"] for row in rows), accounts)


def read_accounts(books: Snapshot, clients: Iterable[str]) -> dict[str, list[Account]]:
    """By client, the accounts a line may be booked to: no control, clearing or heading account."""
    names = sorted(clients)
    return _by_client(names, books.rows(_ACCOUNTS, [names]))


def _by_client(clients: Iterable[str], rows: list[Row]) -> dict[str, list[Account]]:
    found: dict[str, list[Account]] = {client: [] for client in clients}
    for row in rows:
        if row["client"] not in found:
            continue
        code, name = row["account_code"] or "", row["account_name"] or row["account_id"]
        label = f"{code} {name}".strip()
        if any(account.label == label for account in found[row["client"]]):
            label = f"{label} [{row['account_id']}]"
        found[row["client"]].append(Account(row["account_id"], label, code, name))
    return found


def account_named(text: str, accounts: list[Account]) -> Account:
    """The account a person meant by its label, number, name or id. Raises UnknownAccount."""
    wanted = text.strip().casefold()
    for part in ("label", "account_id", "code", "name"):
        found = [account for account in accounts if getattr(account, part).casefold() == wanted]
        if wanted and len(found) == 1:
            return found[0]
    begun = [account for account in accounts if wanted and wanted in account.label.casefold()]
    if len(begun) == 1:
        return begun[0]
    which = f"fits {len(begun)} accounts" if begun else "names no account of this client"
    raise UnknownAccount(f"“{text}” {which}: choose one from the list.")


def read_lines(books: Snapshot, client: str, transaction_ids: list[str]) -> list[dict[str, Any]]:
    """Those of the named lines that are ``client``'s, whatever the request says."""
    return books.rows(
        """
        select transaction_id, document_type, document_id, line_id, party_id, party, account_id,
            account_name, category_source, date, description, amount, currency, confidence, reason
        from transactions
        where client = ? and transaction_id in (select unnest(?::varchar[]))
        order by date desc, transaction_id
        """,
        [client, transaction_ids],
    )


def read_whole_line(books: Snapshot, client: str, transaction_id: str) -> list[dict[str, Any]]:
    """The parts of the line that the transaction belongs to; one row when it is not split."""
    return books.rows(
        """
        select lines.*
        from transactions as lines
        inner join transactions as named using (client, document_type, document_id, line_id)
        where client = ? and named.transaction_id = ?
        -- The first part keeps the line's id; later ones have their number after it.
        order by length(lines.transaction_id), lines.transaction_id
        """,
        [client, transaction_id],
    )


def line_of(row: dict[str, Any]) -> DocumentLine:
    return DocumentLine(row["document_type"], row["document_id"], row["line_id"])


def _group(row: dict[str, Any], accounts: dict[str, list[Account]]) -> Group:
    by_id = {account.account_id: account for account in accounts[row["client"]]}
    alternatives = [
        (by_id[other["account_id"]], float(other["confidence"]))
        for other in read_alternatives(row.pop("alternatives"))
        if other.get("account_id") in by_id and float(other["confidence"]) >= LEAST_SHOWN
    ]
    return Group(
        suggestion=by_id.get(row.pop("suggested_account_id")),
        reason=row.pop("reason") or "",
        alternatives=alternatives[:4],
        before=[
            (other["account_name"] or other["account_id"], other["line_count"])
            for other in row.pop("booked_before") or []
        ],
        **row,
    )
