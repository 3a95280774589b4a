"""Write a person's decisions into a client's books, and have the books show them at once.

Every action, here and in the modules beside this one, writes inside ``with decision(…)``: what it
appends to ``decisions`` and the layers that are built from it are one transaction of the client's
file. When a check fails, or the process is killed at any moment, the file has all of it or nothing.
Nothing here knows how pages look.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TypedDict

import duckdb

from bill_pipeline.actions.closing import require_closable
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.decisions.rules import add_rule, remove_rule
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.pipeline.books import open_books
from bill_pipeline.pipeline.client_sync import Sync, SyncOptions
from bill_pipeline.pipeline.posting_rules import begin
from bill_pipeline.pipeline.steps import LAYERS
from bill_pipeline.pipeline.sync_report import count_documents_and_reviews
from bill_pipeline.publishing.publish import publish, show_status
from bill_pipeline.registry.client_files import client_lock
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.transforms import load_transforms
from bill_pipeline.warehouse.upkeep import next_batch_time
from bill_pipeline.warehouse.warehouse import Warehouse

#: A decision waits this long for a sync of the same client to end before it is refused.
PATIENCE_SECONDS = 10.0
_GIVEN = """
select decided_at, decided_by from decisions.categories where source = 'person' group by all
"""
# Rules that were made at a moment and stand.
_RULES_MADE = """
select rule_id from decisions.rules group by rule_id
having min(decided_at) = $at and not arg_max(withdrawn, (decided_at, rowid))
    and arg_min(decided_by, (decided_at, rowid)) = coalesce($whose, any_value(decided_by))
order by rule_id
"""


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


class Signed(TypedDict):
    """Who decided, when (UTC) and why: what every row of ``decisions`` ends with."""

    decided_at: datetime
    decided_by: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """One moment of decisions of a person ``by`` name on an open client file; see ``decision``."""

    warehouse: Warehouse
    as_of: datetime
    by: str

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return self.warehouse.connection

    @property
    def decided_at(self) -> datetime:
        return self.as_of.replace(tzinfo=None)

    def signed(self, reason: str) -> Signed:
        return {"decided_at": self.decided_at, "decided_by": self.by, "reason": reason}


@contextlib.contextmanager
def decision(home: Home, client: str, *, by: str, builds: bool = True) -> Iterator[Batch]:
    """Decisions written inside the ``with`` are in the published books after it, or nowhere.

    They and the layers built from them are committed together, and rolled back together on any
    exception. Holds the client's lock. Not ``builds``: no layer reads what is decided.

    Raises ClientBusy while another process works on the client; ChecksFailed when the books would
    not be right; PublishError when all is booked, but analysts do not see it yet.
    """
    registry = Registry(home)
    with hold_client(home, client), open_books(registry, client) as warehouse:
        as_of = begin(warehouse)[0] if builds else next_batch_time(warehouse, utc_now())
        sync = Sync(registry, warehouse, SyncOptions(), as_of)
        with warehouse.transaction():
            yield Batch(warehouse, as_of, by)
            for layer in LAYERS if builds else ():
                sync.build(layer)
        if builds:
            _documents, to_review = count_documents_and_reviews(warehouse)
            registry.update(client, review_count=to_review, unpublished_since=utc_now())
            show_status(registry)
    if builds:
        publish(registry, [client]).require_all()


@dataclass(frozen=True)
class Recorded:
    """What ``decide_lines`` recorded; it is undone by its moment (UTC)."""

    decided_at: datetime
    rule_ids: tuple[str, ...]


def decide_lines(
    home: Home,
    client: str,
    answers: Sequence[Answer],
    rules: Sequence[PartyRule] = (),
    *,
    by: str,
    reason: str,
) -> Recorded:
    """Record the answers and rules, and bring the books up to date.

    Raises ClientBusy, ChecksFailed, PublishError.
    """
    with decision(home, client, by=by) as batch:
        _write_answers(batch, answers, reason)
        rule_ids = tuple(
            add_rule(
                batch.connection,
                account_id=rule.account_id,
                party_id=rule.party_id,
                document_type=rule.document_type,
                **batch.signed(rule.reason),
            )
            for rule in rules
        )
    return Recorded(batch.as_of, rule_ids)


def undo_lines(
    home: Home, client: str, decided_at: datetime, *, by: str, whose: str | None = None
) -> int:
    """Put back what stood before the answers of ``decided_at``; of how many lines.

    By a further decision, so that history keeps both; rules made with the answers are withdrawn.
    What somebody else answered since stays. With ``whose`` only that person's answers are undone.
    Raises DecisionRefused when none of them is left to undo; ClientBusy, ChecksFailed,
    PublishError.
    """
    at = decided_at.replace(tzinfo=None)
    with decision(home, client, by=by) as batch:
        before = _answers_before(batch, at, whose)
        rules = batch.connection.execute(_RULES_MADE, {"at": at, "whose": whose}).fetchall()
        if not before and not rules:
            raise DecisionRefused(
                f"{client}: nothing of that answer is left to undo, or somebody else gave it. Each "
                "line's own page shows who decided what, and changes it."
            )
        _write_answers(batch, before, "undone")
        for (rule_id,) in rules:
            remove_rule(batch.connection, rule_id, **batch.signed("withdrawn"))
    return len(before)


def close_through(home: Home, client: str, day: date, *, by: str, reason: str) -> None:
    """Lock every day up to and including ``day``.

    Raises CannotClose, DecisionRefused, ClientBusy, ChecksFailed, PublishError.
    """
    require_closable(Registry(home).status(client), day, utc_now().date())
    with decision(home, client, by=by) as batch:
        decisions.close(batch.connection, day, **batch.signed(reason))


def reopen_from(home: Home, client: str, first_open_day: date, *, by: str, reason: str) -> None:
    """Unlock ``first_open_day`` and later.

    Raises DecisionRefused, ClientBusy, ChecksFailed, PublishError.
    """
    with decision(home, client, by=by) as batch:
        decisions.reopen(batch.connection, first_open_day, **batch.signed(reason))


@contextlib.contextmanager
def hold_client(home: Home, client: str) -> Iterator[None]:
    """The client's lock, waited for a little: a sync of one client is often done in a second."""
    doing = "changed or looked at by a person"
    with client_lock(home, client, doing, patience_seconds=PATIENCE_SECONDS):
        yield


def _write_answers(batch: Batch, answers: Sequence[Answer], reason: str) -> None:
    decisions.record_categories(
        batch.connection,
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
        decided_by=batch.by,
    )


def _answers_before(batch: Batch, at: datetime, whose: str | None) -> list[Answer]:
    """What stood before the answers given ``at``, of the lines where it does not stand now."""
    given_by: dict[datetime, str] = dict(batch.connection.execute(_GIVEN).fetchall())
    by = given_by.get(at)
    if by is None or whose not in (None, by):
        return []
    now = _answers_at(batch, batch.decided_at)
    before = _answers_at(batch, at - timedelta(microseconds=1))
    found = []
    for line, (_answer, given_at) in _answers_at(batch, at).items():
        answer, last_at = now[line]
        stood, _stood_at = before.get(line, (Answer(line, None), None))
        if given_at == at and answer != stood and given_by[last_at] in (by, batch.by):
            found.append(stood)
    return found


def _answers_at(batch: Batch, at: datetime) -> dict[DocumentLine, tuple[Answer, datetime]]:
    """Line, as it is called now → what a person had answered for it at ``at``, and when."""
    batch.warehouse.set_time(at)
    rows = batch.connection.execute(
        f"""
        select document_type, document_id, line_id, if(withdrawn, null, account_id),
            if(withdrawn, null, parts), decided_at
        from ({load_transforms()["categorized.person_decisions"].sql})
        """
    ).fetchall()
    found = {}
    for *names, account_id, parts, decided_at in rows:
        line = DocumentLine(*names)
        split = tuple(decisions.Part(**part) for part in parts or ())
        found[line] = (Answer(line, account_id, split), decided_at)
    return found
