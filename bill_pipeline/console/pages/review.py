"""The review queue's pages: show the groups, take the answers, undo.

How groups are found is in ``review_queue``, how answers reach the books in ``deciding``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.actions.deciding import (
    Answer,
    PartyRule,
    decide_lines,
    undo_lines,
)
from bill_pipeline.console.parts.formats import plural
from bill_pipeline.console.parts.forms import MOST_BYTES
from bill_pipeline.console.queries.review_queue import (
    QUEUE_TABLES,
    account_named,
    line_of,
    read_accounts,
    read_lines,
    read_queue,
)
from bill_pipeline.console.request_context import RequestContext
from bill_pipeline.errors import DecisionRefused, PipelineError
from bill_pipeline.registry.client_errors import UnknownClient
from bill_pipeline.registry.clients import ClientStatus
from bill_pipeline.registry.failures import ClientError, alone

#: A firm-wide queue reads the books of the clients with most to review: as many as it takes to fill
#: a page, since reading one takes a few milliseconds.
CLIENTS_READ = 25
LINES_READ = 60
LINES_OF_A_GROUP = 2_000
#: When something was done (UTC), to the microsecond, as the path by which it is undone has it.
_MOMENT = "%Y%m%d%H%M%S%f"


class NothingChosen(PipelineError):
    """The form named no line, or none that is still there."""


@dataclass
class Chosen:
    """One group as the form sent it: its lines, and the account typed for them."""

    key: str
    client: str
    lines: list[dict[str, object]]
    account_text: str
    makes_rule: bool


def firm_queue(context: RequestContext) -> Response:
    """Every client's lines in one queue, for whoever looks after several."""
    waiting = [s for s in context.console.registry.waiting() if context.user.may_see(s.client)]
    postponed = context.console.review_memory.postponed()
    names = _enough(waiting, Counter(client for client, _line in postponed))
    with context.console.ledger.reading(names, QUEUE_TABLES) as books:
        queue = read_queue(books, names, postponed)
    return context.render(
        "review.html",
        client=None,
        queue=queue,
        waiting=waiting,
        clients_read=len(names),
        back="/review",
        postponed_count=0,
    )


def _enough(waiting: list[ClientStatus], put_off: Counter[str]) -> list[str]:
    """Clients from the first on until their lines fill a page of the queue."""
    names: list[str] = []
    lines = 0
    for status in waiting[:CLIENTS_READ]:
        if lines >= LINES_READ:
            break
        names.append(status.client)
        lines += max(status.review_count - put_off[status.client], 0)
    return names


def client_queue(context: RequestContext) -> Response:
    postponed = context.console.review_memory.postponed()
    with context.console.ledger.reading([context.client]) as books:
        queue = read_queue(books, [context.client], postponed)
    return context.render(
        "review.html",
        client=context.client,
        queue=queue,
        waiting=[],
        clients_read=1,
        back=f"/clients/{context.client}/review",
        postponed_count=sum(client == context.client for client, _line in postponed),
    )


def group_page(context: RequestContext) -> Response:
    """Every line of one group, to answer for some of them only."""
    with context.console.ledger.reading([context.client]) as books:
        queue = read_queue(
            books,
            [context.client],
            context.console.review_memory.postponed(),
            question=context.query("question"),
            examples=LINES_OF_A_GROUP,
        )
    if not queue.groups:
        context.notify("Nothing of that group is left to review.")
        return context.redirect(f"/clients/{context.client}/review")
    return context.render(
        "review_group.html",
        client=context.client,
        group=queue.groups[0],
        accounts=queue.accounts[context.client],
    )


def decide(context: RequestContext) -> Response:
    """Take the answers for one group or several, of one client or several."""
    doing, _, key = context.form.text("do").partition(":")
    keys = [key] if key else context.form.texts("chosen")
    chosen = _chosen(context, keys)
    back = context.own_path(context.form.text("back"), "/review")
    by_client: dict[str, list[Chosen]] = defaultdict(list)
    for one in chosen:
        by_client[one.client].append(one)
    failed: dict[str, ClientError] = {}
    for client, groups in by_client.items():
        with alone(client, failed):
            if doing == "later":
                _postpone(context, client, groups)
            else:
                _accept(context, client, groups)
    if failed:  # the others' answers are booked
        raise DecisionRefused(" ".join(map(str, failed.values())))
    if context.is_fragment:
        assert context.sign_in is not None  # noqa: S101 - the route asks for a bookkeeper
        return context.render(
            "notices.html", fresh=context.console.sign_ins.take_notices(context.sign_in)
        )
    return context.redirect(back)


def undo(context: RequestContext) -> Response:
    """Put back what was before: by a further decision, so that history keeps both."""
    client, by = context.client, context.user.name
    moment = _moment_of(context.path("moment"))
    whose = None if context.may("ADMINISTER") else by
    if moment is None:
        raise NothingChosen(f"{client}: nothing of that is left to undo; a line's page changes it.")
    if count := context.console.review_memory.bring_back(client, moment, whose):
        done = f"{client}: {plural(count, 'line')} no longer put off"
    else:
        count = undo_lines(context.console.home, client, moment, by=by, whose=whose)
        done = f"{client}: {plural(count, 'line')} as before"
    context.record("undid", client, what=done)
    context.notify(f"Undone: {done}.")
    return context.redirect(context.own_path(context.form.text("back"), "/review"))


def change_line(context: RequestContext) -> Response:
    """A person's account for one line, whoever chose the present one."""
    with context.console.ledger.reading([context.client]) as books:
        lines = read_lines(books, context.client, [context.path("transaction")])
        accounts = read_accounts(books, [context.client])[context.client]
    if not lines:
        raise HTTPException(404, f"{context.client} has no such line.")
    account = account_named(context.form.text("account"), accounts)
    reason = context.form.text("reason") or "chosen in the console"
    line = line_of(lines[0])
    answers = [Answer(line, account.account_id)]
    decide_undoably(context, context.client, answers, [], reason, account.label)
    # The whole line has the account now: a part's own page is gone.
    whole = f"{line.document_type}:{line.document_id}:{line.line_id}"
    return context.redirect(f"/clients/{context.client}/lines/{whole}")


def decide_undoably(
    context: RequestContext,
    client: str,
    answers: list[Answer],
    rules: list[PartyRule],
    reason: str,
    accounts: str,
) -> None:
    """Book the answers, and offer to undo them.

    ``accounts``: where the lines go, in people's words.
    """
    home, by = context.console.home, context.user.name
    done = decide_lines(home, client, answers, rules, by=by, reason=reason)
    rule_ids = list(done.rule_ids)
    context.record("decided", client, lines=len(answers), accounts=accounts, rules=rule_ids)
    made = f" and {plural(len(rule_ids), 'rule')}" if rule_ids else ""
    context.notify(
        f"{client}: {plural(len(answers), 'line')} to {accounts}{made}. It is in the ledger.",
        undo=_undo_path(client, done.decided_at),
    )


def _undo_path(client: str, moment: datetime) -> str:
    return f"/clients/{client}/undo/{moment:{_MOMENT}}"


def _moment_of(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _chosen(context: RequestContext, keys: list[str]) -> list[Chosen]:
    """The groups the form names, with lines that are really their client's and visible."""
    form, found = context.form, []
    for key in keys:
        client = form.text(f"client-{key}")
        _require_visible(context, client)
        ids = form.text(f"lines-{key}", most=MOST_BYTES).split() + form.texts(f"line-{key}")
        with context.console.ledger.reading([client]) as books:
            lines = read_lines(books, client, ids)
        if lines:
            account, rule = form.text(f"account-{key}"), form.text(f"rule-{key}") == "yes"
            found.append(Chosen(key, client, lines, account, rule))
    if not found:
        raise NothingChosen("No line was chosen, or they were settled in the meantime.")
    return found


def _require_visible(context: RequestContext, client: str) -> None:
    try:
        context.console.registry.status(client)
    except UnknownClient:
        client = ""
    if not client or not context.user.may_see(client):
        raise HTTPException(404, "There is no such client.")


def _postpone(context: RequestContext, client: str, groups: list[Chosen]) -> None:
    ids = [str(line["transaction_id"]) for group in groups for line in group.lines]
    until = context.console.review_memory.postpone(client, ids, context.user.name)
    context.record("put off lines", client, lines=len(ids))
    context.notify(
        f"{client}: {plural(len(ids), 'line')} put off for a week.", undo=_undo_path(client, until)
    )


def _accept(context: RequestContext, client: str, groups: list[Chosen]) -> None:
    with context.console.ledger.reading([client]) as books:
        accounts = read_accounts(books, [client])[client]
    settled = [(group.lines, account_named(group.account_text, accounts)) for group in groups]
    rules = [
        PartyRule(
            party_id=str(group.lines[0]["party_id"]),
            document_type=str(group.lines[0]["document_type"]),
            account_id=account.account_id,
            reason=f"{group.lines[0]['party']} always, says {context.user.name}",
        )
        for group, (_lines, account) in zip(groups, settled, strict=True)
        if group.makes_rule and group.lines[0]["party_id"]
    ]
    answers = [
        Answer(line_of(line), account.account_id) for lines, account in settled for line in lines
    ]
    names = ", ".join(sorted({account.label for _lines, account in settled}))
    decide_undoably(context, client, answers, rules, "settled in the review queue", names)
