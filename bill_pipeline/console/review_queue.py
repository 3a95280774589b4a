"""The review queue: lines nobody is sure of, grouped so that one answer settles many.

Lines of one client, one party, one kind of document and one suggestion are one group. Read from
the published ledger; writing answers is ``deciding``'s work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bill_pipeline.console.ledger import Snapshot
from bill_pipeline.deciding import Line
from bill_pipeline.errors import PipelineError

#: Groups on one page: about what one sitting settles.
GROUPS_SHOWN = 40
#: Lines shown of a group before its own page is opened.
EXAMPLES_SHOWN = 3
#: An alternative less likely than this only takes up room.
LEAST_SHOWN = 0.01

_QUEUE = """
asked as (
    select
        *,
        -- A line that nobody is sure of is booked as uncategorized; what the model would have
        -- chosen is its first alternative.
        if(category_source = 'default', alternatives ->> '$[0].account_id', account_id)
            as suggested_account_id,
        if(category_source = 'default', (alternatives ->> '$[0].confidence')::double, confidence)
            as suggested_confidence
    from lines
    where needs_review and client in (select unnest($clients::varchar[]))
)

select
    client,
    coalesce(party_id, '') as party_id,
    coalesce(any_value(party), 'no vendor or customer') as party,
    document_type,
    suggested_account_id,
    count(*) as line_count,
    sum(abs(amount)) as amount_asked,
    any_value(currency) as currency,
    count(distinct currency) = 1 as has_one_currency,
    min(date) as first_date,
    max(date) as last_date,
    max(suggested_confidence) as confidence,
    mode(reason) as reason,
    any_value(alternatives) as alternatives,
    list(transaction_id order by date desc, transaction_id) as transaction_ids,
    (list({'date': date, 'description': description, 'amount': amount, 'currency': currency,
        'document_id': document_id, 'transaction_id': transaction_id}
        order by abs(amount) desc, transaction_id))[:$examples] as examples
from asked
where not list_contains($postponed::varchar[], client || chr(31) || transaction_id)
    and ($party::varchar is null or coalesce(party_id, '') = $party)
    and ($suggestion::varchar is null or coalesce(suggested_account_id, '') = $suggestion)
group by client, coalesce(party_id, ''), document_type, suggested_account_id
order by line_count desc, amount_asked desc, client, party_id, suggested_account_id
"""

_BEFORE = """
select client, party_id, account_id, any_value(account_name) as account_name, count(*) as line_count
from transactions
where not needs_review and client in (select unnest($clients::varchar[]))
    and party_id in (select unnest($parties::varchar[]))
group by client, party_id, account_id
order by line_count desc, account_id
"""


class UnknownAccount(PipelineError):
    """What was typed names no account of the client, or several."""


@dataclass(frozen=True)
class Account:
    """An account a line may be booked to; ``label`` is what people type and read."""

    account_id: str
    label: str
    code: str
    name: str


@dataclass
class Group:
    """Lines that one answer settles. ``key`` is stable while the group's meaning is."""

    client: str
    party_id: str
    party: str
    document_type: str
    suggestion: Account | None
    line_count: int
    amount: Any
    currency: str
    first_date: Any
    last_date: Any
    confidence: float | None
    reason: str
    transaction_ids: list[str]
    examples: list[dict[str, Any]]
    alternatives: list[tuple[Account, float]] = field(default_factory=list)
    before: list[tuple[str, int]] = field(default_factory=list)  # (account's name, lines)

    @property
    def key(self) -> str:
        suggested = self.suggestion.account_id if self.suggestion else ""
        parts = (self.client, self.party_id, self.document_type, suggested)
        return hashlib.blake2b(chr(31).join(parts).encode(), digest_size=8).hexdigest()


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
    party_id: str | None = None,
    suggestion: str | None = None,
    limit: int = GROUPS_SHOWN,
    examples: int = EXAMPLES_SHOWN,
) -> Queue:
    """The groups of ``clients``, the largest first; lines put off are left out."""
    names = sorted(clients)
    if not names or books.is_empty:
        return Queue([], 0, 0, {})
    rows = books.rows(
        f"with lines as ({_lines(books)}), {_QUEUE}",
        {
            "clients": names,
            "postponed": [f"{client}{chr(31)}{line}" for client, line in postponed],
            "party": party_id,
            "suggestion": suggestion,
            "examples": examples,
        },
    )
    shown = rows[:limit]
    accounts = read_accounts(books, {row["client"] for row in shown})
    before = _booked_before(books, shown)
    groups = [_group(row, accounts, before) for row in shown]
    return Queue(groups, len(rows), sum(row["line_count"] for row in rows), accounts)


def read_accounts(books: Snapshot, clients: Iterable[str]) -> dict[str, list[Account]]:
    """By client, the accounts a line may be booked to: no control, clearing or heading account."""
    found: dict[str, list[Account]] = {client: [] for client in clients}
    rows = books.rows(
        """
        select client, account_id, account_code, account_name
        from accounts
        where client in (select unnest(?::varchar[]))
            and not is_archived and control is null and source <> 'unknown'
            and account_subtype not in
                ('Bank', 'Clearing', 'Suspense', 'Retained Earnings', 'Opening Balance')
        order by client, account_code nulls last, account_name, account_id
        """,
        [sorted(found)],
    )
    for row in rows:
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


def _lines(books: Snapshot) -> str:
    if books.has_column("transactions", "alternatives"):
        return "select * from transactions"
    return "select *, null::json as alternatives from transactions"


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


def line_of(row: dict[str, Any]) -> Line:
    return Line(row["document_type"], row["document_id"], row["line_id"])


def _booked_before(
    books: Snapshot, rows: list[dict[str, Any]]
) -> dict[tuple[str, str], list[tuple[str, int]]]:
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    wanted = {
        "clients": sorted({row["client"] for row in rows}),
        "parties": sorted({row["party_id"] for row in rows}),
    }
    for row in books.rows(_BEFORE, wanted) if rows else []:
        entries = found.setdefault((row["client"], row["party_id"]), [])
        entries.append((row["account_name"] or row["account_id"], row["line_count"]))
    return found


def _group(
    row: dict[str, Any],
    accounts: dict[str, list[Account]],
    before: dict[tuple[str, str], list[tuple[str, int]]],
) -> Group:
    import json

    by_id = {account.account_id: account for account in accounts[row["client"]]}
    alternatives = [
        (by_id[other["account_id"]], float(other["confidence"]))
        for other in json.loads(row["alternatives"] or "[]")
        if other.get("account_id") in by_id and float(other["confidence"]) >= LEAST_SHOWN
    ]
    return Group(
        client=row["client"],
        party_id=row["party_id"],
        party=row["party"],
        document_type=row["document_type"],
        suggestion=by_id.get(row["suggested_account_id"]),
        line_count=row["line_count"],
        amount=row["amount_asked"] if row["has_one_currency"] else None,
        currency=row["currency"] if row["has_one_currency"] else "several currencies",
        first_date=row["first_date"],
        last_date=row["last_date"],
        confidence=row["confidence"],
        reason=row["reason"] or "",
        transaction_ids=row["transaction_ids"],
        examples=row["examples"],
        alternatives=alternatives[:4],
        before=before.get((row["client"], row["party_id"]), [])[:3],
    )
