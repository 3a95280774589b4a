"""A decision and the books built from it are in a client's file together, or neither is."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import bill_pipeline
from bill_pipeline.actions import (
    book_settings,
    deciding,
    party_answers,
    processing_fees,
    retyping,
    rules,
    sharing,
    write_offs,
)
from bill_pipeline.decisions import parties, retypings
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.decisions.rules import add_rule
from bill_pipeline.errors import CheckResult, ChecksFailed, DecisionRefused
from bill_pipeline.pipeline.client_sync import Sync, SyncOptions
from bill_pipeline.pipeline.steps import LAYERS
from bill_pipeline.publishing.tables import PublishError
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.transforms import Check
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.console.invented_books import SEEN_AT, copy_of, put
from tests.console.killed_decisions import CLIENT, LINE, POINTS, watch_commits

PACKAGE = Path(bill_pipeline.__file__).parent
MILL, TELCO = f"mill-{CLIENT}", f"telco-{CLIENT}"
ANSWERED_AT = SEEN_AT + timedelta(hours=1)
SAID: Any = {"by": "test", "reason": "r"}
#: Every function by which a person decides something about a client's books, and one use of it.
ACTIONS: dict[str, Callable[[Home], object]] = {
    "book_settings.bring_in_balances": lambda home: book_settings.bring_in_balances(
        home, CLIENT, date(2026, 2, 28), {"BANK": Decimal(5)}, accept_differences=True, **SAID
    ),
    "book_settings.change_policies": lambda home: book_settings.change_policies(
        home, CLIENT, {"fiscal_year_end": "06-30"}, by="test"
    ),
    "book_settings.change_role": lambda home: book_settings.change_role(
        home, CLIENT, "uncategorized_expense", "TOOLS", **SAID
    ),
    "deciding.close_through": lambda home: deciding.close_through(
        home, CLIENT, date(2026, 2, 28), **SAID
    ),
    "deciding.decide_lines": lambda home: deciding.decide_lines(
        home, CLIENT, [deciding.Answer(LINE, "TOOLS")],
        [deciding.PartyRule(TELCO, "bill", "PHONE", "always")], **SAID,
    ),
    "deciding.decision": lambda home: _decide_nothing(home),
    "deciding.reopen_from": lambda home: deciding.reopen_from(
        home, CLIENT, date(2026, 1, 1), **SAID
    ),
    "deciding.undo_lines": lambda home: deciding.undo_lines(home, CLIENT, ANSWERED_AT, by="test"),
    "party_answers.keep_apart": lambda home: party_answers.keep_apart(
        home, CLIENT, MILL, TELCO, **SAID
    ),
    "party_answers.merge": lambda home: party_answers.merge(
        home, CLIENT, MILL, [f"landlord-{CLIENT}"], **SAID
    ),
    "party_answers.rename": lambda home: party_answers.rename(home, CLIENT, MILL, "Mill", **SAID),
    "party_answers.undo": lambda home: party_answers.undo(home, CLIENT, by="test"),
    "processing_fees.set_processing_fee": lambda home: processing_fees.set_processing_fee(
        home, CLIENT, "R1", amount=Decimal("5.80"), **SAID
    ),
    "retyping.accept_balance": lambda home: retyping.accept_balance(home, CLIENT, "RENT", **SAID),
    "retyping.move": lambda home: retyping.move(home, CLIENT, "RENT", date(2026, 3, 1), **SAID),
    "retyping.withdraw": lambda home: retyping.withdraw(
        home, CLIENT, "RENT", date(2026, 2, 1), **SAID
    ),
    "rules.add": lambda home: rules.add(
        home, CLIENT, rules.RuleTerms("PHONE", party_id=TELCO), **SAID
    ),
    "rules.change": lambda home: rules.change(
        home, CLIENT, "rule-1", {"account_id": "TOOLS"}, **SAID
    ),
    "rules.remove": lambda home: rules.remove(home, CLIENT, "rule-1", **SAID),
    "sharing.set_shared": lambda home: sharing.set_shared(home, CLIENT, True, **SAID),
    "write_offs.write_off_invoice": lambda home: write_offs.write_off_invoice(
        home, CLIENT, "I1", amount=None, role="bad_debt", day=date(2026, 3, 10), **SAID
    ),
}  # fmt: skip


def _decide_nothing(home: Home) -> None:
    with deciding.decision(home, CLIENT, by="test"):
        pass


@pytest.fixture(scope="module")
def decided(made_books: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Books about which something of every kind was decided."""
    home = copy_of(made_books, tmp_path_factory.mktemp("decided") / "home")
    with Warehouse.open(Registry(home), CLIENT) as warehouse:
        connection = warehouse.connection
        said: Any = {"decided_at": ANSWERED_AT.replace(tzinfo=None), "decided_by": "test"}
        _put_sales(warehouse, ANSWERED_AT)
        decisions.correct(connection, **vars(LINE), account_id="RENT", **said)
        decisions.close(connection, date(2026, 1, 31), **said)
        parties.link_parties(connection, TELCO, MILL, **said)
        later = ANSWERED_AT + timedelta(hours=1)
        said["decided_at"] = later.replace(tzinfo=None)
        add_rule(connection, account_id="FLOUR", party_id=MILL, **said)
        asset = {"id": "RENT", "name": "Rent", "account": {"type": "FIXED_ASSET", "number": "6100"}}
        put(warehouse, "chart_of_accounts", asset, later, version=2)
        sync = Sync(Registry(home), warehouse, SyncOptions(), later)
        for layer in LAYERS:
            sync.build(layer)
        retypings.keep_balance(connection, account_id="RENT", reason="small", **said)
    return home


def _put_sales(warehouse: Warehouse, at: datetime) -> None:
    put(warehouse, "customers", {"id": "cafe", "name": "Corner Café"}, at)
    line = {"id": "I1-1", "price": 200.0, "quantity": 1}
    invoice = {
        "id": "I1", "customerId": "cafe", "totalAmount": 200.0, "invoiceNumber": "100",
        "invoiceDate": "2026-02-03", "dueDate": "2026-03-05", "invoiceLineItems": [line],
    }  # fmt: skip
    put(warehouse, "invoices", invoice, at)
    receipt = {
        "id": "R1", "customerId": "cafe", "amount": 200.0, "status": "PAID",
        "paymentDate": "2026-02-03", "onlinePayment": True, "receivablesType": "CREDIT_CARD",
        "invoicePayments": [],
    }  # fmt: skip
    put(warehouse, "received_payments", receipt, at)


def kept(home: Home) -> dict[str, list[Any]]:
    """Every row of the decisions, of the journal and of what says when the layers were built."""
    with Warehouse.open(Registry(home), CLIENT) as warehouse:
        names = warehouse.connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name = "
            "'decisions' or table_name in ('journal_entries', 'journal_lines', 'builds', 'build')"
        ).fetchall()
        return {
            name: warehouse.connection.execute(f"from {name} order by all").fetchall()
            for (name,) in names
        }


@pytest.fixture(scope="module")
def decided_before(decided: Home) -> dict[str, list[Any]]:
    return kept(decided)


def test_every_action_is_tried_here() -> None:
    found = set()
    for path in (PACKAGE / "actions").glob("[!_]*.py"):
        module = import_module(f"bill_pipeline.actions.{path.stem}")
        for name, made in inspect.getmembers(module, inspect.isfunction):
            if made.__module__ == module.__name__ and "by" in inspect.signature(made).parameters:
                found.add(f"{path.stem}.{name}")
    assert found == ACTIONS.keys()


@pytest.mark.rotating(days=8)
@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_a_decision_that_is_refused_or_interrupted_leaves_nothing(
    decided: Home,
    decided_before: dict[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    action: Callable[[Home], object],
) -> None:
    check, reached = Warehouse.run_check, []

    def refuse(self: Warehouse, one: Check) -> CheckResult:
        found = check(self, one)
        return replace(found, severity="error", row_count=1) if "staging" in one.table else found

    def interrupt() -> None:
        reached.append("commit")
        raise KeyboardInterrupt

    if action is not ACTIONS["sharing.set_shared"]:  # no layer reads what is decided
        with monkeypatch.context() as patch:
            patch.setattr(Warehouse, "run_check", refuse)
            with pytest.raises(ChecksFailed):
                action(decided)
    monkeypatch.setattr(deciding, "LAYERS", LAYERS[:2])  # the rest is built once, below
    watch_commits(monkeypatch.setattr, before=interrupt)
    with pytest.raises(KeyboardInterrupt):
        action(decided)
    assert reached == ["commit"]
    monkeypatch.undo()
    assert kept(decided) == decided_before


@pytest.mark.rotating(days=8)
@pytest.mark.slow
def test_a_process_that_is_killed_leaves_all_of_a_decision_or_nothing(
    decided: Home, decided_before: dict[str, list[Any]], tmp_path: Path
) -> None:
    before = decided_before
    homes = {
        (action, point): copy_of(decided, tmp_path / f"{action}-{point}")
        for action in ("decide", "close", "reopen")
        for point in (POINTS if action == "decide" else POINTS[2:])
    }
    tasks = [f"{home.path}:{action}:{point}" for (action, point), home in homes.items()]
    command = [sys.executable, "-m", "tests.console.killed_decisions", *tasks]
    subprocess.run(command, check=True)
    for (action, point), home in homes.items():
        after = kept(home)
        if point != "committed":
            assert after == before, (action, point)
            continue
        table = "decisions.categories" if action == "decide" else "decisions.closes"
        assert len(after[table]) == len(before[table]) + 1
        made = next(row for row in after[table] if row not in before[table])
        moment = max(value for value in made if isinstance(value, datetime))
        built = {layer: as_of for layer, as_of, _code in after["upkeep.builds"]}
        assert built["staging"] == moment
        if action == "decide":
            assert {built[layer] for layer in LAYERS} == {moment}
            assert len(after["ledger.journal_entries"]) > len(before["ledger.journal_entries"])


@pytest.mark.rotating(days=8)
@pytest.mark.slow
def test_what_is_not_published_is_booked_and_undone_once_by_whom_it_may(
    decided: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copy_of(decided, tmp_path / "home")

    def fail(*_of_what: object) -> None:
        raise PublishError("no room")

    def last_answer() -> tuple[Any, ...]:
        row: tuple[Any, ...] = max(kept(home)["decisions.categories"], key=lambda row: row[11])
        return row

    with monkeypatch.context() as patch:
        patch.setattr(deciding, "publish", fail)
        with pytest.raises(PublishError):
            deciding.decide_lines(
                home, CLIENT, [deciding.Answer(LINE, "TOOLS")], by="other", reason="r"
            )
    assert (last_answer()[2], last_answer()[4]) == (LINE.line_id, "TOOLS")
    at: datetime = last_answer()[11]
    with pytest.raises(DecisionRefused, match="nothing of that answer is left to undo"):
        deciding.undo_lines(home, CLIENT, ANSWERED_AT, by="test")  # another answer stands since
    with pytest.raises(DecisionRefused, match="somebody else gave it"):
        deciding.undo_lines(home, CLIENT, at, by="test", whose="test")
    assert deciding.undo_lines(home, CLIENT, at, by="test") == 1
    assert (last_answer()[4], last_answer()[9]) == ("RENT", "undone"), "what stood before it"
    with pytest.raises(DecisionRefused, match="nothing of that answer is left to undo"):
        deciding.undo_lines(home, CLIENT, at, by="test")


# --- nobody writes a decision another way ---------------------------------------------------------


def _appending(path: Path) -> Iterator[str]:
    """The functions of a module of ``decisions`` that write what somebody decided."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and "decided_by" in {
            argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)
        }:
            yield node.name


APPENDING = {name for path in (PACKAGE / "decisions").glob("*.py") for name in _appending(path)}


def _uses(tree: ast.AST, *, inside: bool = False, aliases: set[str] | None = None) -> Iterator[int]:
    """Lines on which decisions are written, unless in a transaction that ``decision`` began."""
    if aliases is None:
        aliases = {
            name.asname or name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("bill_pipeline.decisions")
            for name in node.names
        }
    if isinstance(tree, ast.With):
        begun = {getattr(call, "id", getattr(call, "attr", "")) for item in tree.items
                 if isinstance(item.context_expr, ast.Call)
                 for call in [item.context_expr.func]}  # fmt: skip
        inside = inside or bool(begun & {"decision", "trial"})
    elif isinstance(tree, ast.FunctionDef):
        given = {ast.unparse(argument.annotation) for argument in tree.args.args
                 if argument.annotation}  # fmt: skip
        inside = inside or "Batch" in given
    writes = (
        (isinstance(tree, ast.Name) and tree.id in APPENDING & aliases)
        or (
            isinstance(tree, ast.Attribute)
            and tree.attr in APPENDING
            and isinstance(tree.value, ast.Name)
            and tree.value.id in aliases
        )
        or (isinstance(tree, ast.Constant) and "into decisions." in str(tree.value))
    )
    if writes and not inside:
        yield tree.lineno  # type: ignore[attr-defined]
    for child in ast.iter_child_nodes(tree):
        yield from _uses(child, inside=inside, aliases=aliases)


def test_decisions_are_written_inside_the_transaction_that_builds_them() -> None:
    """The others write within a build or, whose books a file holds, before there are any."""
    found = {
        path.relative_to(PACKAGE).as_posix(): list(_uses(ast.parse(path.read_text("utf-8"))))
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "decisions"
    }
    assert {name for name, lines in found.items() if lines} == {
        "categorization/categorize.py",
        "categorization/parties.py",
        "pipeline/batches.py",
        "registry/whose_books.py",
    }
    outside = "from bill_pipeline.decisions import tables as d\ndef f(c): d.close(c)\n"
    assert list(_uses(ast.parse(outside))) == [2]


def test_a_batch_is_begun_in_one_place() -> None:
    begun = [
        (path.stem, node.lineno)
        for path in (PACKAGE / "actions").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Batch"
    ]
    assert [name for name, _line in begun] == ["deciding"]
