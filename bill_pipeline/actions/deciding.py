"""Write a person's decisions into a client's books, and have the books show them at once.

One function per kind of action. Each holds the client's lock, appends to ``decisions``, builds the
layers and publishes; when the books refuse the result (a check fails), the decision is taken back
by a later row and the error is raised. Nothing here knows how pages look.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from bill_pipeline.actions.closing import require_closable
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.decisions.rules import add_rule, remove_rule
from bill_pipeline.errors import PipelineError
from bill_pipeline.pipeline.books import open_books
from bill_pipeline.pipeline.client_sync import Sync, SyncOptions
from bill_pipeline.pipeline.posting_rules import begin
from bill_pipeline.pipeline.steps import LAYERS
from bill_pipeline.pipeline.sync_report import count_documents_and_reviews
from bill_pipeline.publishing.publish import publish, show_status
from bill_pipeline.registry.client_errors import ClientBusy
from bill_pipeline.registry.client_files import client_lock
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.upkeep import next_batch_time
from bill_pipeline.warehouse.warehouse import Warehouse

#: A decision waits this long for a sync of the same client to end before it is refused.
PATIENCE_SECONDS = 10.0
_SECONDS_BETWEEN_TRIES = 0.2


@dataclass(frozen=True)
class DocumentLine:
    """One line of a document, as the client's file names it."""

    document_type: str
    document_id: str
    line_id: str


@dataclass(frozen=True)
class Answer:
    """A person's account for a line, or the parts it is split into.

    Neither of them withdraws the person's earlier answer.
    """

    line: DocumentLine
    account_id: str | None
    parts: tuple[decisions.Part, ...] = ()


@dataclass(frozen=True)
class PartyRule:
    """From now on every line of this party that nobody coded goes to this account."""

    party_id: str
    document_type: str
    account_id: str
    reason: str


def decide_lines(
    home: Home,
    client: str,
    answers: Sequence[Answer],
    rules: Sequence[PartyRule] = (),
    *,
    by: str,
    reason: str,
    withdrawn_rules: Sequence[str] = (),
) -> list[str]:
    """Record the answers and rules, bring the books up to date, return the new rules' ids.

    Raises ClientBusy while another process works on the client; ChecksFailed when the books would
    not be right, after the decisions were taken back.
    """
    with decision_batch(home, client) as batch:
        before = _persons_answers(batch.warehouse, [answer.line for answer in answers])
        _write_answers(batch, answers, by, reason)
        rule_ids = [
            add_rule(
                batch.warehouse.connection,
                account_id=rule.account_id,
                party_id=rule.party_id,
                document_type=rule.document_type,
                reason=rule.reason,
                decided_at=batch.decided_at,
                decided_by=by,
            )
            for rule in rules
        ]
        _withdraw_rules(batch, withdrawn_rules, by)
        batch.take_back = lambda later: _take_back(later, before, rule_ids, by)
    return rule_ids


def close_through(home: Home, client: str, day: date, *, by: str, reason: str) -> None:
    """Lock every day up to and including ``day``.

    Raises CannotClose, DecisionRefused, ClientBusy.
    """
    require_closable(Registry(home).status(client), day, utc_now().date())
    with decision_batch(home, client) as batch:
        decisions.close(
            batch.warehouse.connection,
            day,
            decided_at=batch.decided_at,
            decided_by=by,
            reason=reason,
        )


def reopen_from(home: Home, client: str, first_open_day: date, *, by: str, reason: str) -> None:
    """Unlock ``first_open_day`` and later. Raises DecisionRefused, ClientBusy."""
    with decision_batch(home, client) as batch:
        decisions.reopen(
            batch.warehouse.connection,
            first_open_day,
            decided_at=batch.decided_at,
            decided_by=by,
            reason=reason,
        )


def persons_answers(home: Home, client: str, lines: Sequence[DocumentLine]) -> list[Answer]:
    """What people had answered for ``lines`` until now: what an undo has to put back.

    Raises ClientBusy; ChecksFailed when the rules of this release would not make right books.
    """
    with hold_client(home, client), open_books(Registry(home), client) as warehouse:
        begin(warehouse)
        return _persons_answers(warehouse, lines)


class Batch:
    """One moment of decisions on an open client file."""

    def __init__(self, warehouse: Warehouse, as_of: datetime) -> None:
        self.warehouse = warehouse
        self.as_of = as_of
        self.take_back: Callable[[Batch], None] | None = None

    @property
    def decided_at(self) -> datetime:
        return self.as_of.replace(tzinfo=None)


@contextlib.contextmanager
def decision_batch(home: Home, client: str) -> Iterator[Batch]:
    """Decisions written inside the ``with`` are in the published books after it.

    Holds the client's lock. Raises ClientBusy while another process works on the client;
    ChecksFailed when the books would not be right, after ``take_back`` was called; PublishError
    when the decisions are booked, but analysts do not see them yet.
    """
    with hold_client(home, client), _batch(home, client) as batch:
        yield batch


@contextlib.contextmanager
def _batch(home: Home, client: str) -> Iterator[Batch]:
    """Decisions are written inside the ``with``; after it the books are built and published."""
    with open_books(Registry(home), client) as warehouse:
        as_of, _new_rules = begin(warehouse)
        batch = Batch(warehouse, as_of)
        yield batch
        try:
            _build(home, batch)
        except PipelineError:
            if batch.take_back is not None:
                batch.take_back(Batch(warehouse, next_batch_time(warehouse, utc_now())))
            raise
    publish(home, [client]).require_all()


def _build(home: Home, batch: Batch) -> None:
    sync = Sync(Registry(home), batch.warehouse, SyncOptions(), batch.as_of)
    for layer in LAYERS:
        sync.build(layer)
    _documents, to_review = count_documents_and_reviews(batch.warehouse)
    sync.registry.update(sync.client, review_count=to_review, unpublished_since=batch.as_of)
    show_status(sync.registry)


@contextlib.contextmanager
def hold_client(home: Home, client: str) -> Iterator[None]:
    """The client's lock, waited for a little: a sync of one client is often done in a second."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with client_lock(home, client):
                yield
            return
        except ClientBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(_SECONDS_BETWEEN_TRIES)


def _write_answers(batch: Batch, answers: Sequence[Answer], by: str, reason: str) -> None:
    decisions.record_categories(
        batch.warehouse.connection,
        [
            {
                "document_type": answer.line.document_type,
                "document_id": answer.line.document_id,
                "line_id": answer.line.line_id,
                "features_hash": None,
                "account_id": answer.account_id,
                "source": "person",
                "confidence": 1.0,
                "reason": reason,
                "withdrawn": answer.account_id is None and not answer.parts,
                "parts": [asdict(part) for part in answer.parts] or None,
            }
            for answer in answers
        ],
        decided_at=batch.decided_at,
        decided_by=by,
    )


def _take_back(batch: Batch, before: Sequence[Answer], rule_ids: Sequence[str], by: str) -> None:
    _write_answers(batch, before, by, "taken back: the books refused it")
    _withdraw_rules(batch, rule_ids, by)


def _withdraw_rules(batch: Batch, rule_ids: Sequence[str], by: str) -> None:
    for rule_id in rule_ids:
        remove_rule(
            batch.warehouse.connection,
            rule_id,
            decided_at=batch.decided_at,
            decided_by=by,
            reason="withdrawn",
        )


def _persons_answers(warehouse: Warehouse, lines: Sequence[DocumentLine]) -> list[Answer]:
    found = {line: Answer(line, None) for line in lines}
    if lines:
        rows = warehouse.connection.execute(
            """
            select document_type, document_id, line_id,
                if(withdrawn, null, account_id) as account_id,
                if(withdrawn, null, parts) as parts
            from categorized.person_decisions
            where document_id in (select unnest(?::varchar[]))
            """,
            [list({line.document_id for line in lines})],
        ).fetchall()
        for *names, account_id, parts in rows:
            line = DocumentLine(*names)
            if line in found:
                split = tuple(decisions.Part(**part) for part in parts or ())
                found[line] = Answer(line, account_id, split)
    return list(found.values())
