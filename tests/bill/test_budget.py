"""The limits hold across threads and processes, and a dead process does not hold a place."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bill_pipeline.bill.budget import HOUR, IN_FLIGHT_PER_ORGANIZATION, LEASE_SECONDS, SharedBudget
from bill_pipeline.bill.errors import HourlyLimit
from bill_pipeline.bill.holders import is_dead, this_process
from tests.bill.fake_bill import FakeClock


def take(budget: SharedBudget, *, is_login: bool = False, patience: float = 0) -> None:
    with budget.place("key", "organization", is_login=is_login, patience_seconds=patience):
        pass


def test_the_hour_ends_after_its_requests_and_the_next_one_begins_fresh() -> None:
    clock = FakeClock(400_000 * HOUR + 100)
    budget = SharedBudget(clock=clock, requests_per_hour=5)
    for left in reversed(range(5)):
        take(budget)
        assert budget.left() == left
    with pytest.raises(HourlyLimit, match="5 requests"):
        take(budget)
    clock.now += HOUR
    assert budget.left() == 5
    take(budget)


def test_logins_have_a_limit_of_their_own() -> None:
    budget = SharedBudget(clock=FakeClock(), logins_per_hour=2)
    take(budget, is_login=True)
    take(budget, is_login=True)
    with pytest.raises(HourlyLimit, match="2 logins"):
        take(budget, is_login=True)
    take(budget)


def test_a_patient_request_waits_for_the_next_hour() -> None:
    clock = FakeClock(400_000 * HOUR + 3000)
    budget = SharedBudget(clock=clock, requests_per_hour=1)
    take(budget)
    take(budget, patience=HOUR)
    assert 400_001 * HOUR <= clock.now <= 400_001 * HOUR + 5


def test_two_openings_of_one_file_share_the_count(tmp_path: Path) -> None:
    clock = FakeClock()
    first = SharedBudget(tmp_path / "budget.sqlite", clock=clock, requests_per_hour=3)
    second = SharedBudget(tmp_path / "budget.sqlite", clock=clock, requests_per_hour=3)
    take(first)
    take(second)
    take(first)
    with pytest.raises(HourlyLimit):
        take(second)


def test_never_more_than_three_requests_in_flight_over_many_threads(tmp_path: Path) -> None:
    budgets = [SharedBudget(tmp_path / "budget.sqlite") for _ in range(4)]  # as four processes
    lock, running, most = threading.Lock(), 0, 0

    def work(budget: SharedBudget) -> None:
        nonlocal running, most
        for _ in range(10):
            with budget.place("key", "org", is_login=False, patience_seconds=0):
                with lock:
                    running += 1
                    most = max(most, running)
                with lock:
                    running -= 1

    threads = [threading.Thread(target=work, args=(budget,)) for budget in budgets * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= IN_FLIGHT_PER_ORGANIZATION


def test_a_process_that_dies_with_a_request_in_flight_does_not_block_for_good(
    tmp_path: Path,
) -> None:
    path = tmp_path / "budget.sqlite"
    die = f"""
import os
from pathlib import Path
from bill_pipeline.bill.budget import SharedBudget
budgets = [SharedBudget(Path({str(path)!r})) for _ in range(3)]
places = [
    budget.place("key", "organization", is_login=False, patience_seconds=0) for budget in budgets
]
for place in places:
    place.__enter__()
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", die], check=False).returncode == 9
    with sqlite3.connect(path) as database:
        leases = database.execute("select * from requests_in_flight").fetchall()
    assert len(leases) == 3
    ends_at = max(lease[-1] for lease in leases)
    clock = FakeClock(ends_at - 1)
    take(SharedBudget(path, clock=clock))
    assert clock.slept == []  # its places are taken over at once
    # Of a process on another machine, or in another container, nobody can tell; nor, where its
    # number was given to another process, would the number alone.
    with sqlite3.connect(path) as database:
        elsewhere = [("elsewhere/" + lease.partition("/")[2], *rest) for lease, *rest in leases]
        database.executemany(
            "insert or replace into requests_in_flight values (?, ?, ?, ?)", leases
        )
        database.executemany("insert into requests_in_flight values (?, ?, ?, ?)", elsewhere)
    take(SharedBudget(path, clock=clock))
    assert ends_at < clock.now <= ends_at + LEASE_SECONDS


def test_the_place_of_a_process_that_lives_is_not_taken_over(tmp_path: Path) -> None:
    clock = FakeClock()
    budget, other = (SharedBudget(tmp_path / "budget.sqlite", clock=clock) for _ in range(2))
    with contextlib.ExitStack() as places:
        for _ in range(IN_FLIGHT_PER_ORGANIZATION):
            place = budget.place("key", "organization", is_login=False, patience_seconds=0)
            places.enter_context(place)
        clock.now += LEASE_SECONDS - 1
        take(other)
        assert clock.slept


def test_a_holder_is_dead_when_its_number_is_free_or_somebody_elses() -> None:
    machine, _, started = this_process().split("/")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        name = f"{machine}/{child.pid}/{int(started) + 10**9}"
        assert is_dead(name)  # the number is another's now
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # killed, and not asked after
        assert is_dead(name)
    assert is_dead(name)
    assert not is_dead(this_process())
    for unknown in ("", "4711-00ff", "elsewhere/1/1", f"{machine}/x/1", f"{machine}//", "//"):
        assert not is_dead(unknown)


def test_places_taken_while_the_clock_ran_ahead_block_nobody(tmp_path: Path) -> None:
    path = tmp_path / "budget.sqlite"
    clock = FakeClock()
    clock.now += HOUR
    budgets = [SharedBudget(path, clock=clock) for _ in range(IN_FLIGHT_PER_ORGANIZATION)]
    places = [
        each.place("key", "organization", is_login=False, patience_seconds=0) for each in budgets
    ]
    for place in places:
        place.__enter__()
    clock.now -= HOUR
    before = clock.now
    take(SharedBudget(path, clock=clock))
    assert clock.now <= before + LEASE_SECONDS


def test_the_developer_key_itself_is_not_in_the_file(tmp_path: Path) -> None:
    from tests.bill.fake_bill import DEV_KEY, FakeBill, fake_api, page

    path = tmp_path / "budget.sqlite"
    with fake_api(FakeBill(page()), budget=SharedBudget(path)) as api:
        api.get("/v3/bills", subject="bills")
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert DEV_KEY.encode() not in written
