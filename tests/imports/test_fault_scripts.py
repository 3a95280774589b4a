"""Property: whatever the company lives through and whatever goes wrong, the end is exact.

Random lives, random open questions of the API, random fault scripts and imports that die at any
page; after the last, untroubled sync the raw tables equal the sandbox's books, every version is
archived once, and no limit of BILL was ever exceeded.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from bill_pipeline.bill.errors import BillError
from bill_pipeline.ingest.progress import Progress
from bill_pipeline.sandbox.faults import KINDS
from tests.imports.conftest import MakeClient

pytestmark = pytest.mark.rotating(days=8)

LISTS = "connect/v3/(?!login)"
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "error", "status": 500, "code": "BDC_1001"},
    {"kind": "error", "status": 429, "code": "BDC_1322"},
    {"kind": "html", "status": 502},
    {"kind": "gateway_json", "status": 503},
    {"kind": "truncated"},
    {"kind": "reset"},
    {"kind": "session_loss"},
    {"kind": "duplicate_rows"},
    {"kind": "moved_rows"},
    {"kind": "missing_next_page"},
    {"kind": "invalid_json"},
    {"kind": "filter_refused"},
    {"kind": "clock_skew", "seconds": 120},
    {"kind": "clock_skew", "seconds": -120},
    {"kind": "latency", "seconds": 0.05},
    {"kind": "drip", "seconds": 0.1},
    {"kind": "forbidden"},
    {"kind": "error", "status": 401, "code": "BDC_1109"},
    {"kind": "missing_field", "match": "connect/v3/vendors$", "field": "name"},
    {"kind": "type_drift", "match": "connect/v3/invoices$", "field": "dueAmount"},
    {"kind": "missing_field", "match": "connect/v3/bills$", "field": "vendorId"},
    {"kind": "type_drift", "match": "connect/v3/payments$", "field": "amount"},
    {"kind": "odd_number", "match": "connect/v3/bills$", "value": "NaN"},
    {"kind": "odd_number", "match": "connect/v3/payments$", "value": "Infinity"},
    {"kind": "backward_rows"},
)
#: What can be read and is false: nothing tells, until BILL is read whole once more.
FALSE: tuple[dict[str, Any], ...] = (
    {"kind": "missing_row", "match": "connect/v3/vendors$"},
    {"kind": "missing_news", "match": "connect/v3/vendors$"},
    {"kind": "lagging_list", "match": "connect/v3/customers$", "seconds": 864_000},
    {"kind": "half_surrogate", "match": "connect/v3/invoices$"},
    {"kind": "odd_number", "match": "v3/receivable-payments$", "field": "amount", "value": "text"},
    {"kind": "nul", "match": "connect/v3/bills$"},
    {"kind": "control_characters", "match": "connect/v3/customers$", "field": "name"},
    {"kind": "odd_date", "match": "connect/v3/bills$"},
    {"kind": "odd_date", "match": "connect/v3/payments$", "field": "processDate"},
    {"kind": "shifted_time", "match": "connect/v3/bills$", "seconds": -86_400},
)


#: Neighbouring versions of a document with the same content, or a number taken twice.
TWICE = """
    select list, id, version
    from raw.document_versions
    qualify
        content_hash = lag(content_hash) over (partition by list, id order by version)
        or count(*) over (partition by list, id, version) > 1
"""


def random_switches(chance: random.Random) -> dict[str, Any]:
    lists = ["vendors", "bills", "payments", "vendor-credits", "items"]
    return {
        "archived_in_lists": chance.random() < 0.5,
        "payments_leave_document_times": chance.random() < 0.5,
        "limit_status": chance.choice([403, 422, 429, 503]),
        "login_error_status": chance.choice([400, 401]),
        "last_next_page": chance.choice(["omit", "empty", "null"]),
        "error_params": chance.choice(["array", "object"]),
        "invalid_page": chance.choice(["number", "first", "error"]),
        "undocumented_lists_filter_by_time": chance.random() < 0.7,
        "no_updated_time_lists": chance.sample(lists, chance.randint(0, 2)),
    }


def random_faults(chance: random.Random) -> list[dict[str, Any]]:
    chosen = chance.sample(FAULTS, chance.randint(0, 5))
    return [{"match": LISTS, **fault, "rate": chance.choice([0.03, 0.1])} for fault in chosen]


def test_every_kind_of_trouble_is_in_the_scripts() -> None:
    assert {fault["kind"] for fault in (*FAULTS, *FALSE)} == set(KINDS)


@pytest.mark.slow
def test_what_bill_said_falsely_is_right_when_it_was_read_whole(make_client: MakeClient) -> None:
    client = make_client(documents=600)
    # One request each, so that no rule takes those of the next one.
    client.sandbox.control.faults([{**fault, "times": 1} for fault in FALSE], seed=3)
    client.sync()
    client.sync()  # with filters
    hits = [fault["hits"] for fault in client.sandbox.control.active_faults()]
    assert all(hits), "some trouble never struck"
    client.sandbox.control.faults([])
    client.live(5)
    client.sync(full=True)
    assert client.differences() == {}
    assert client.query("select count(*) from raw.quarantine where healed_at is null") == [(0,)]


class Killed(BaseException):
    """The process ends here: nothing may catch it and tidy up."""


def dies_at(page: int) -> Callable[[Progress], None]:
    """A watcher that ends the import at its ``page``-th page."""
    pages = itertools.count(1)

    def watch(step: Progress) -> None:
        if next(pages) >= page:
            raise Killed

    return watch


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_after_the_last_sync_raw_equals_the_books_and_no_limit_was_exceeded(
    make_client: MakeClient, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - trouble, not secrets
    client = make_client(documents=1500, seed=seed, number=seed % 2, **random_switches(chance))
    for step in range(3):
        faults = random_faults(chance)
        client.sandbox.control.faults(faults, seed=seed * 100 + step)
        dies = dies_at(chance.randint(1, 40)) if chance.random() < 0.5 else None
        try:
            client.sync(documents_per_chunk=chance.choice([100, 500, 20_000]), progress=dies)
        except (BillError, Killed) as error:
            print(f"seed {seed}, step {step}: {error!r}")
        client.live(chance.choice([0.1, 3, 30]))
    client.sandbox.control.faults([])
    client.sync()
    assert client.differences() == {}, f"seed {seed}"
    assert client.query("select count(*) from raw.quarantine where healed_at is null") == [(0,)]
    assert client.query(TWICE) == [], f"seed {seed}: a version was archived twice"
    statistics = client.sandbox.control.statistics()
    assert max(statistics["max_in_flight"].values()) <= 3
    assert statistics["rejected"] == {}


def test_an_import_larger_than_the_hour_waits_for_the_next_hours(
    make_client: MakeClient,
) -> None:
    client = make_client(documents=800, hourly_limit=40)
    client.sync(with_v2=False)
    assert client.differences() == {}
    per_hour = client.sandbox.control.statistics()["requests_per_hour"]
    assert len(per_hour) >= 2
    assert max(client.clock.slept) > 60
