"""What we believe about BILL is one table, and a report tells at a look-alike what is not so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.bill.beliefs.observer import MOST_REQUESTS, CappedBudget
from bill_pipeline.bill.beliefs.of_documents import BOOKED_RECEIPT_STATES, PAYMENT_STATES
from bill_pipeline.bill.beliefs.report import BeliefReport, check_beliefs
from bill_pipeline.bill.beliefs.table import BELIEFS
from bill_pipeline.bill.budget import SharedBudget
from bill_pipeline.registry.clients import Registry
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.switches import SETTINGS, Switches, the_other_way
from tests.imports.books import Client
from tests.journey.firm import Firm

ROOT = Path(__file__).parents[2]
SWITCHES = {item.name for item in fields(Switches)}
SEEN = [name for name, belief in BELIEFS.items() if belief.seen_by]
TURNED = [name for name in BELIEFS if name in SWITCHES]
#: A company in whose books every belief shows; another seed may lack a document it takes.
SEED, NUMBER = 13, 1
DAYS = 60
OPTIONS: dict[str, Any] = {"companies": 2, "documents": 400, "seed": SEED}

MakeCompany = Callable[..., Client]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[MakeCompany]:
    with ExitStack() as stack:

        def make(**switches: Any) -> Client:
            sandbox = stack.enter_context(SandboxServer(**OPTIONS, switches=switches))
            client = Client(sandbox, tmp_path, NUMBER)
            client.live(DAYS)
            return client

        yield make


def report_of(client: Client, most: int = MOST_REQUESTS) -> BeliefReport:
    budget = CappedBudget(SharedBudget(clock=client.clock), most)
    with client.api(budget=budget, patience_seconds=0) as api:
        return check_beliefs(api, budget)


# --- the table -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BELIEFS)
def test_a_belief_says_where_it_is_used_and_how_it_is_seen(name: str) -> None:
    belief = BELIEFS[name]
    assert re.fullmatch(r"[a-z0-9_]+", name)
    assert belief.says.endswith(".")
    assert belief.otherwise.endswith(".")
    assert belief.source
    assert belief.used_in
    assert [path for path in belief.used_in if not (ROOT / path).is_file()] == []
    assert bool(belief.seen_by) != bool(belief.unseen), "seen somehow, or it says why not"


@pytest.mark.parametrize("name", SEEN)
def test_what_can_be_seen_can_be_turned_at_the_look_alike(name: str) -> None:
    assert (name in SWITCHES) != bool(BELIEFS[name].no_switch)


@pytest.mark.parametrize("name", sorted(SWITCHES - SETTINGS))
def test_every_open_question_has_another_answer(name: str) -> None:
    switches = Switches()
    switches.change({name: the_other_way(name)})
    assert getattr(switches, name) != getattr(Switches(), name)


def test_the_documentation_has_every_belief_as_the_table_says_it() -> None:
    expected = [
        f"| `{name}` | {belief.says} | {belief.otherwise} | {belief.unseen or 'yes'} |"
        for name, belief in BELIEFS.items()
    ]
    text = (ROOT / "docs/beliefs.md").read_text()
    assert re.findall(r"^\| `.*$", text, re.M) == expected
    assert f"at most {MOST_REQUESTS} pages" in text


def test_settings_are_no_questions() -> None:
    assert set() < SETTINGS < SWITCHES
    assert set(BELIEFS).isdisjoint(SETTINGS)


def test_the_states_that_are_looked_for_are_those_of_the_posting_rules() -> None:
    payments = (ROOT / "transforms/staging/payments.sql").read_text()
    known = set(re.findall(r"^    \('([A-Z_]+)', '[a-z]+'\)", payments, re.M))
    assert known == PAYMENT_STATES
    receipts = (ROOT / "transforms/staging/received_payments.sql").read_text()
    (booked,) = re.findall(r"d\.status, ''\) in \(([^)]*)\)", receipts)
    assert set(re.findall(r"[A-Z]+", booked)) == BOOKED_RECEIPT_STATES


# --- the report ------------------------------------------------------------------------------


def test_a_look_alike_as_believed_shows_every_belief(company: MakeCompany) -> None:
    report = report_of(company())
    assert report.named("seen") == SEEN, "choose a company whose books show them all"
    assert report.named("contradicted") == []
    assert all(report.findings[name].because for name in report.named("could not be seen"))


@pytest.mark.slow
@pytest.mark.rotating(days=8)
@pytest.mark.parametrize("name", TURNED)
def test_a_belief_that_is_turned_is_contradicted_and_no_other(
    company: MakeCompany, name: str
) -> None:
    report = report_of(company(**{name: the_other_way(name)}))
    assert report.named("contradicted") == ([name] if name in SEEN else [])


def test_three_beliefs_turned_are_exactly_the_three_contradicted(company: MakeCompany) -> None:
    turned = {"archived_in_lists", "tokens_read_credit_memos", "approvals_move_bill_times"}
    client = company(**{name: the_other_way(name) for name in turned})
    report = report_of(client)
    assert set(report.named("contradicted")) == turned
    assert f"{len(turned)} contradicted" in report.markdown()
    assert report.markdown().count("## Contradicted: ") == len(turned)


def test_it_reads_within_its_requests_and_writes_nothing(company: MakeCompany) -> None:
    client = company()
    before = {name: documents.version for name, documents in client.organization.lists.items()}
    client.sandbox.control.reset_statistics()
    report = report_of(client)
    statistics = client.sandbox.control.statistics()
    assert statistics["requests"] == report.requests <= MOST_REQUESTS
    assert sum(statistics["logins_per_hour"].values()) == 1
    v2 = {route for route in statistics["requests_per_route"] if route.startswith("v2/")}
    assert {route.split("/")[1] for route in v2} == {"List", "GetSessionInfo"}
    after = {name: documents.version for name, documents in client.organization.lists.items()}
    assert after == before


def test_at_its_last_request_it_says_what_it_could_not_ask(company: MakeCompany) -> None:
    client = company()
    client.sandbox.control.reset_statistics()
    report = report_of(client, most=12)
    assert client.sandbox.control.statistics()["requests"] == report.requests == 12
    assert report.named("contradicted") == []
    unasked = [f for f in report.findings.values() if "requests of a report are spent" in f.because]
    assert len(unasked) > 10


def test_trouble_at_bill_contradicts_nothing(company: MakeCompany) -> None:
    client = company()
    client.sandbox.control.faults(
        [
            {
                "kind": "error",
                "status": 500,
                "code": "BDC_1001",
                "match": "connect/v3/(bills|vendors)",
            }
        ]
    )
    report = report_of(client)
    assert report.named("contradicted") == []
    assert report.findings["archived_in_lists"].verdict == "could not be seen"
    assert report.requests <= MOST_REQUESTS


# --- the command -----------------------------------------------------------------------------


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    with SandboxServer(companies=1, documents=120, seed=SEED) as sandbox:
        yield Firm(sandbox, tmp_path / "home")


def with_canaries(firm: Firm) -> list[str]:
    """Put words and amounts into the books that nothing else holds; those, and all ids."""
    organization = firm.sandbox.state.organization(firm.client)
    canaries = ["Canary Birds", "Canary text", "C4N4RY", "7654321"]
    for name, documents in organization.lists.items():
        for document in list(documents):
            canaries.append(document["id"])
            more = document
            if name in ("vendors", "customers", "chart-of-accounts"):
                more = document | {"name": f"Canary Birds {document['id']}"}
            if name == "bills":
                invoice = document["invoice"] | {"invoiceNumber": "C4N4RY"}
                more = document | {"vendorName": "Canary Birds", "invoice": invoice}
                more = more | {"description": "Canary text", "amount": 7654321.09}
            documents.replace(more)
    return canaries


def secrets(firm: Firm) -> list[str]:
    company = firm.sandbox.companies[0]
    address = firm.sandbox.base_url.split("/")[2]
    words = [company.organization_id, company.token_name, company.token_password, company.client]
    return [*words, company.name, firm.sandbox.dev_key, address, *address.split(":")]


def test_the_report_holds_no_name_amount_or_id(firm: Firm, tmp_path: Path) -> None:
    canaries = [*with_canaries(firm), *secrets(firm)]
    assert firm.connect().exit_code == 0
    file = tmp_path / "report.md"
    shown = firm.run("check-beliefs", firm.client, "--output", str(file))
    assert shown.exit_code == 0, shown.output
    printed = firm.run("check-beliefs", firm.client).output
    as_json = firm.run("check-beliefs", firm.client, "--json").output
    for text in (file.read_text(), printed, as_json):
        assert "sessions_serve_both_planes" in text
        assert [canary for canary in canaries if canary in text] == []
    assert {one["belief"] for one in json.loads(as_json)["beliefs"]} == set(BELIEFS)


@pytest.mark.rotating(days=8)
@pytest.mark.slow
def test_it_leaves_the_client_and_its_books_as_they_are(firm: Firm) -> None:
    assert firm.connect().exit_code == 0
    assert firm.run("sync", firm.client).exit_code == 0
    firm.sandbox.control.change(firm.client, count=3)
    before = Registry(firm.home).status(firm.client), file_state(firm)
    firm.sandbox.control.reset_statistics()
    result = firm.run("check-beliefs", firm.client)
    assert result.exit_code == 0, result.output
    assert (Registry(firm.home).status(firm.client), file_state(firm)) == before
    assert firm.sandbox.control.statistics()["logins_per_hour"] == {}, "the session is used"
    assert "| tokens_log_in_at_v3 | could not be seen |" in result.output
    synced = firm.run("sync", firm.client)
    assert "nothing changed" not in synced.output, "what changed is still to be read"


def file_state(firm: Firm) -> dict[str, bytes]:
    folder = firm.home.dlt_folder(firm.client)
    files = [firm.home.client_file(firm.client), *folder.rglob("*.json")]
    return {str(path): path.read_bytes() for path in files}


def test_a_contradiction_is_said_with_what_follows_and_what_to_do(
    firm: Firm, tmp_path: Path
) -> None:
    firm.sandbox.control.switches(withdrawals_are_negative=False)
    assert firm.connect().exit_code == 0
    file = tmp_path / "report.md"
    shown = firm.run("check-beliefs", firm.client, "--output", str(file))
    assert shown.exit_code == 0
    assert "contradicts withdrawals_are_negative" in shown.output
    text = file.read_text()
    assert "## Contradicted: withdrawals_are_negative" in text
    assert BELIEFS["withdrawals_are_negative"].otherwise in text
    assert "report it with this file" in text


def test_a_client_that_cannot_be_reached_is_a_failure_and_stays_as_it_was(tmp_path: Path) -> None:
    with SandboxServer(companies=1, documents=60, seed=SEED) as sandbox:
        firm = Firm(sandbox, tmp_path / "home")
        assert firm.connect().exit_code == 0
        before = Registry(firm.home).status(firm.client)
        sandbox.control.revoke_token(firm.client)
        refused = firm.run("check-beliefs", firm.client)
        assert refused.exit_code == 1
        assert "BILL refused the token" in refused.output
    gone = firm.run("check-beliefs", firm.client)
    assert gone.exit_code == 1
    assert "cannot be reached" in gone.output
    assert Registry(firm.home).status(firm.client) == before
    assert firm.run("check-beliefs", "nobody").exit_code == 1


def test_its_help_says_how_much_it_asks(firm: Firm) -> None:
    assert f"at most {MOST_REQUESTS} requests" in firm.run("check-beliefs", "--help").output
