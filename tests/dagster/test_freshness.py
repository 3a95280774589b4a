"""Where BILL's requests are spent: each client's pattern, the hour's requests, the new day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from bill_pipeline.bill.lists import POLLED
from bill_pipeline.dagster import freshness
from bill_pipeline.dagster import poll_schedule as expectations
from bill_pipeline.dagster.idle_clients import lists_to_ask
from bill_pipeline.dagster.poll_schedule import PollSchedule, pace
from bill_pipeline.registry.change_rates import Activity
from bill_pipeline.registry.clients import ClientStatus, State

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)  # a Tuesday
REQUESTS = 20_000


def status(client: str = "acme", **changes: Any) -> ClientStatus:
    facts: dict[str, Any] = {
        "organization_id": "008",
        "environment": "sandbox",
        "state": State.UP_TO_DATE,
        "connected_at": NOW - timedelta(days=30),
        "last_attempt_at": NOW,
        "last_success_at": NOW,
        "last_whole_sync_at": NOW - timedelta(minutes=1),
    }
    return ClientStatus(client=client, **{**facts, **changes})


#: Clients that were asked for everything a moment ago, enough of them to have to count on patterns.
OTHERS = [status(f"other-{n}", activity=Activity(dict.fromkeys(POLLED, 1e-9)).as_dict(),
                 last_success_at=NOW + timedelta(days=1)) for n in range(60)]  # fmt: skip


def looks_of(status: ClientStatus, now: datetime = NOW) -> list[freshness.Poll]:
    polls = freshness.due_polls([status, *OTHERS], now, REQUESTS)
    return [poll for poll in polls if not poll.client.startswith("other-")]


def minutes_until(table: str, status: ClientStatus, *others: ClientStatus) -> int:
    """When the list is asked for next."""
    for minute in range(24 * 60):
        expected = PollSchedule.of([status, *others], NOW + timedelta(minutes=minute), REQUESTS)
        if table in expected.due(status.client):
            return minute
    raise AssertionError(f"{table} is never asked for")


def busy(bills_per_day: float) -> dict[str, Any]:
    """A pattern of that many bills and hardly anything else, at every hour alike."""
    return Activity({**dict.fromkeys(POLLED, 0.001), "bills": bills_per_day}).as_dict()


@pytest.mark.parametrize(
    ("bills_per_day", "minutes"),
    [
        (100_000, 2),  # never more often than every two minutes
        (24, 3),  # one an hour: a twentieth of a change is expected
        (6, 12),  # a quarter as many: a quarter as often
        (1.5, 27),  # something is expected: not less often than this
        (0.0001, 360),  # and never less often than every six hours
    ],
)
def test_a_list_is_asked_for_as_often_as_it_changes(bills_per_day: float, minutes: int) -> None:
    assert minutes_until("bills", status(activity=busy(bills_per_day)), *OTHERS) == minutes


@pytest.mark.parametrize(
    ("clients", "minutes"),
    [
        (1, 10),
        (10, 10),
        (30, 22),  # 240 lists for a twentieth of the questions
        (60, 360),  # too many to ask for all of them that often
    ],
)
def test_a_firm_of_a_few_clients_asks_for_lists_in_which_nothing_is_expected(
    clients: int, minutes: int
) -> None:
    firm = [status(f"client-{n}", activity=busy(0.0001)) for n in range(clients)]
    assert minutes_until("credit_memos", *firm) == minutes


def test_rare_lists_are_asked_for_less_often_than_busy_ones() -> None:
    client = status(activity=busy(24))
    assert minutes_until("credit_memos", client, *OTHERS) == 360
    (poll,) = looks_of(client, NOW + timedelta(minutes=15))
    assert poll.lists == ("bills",)


def test_office_hours_are_asked_for_more_than_nights_and_weekends() -> None:
    counts = {("bills", 14, False): 400}
    pattern = Activity.of_counts(counts)
    office, night = NOW.replace(hour=14), NOW.replace(hour=3)
    assert pattern.weight(office) > 5 * pattern.weight(night)
    assert pattern.weight(office + timedelta(days=4)) < pattern.weight(office) / 4  # a Saturday
    assert sum(pattern.hours) / 24 == pytest.approx(1.0)


def test_a_pattern_survives_its_storage_and_a_strange_one_becomes_the_expectation() -> None:
    pattern = Activity.of_counts({("bills", 9, False): 20, ("payments", 10, True): 3})
    again = Activity.stored(pattern.as_dict())
    assert again.per_day == pytest.approx(dict(pattern.per_day), abs=1e-4)
    assert again.hours == pytest.approx(pattern.hours, abs=1e-3)
    for strange in ({}, {"per_day": {}}, {"per_day": 3, "hours": [], "weekend": "x"}):
        assert Activity.stored(strange) == Activity()


def test_a_refused_or_paused_client_is_never_due() -> None:
    long_ago = NOW - timedelta(days=9)
    for state in (State.RECONNECT, State.PAUSED):
        assert (
            looks_of(status(state=state, last_attempt_at=long_ago, last_success_at=long_ago)) == []
        )


def test_a_failing_client_is_due_when_its_backoff_ends_and_not_before() -> None:
    failing = status(state=State.FAILING, failure_count=2, last_attempt_at=NOW - timedelta(days=1),
                     next_sync_at=NOW + timedelta(minutes=5))  # fmt: skip
    assert looks_of(failing) == []
    (poll,) = looks_of(failing, NOW + timedelta(minutes=5))
    assert poll.lists == ()  # all of it


def test_a_poke_comes_before_all_expectations_and_asks_for_every_list() -> None:
    late = status("late", last_success_at=NOW - timedelta(hours=5))
    poked = status("poked", last_attempt_at=NOW - timedelta(minutes=1),
                   next_sync_at=NOW - timedelta(seconds=10))  # fmt: skip
    polls = freshness.due_polls([late, poked], NOW, REQUESTS)
    assert [poll.client for poll in polls] == ["poked", "late"]
    assert polls[0].lists == POLLED
    assert looks_of(replace(poked, last_attempt_at=NOW), NOW) == []  # it has been answered
    (poll,) = looks_of(replace(poked, looked_at={"bills": ""}))
    assert poll.lists == ("bills",)  # a webhook said where


def test_each_client_is_synced_whole_once_a_day_at_a_time_of_its_own() -> None:
    begins = {freshness.begin_of_day(f"client-{n}", NOW) for n in range(200)}
    midnight = NOW.replace(hour=0)
    assert all(midnight <= begin < midnight + freshness.DAY_BEGINS_WITHIN for begin in begins)
    assert len(begins) == 200
    begin = freshness.begin_of_day("acme", NOW)
    yesterday = status(last_whole_sync_at=begin - timedelta(hours=1),
                       last_success_at=begin, last_attempt_at=begin)  # fmt: skip
    assert freshness.begin_of_day("acme", begin - timedelta(seconds=1)).day == midnight.day - 1
    (poll,) = looks_of(yesterday, begin + timedelta(seconds=1))
    assert poll.lists == ()
    today = replace(yesterday, last_whole_sync_at=begin)
    assert looks_of(today, begin + timedelta(seconds=1)) == []


@pytest.mark.slow
def test_a_busy_firm_asks_less_often_so_that_all_fits_the_hours_requests() -> None:
    firm = [status(f"client-{n}", activity=busy(1000)) for n in range(1000)]
    asked = 0
    for minute in range(60):
        now = NOW + timedelta(minutes=minute)
        expected = PollSchedule.of(firm, now, REQUESTS)
        for position, client in enumerate(firm):
            lists = expected.due(client.client)
            asked += len(lists)
            looked = {**client.looked_at, **dict.fromkeys(lists, now.isoformat())}
            firm[position] = replace(client, looked_at=looked)
    probes = REQUESTS * expectations.SHARE_FOR_CHANGE_CHECKS
    assert asked * expectations.REQUESTS_PER_LIST <= probes
    assert asked > 5_000  # and does not let the hour's requests lie
    few = [status(f"client-{n}", activity=busy(1000)) for n in range(10)]
    assert PollSchedule.of(few, NOW, REQUESTS).worth == expectations.WORTH_ASKING


def test_among_busy_clients_a_list_where_little_happens_is_still_asked_every_27_minutes() -> None:
    firm = [status(f"busy-{n}", activity=busy(1000)) for n in range(999)]
    quiet = status("quiet", activity=busy(4))  # a bill every six hours
    worth = PollSchedule.of([*firm, quiet], NOW, REQUESTS).worth
    by_its_changes_alone = 60 * worth / (4 / 24)
    assert by_its_changes_alone > 27
    assert minutes_until("bills", quiet, *firm) == 27
    rare = status("rare", activity=busy(0.05))  # nothing is expected in so short a time
    later = NOW + timedelta(minutes=30)
    assert "bills" not in PollSchedule.of([*firm, rare], later, REQUESTS).due("rare")


def test_the_liveliest_lists_are_kept_from_waiting_on_quiet_days_too() -> None:
    rates = np.linspace(1, 0.01, 8_000).reshape(1_000, 8)
    asks = 10_000
    longest = expectations.LONGEST_WAIT / timedelta(hours=1)
    for quiet in (1, 0.1):  # a weekend has a tenth of a weekday's changes
        kept = expectations.longest_waits(rates * quiet, asks) == longest
        assert kept.sum() / longest == pytest.approx(
            asks * expectations.SHARE_FOR_LONGEST_WAIT, rel=0.01
        )
        assert rates[kept].min() > rates[~kept].max()
    six_hours = expectations.LONGEST_INTERVAL / timedelta(hours=1)
    nothing_expected = expectations.longest_waits(rates * 0.001, asks)
    assert (nothing_expected == six_hours).all()
    assert (expectations.longest_waits(rates[:50], asks) == longest).all()
    alike = np.full((5_000, 8), 0.5)
    assert (expectations.longest_waits(alike, asks) == six_hours).all()


def test_what_the_hour_has_left_is_spent_evenly_until_its_end() -> None:
    half_past = NOW + timedelta(minutes=30)
    assert pace(REQUESTS, REQUESTS, NOW) == REQUESTS
    assert pace(4_000, REQUESTS, half_past) == 8_000
    assert pace(12_000, REQUESTS, half_past) == 24_000
    assert pace(18_000, REQUESTS, half_past) == 25_000  # at most a quarter faster
    assert pace(500, REQUESTS, NOW + timedelta(minutes=59)) == 10_000  # nor all in one sweep
    assert pace(0, REQUESTS, half_past) == 0
    firm = [status(f"client-{n}", activity=busy(1000)) for n in range(1000)]
    later = NOW + timedelta(minutes=6)
    asked = [len(freshness.due_polls(firm, later, allowed)) for allowed in (20_000, 5_000, 0)]
    assert asked == [1000, 0, 0]


def test_a_sweep_that_a_new_hour_overtakes_asks_what_is_nearly_due_not_everything() -> None:
    firm = [status(f"client-{n}", activity=busy(1000)) for n in range(1000)]
    later = NOW + timedelta(minutes=4)
    planned = PollSchedule.of(firm, later, REQUESTS * 1.25)
    assert list(planned.due("client-0")) == ["bills"]
    overtaken = PollSchedule.of(firm, later, REQUESTS)
    assert not overtaken.due("client-0")
    assert lists_to_ask(firm[0], later, overtaken) == ("bills",)


def test_a_sweep_takes_the_most_urgent_clients_that_the_hours_requests_pay_for() -> None:
    polls = [freshness.Poll("new", (), 9.0)]
    polls += [freshness.Poll(f"client-{n}", ("bills", "payments"), 1.0) for n in range(10)]
    assert freshness.affordable(polls, 20_000) == polls
    assert freshness.affordable(polls, 40) == polls[:3]
    assert freshness.affordable(polls, 26) == []


def test_a_client_named_by_a_person_is_asked_for_all_its_lists() -> None:
    expected = PollSchedule.of([status()], NOW, REQUESTS)
    assert lists_to_ask(status(), NOW, expected) == POLLED
    assert lists_to_ask(status(state=State.FAILING), NOW, expected) is None
    assert lists_to_ask(status(last_success_at=None), NOW, expected) is None
