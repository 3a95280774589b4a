"""Property: whatever the company lives through and whatever goes wrong, the end is exact.

Random lives, random open questions of the API and random fault scripts; after the last, untroubled
sync the raw tables equal the sandbox's books, and no limit of BILL was ever exceeded.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from bill_pipeline.bill.errors import BillError
from tests.imports.conftest import MakeClient

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
    {"kind": "missing_field", "match": "connect/v3/bills$", "field": "vendorId"},
    {"kind": "type_drift", "match": "connect/v3/payments$", "field": "amount"},
)


def random_switches(chance: random.Random) -> dict[str, Any]:
    lists = ["vendors", "bills", "payments", "vendor-credits", "items"]
    return {
        "archived_in_lists": chance.random() < 0.5,
        "payments_move_document_times": chance.random() < 0.5,
        "limit_status": chance.choice([403, 422, 429, 503]),
        "login_error_status": chance.choice([400, 401]),
        "last_next_page": chance.choice(["omit", "empty", "null"]),
        "error_params": chance.choice(["array", "object"]),
        "invalid_page": chance.choice(["number", "first", "error"]),
        "documented_filters_only": chance.random() < 0.3,
        "no_updated_time_lists": chance.sample(lists, chance.randint(0, 2)),
    }


def random_faults(chance: random.Random) -> list[dict[str, Any]]:
    chosen = chance.sample(FAULTS, chance.randint(0, 4))
    return [{"match": LISTS, **fault, "rate": chance.choice([0.03, 0.1])} for fault in chosen]


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
        try:
            client.sync(documents_per_chunk=chance.choice([100, 500, 20_000]))
        except BillError as error:
            print(f"seed {seed}, step {step}: {error}")
        client.live(chance.choice([0.1, 3, 30]))
    client.sandbox.control.faults([])
    client.sync()
    assert client.differences() == {}, f"seed {seed}"
    assert client.query("select count(*) from raw.quarantine where healed_at is null") == [(0,)]
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
