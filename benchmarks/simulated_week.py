"""A simulated week of 1,000 clients: how long from a change in BILL to the published ledger?

    python benchmarks/simulated_week.py --clients 1000 --seed 1

A simulation with a clock of its own, not a run: who is due, how intervals stretch and which lists a
probe asks are decided by the code that decides it in service (``freshness``, ``idle_clients``); how
long a probe, a sync and a run's start take are the figures given as options, measured by
``fleet_sweep.py``. Activity is invented: the clients' changes a day are spread log-normally around
``--changes``, in business hours of four American time zones, a tenth of them at weekends, and come
in bursts, as when somebody works through a pile of bills. What a sync of some lists asks for was
counted on the look-alike, list by list. Requests are counted by the clock hour; as in service, a
sweep is planned within what the hour has left, and one that meets the end of it waits for the next.
"""

from __future__ import annotations

import argparse
import heapq
import random
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bill_pipeline.bill.lists import POLLED
from bill_pipeline.dagster.freshness import Poll, affordable, due_polls
from bill_pipeline.dagster.poll_schedule import pace
from bill_pipeline.dagster.sensors import CLIENTS_PER_SWEEP
from bill_pipeline.registry.change_rates import DAYS, Activity
from bill_pipeline.registry.clients import ClientStatus, State

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
TICK_SECONDS = 30
CLIENTS_PER_PUBLICATION = 20
#: BILL ends a session that was not used for so long; the next question begins with a log-in.
SESSION_LASTS = timedelta(minutes=35)
REQUESTS_PER_HOUR = 20_000
#: Of a sync of some lists, measured on a new and an edited document of each (the look-alike): the
#: bank's movements, and by list its own question, v2's halves and the documents it touches.
REQUESTS_PER_NEWS = 1
REQUESTS_FOR_NEWS = {"bills": 3, "payments": 2, "vendors": 2, "invoices": 1,
                     "received_payments": 2, "customers": 3, "vendor_credits": 3,
                     "credit_memos": 2}  # fmt: skip
#: Lists whose changes BILL's webhooks announce.
ANNOUNCED = ("bills", "payments", "vendors", "invoices")
#: Which list a change shows in, and how often (invented, after the sandbox's companies).
SHOWS_IN = {"bills": 45, "payments": 30, "vendors": 6, "invoices": 8, "received_payments": 6,
            "customers": 2, "vendor_credits": 2, "credit_memos": 1}  # fmt: skip
#: Share of an hour's changes, from 6 to 20 o'clock local time.
HOURS = (1, 3, 7, 10, 11, 10, 8, 9, 11, 10, 8, 6, 3, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--changes", type=float, default=6, help="median bursts a client and day")
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--probe-seconds", type=float, default=0.01, help="of one list")
    parser.add_argument("--sync-seconds", type=float, default=1.25, help="wall clock, all workers")
    parser.add_argument("--start-seconds", type=float, default=10, help="of a run's process")
    parser.add_argument("--requests-per-list", type=float, default=1.0)
    parser.add_argument("--requests-per-sync", type=float, default=27, help="of all lists")
    parser.add_argument("--webhooks", type=float, default=0, help="share of clients with webhooks")
    options = parser.parse_args()
    firm = Firm(options)
    firm.live()
    firm.report()


class Life:
    """The habits of one invented company: how much happens, where, and when."""

    def __init__(self, chance: random.Random, changes: float) -> None:
        self.chance = chance
        self.zone = chance.choice((5, 6, 7, 8))
        self.a_day = changes * chance.lognormvariate(0, 1.2)

    def changes(self, begin: datetime, days: int) -> Iterator[tuple[datetime, str]]:
        """(when, list) of every change in ``days`` days from ``begin``."""
        for day in range(days):
            is_weekend = (begin + timedelta(days=day)).weekday() >= 5
            bursts = self.a_day * (0.1 if is_weekend else 1)
            count = int(bursts) + (self.chance.random() < bursts % 1)
            for _ in range(count):
                hour = self.chance.choices(range(6, 20), HOURS)[0] + self.zone
                at = timedelta(days=day, hours=hour, seconds=self.chance.uniform(0, 3600))
                for _ in range(self.chance.choice((1, 1, 2, 4))):
                    at += timedelta(seconds=self.chance.expovariate(1 / 90))
                    table = self.chance.choices(list(SHOWS_IN), list(SHOWS_IN.values()))[0]
                    yield begin + at, table


class Firm:
    """The firm's clients, what waits in BILL, and the clock."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.chance = random.Random(options.seed)  # noqa: S311 - a simulation
        names = [f"client-{number:04}" for number in range(options.clients)]
        self.lives = {name: Life(self.chance, options.changes) for name in names}
        self.statuses = {name: self._status(name) for name in names}
        self.poked = {name for name in names if self.chance.random() < options.webhooks}
        self.changes = [
            (at, name, table)
            for name in names
            for at, table in self.lives[name].changes(MONDAY, options.days)
        ]
        heapq.heapify(self.changes)
        self.waiting: dict[str, list[tuple[datetime, str]]] = {name: [] for name in names}
        self.delays: list[float] = []  # seconds from a change to its publication
        self.unseen: list[float] = []  # of these, until the sweep began that found it
        self.requests: Counter[datetime] = Counter()
        self.sweeps: list[float] = []
        self.waits = 0  # for the next hour, because this one's requests were spent

    def _status(self, name: str) -> ClientStatus:
        """Up to date since a while, and known from the four weeks before."""
        counts: Counter[tuple[str, int, bool]] = Counter(
            (table, at.hour, at.weekday() >= 5)
            for at, table in self.lives[name].changes(MONDAY - timedelta(days=DAYS), DAYS)
            if table in POLLED
        )
        ago = timedelta(seconds=self.chance.uniform(0, 6 * 3600))
        return ClientStatus(
            client=name, organization_id="", environment="", state=State.UP_TO_DATE,
            connected_at=MONDAY - timedelta(days=90), last_attempt_at=MONDAY - ago,
            last_success_at=MONDAY - ago, last_change_at=MONDAY - 10 * ago,
            last_whole_sync_at=MONDAY - timedelta(hours=20),
            activity=Activity.of_counts(counts).as_dict(),
        )  # fmt: skip

    def live(self) -> None:
        now, ends = MONDAY, MONDAY + timedelta(days=self.options.days)
        while now < ends:
            left = int(REQUESTS_PER_HOUR - self.requests[_hour(now)])
            allowed = pace(left, REQUESTS_PER_HOUR, now)
            due = due_polls(self.statuses.values(), now, allowed)[:CLIENTS_PER_SWEEP]
            polls = affordable(due, left)
            if polls:
                end = self._sweep(now, polls)
                self.sweeps.append((end - now).total_seconds())
                # A sweep still running lets the sensor's ticks pass.
                now = end
            now += timedelta(seconds=TICK_SECONDS - now.timestamp() % TICK_SECONDS)
            self._happen(now)

    def _sweep(self, now: datetime, due: list[Poll]) -> datetime:
        """Look at ``due`` and publish what has news; returns when all is done."""
        asked = sum(len(poll.lists) for poll in due)
        end = now + timedelta(
            seconds=self.options.start_seconds + asked * self.options.probe_seconds
        )
        self._happen(now + (end - now) / 2)
        news: list[tuple[str, tuple[str, ...]]] = []
        for poll in due:
            waiting = {table for _, table in self.waiting[poll.client]}
            found = tuple(table for table in poll.lists if table in waiting)
            end = self._spend(end, self._requests_to_ask(poll, now))
            if found or not poll.lists:
                news.append((poll.client, found))
            self._looked(poll.client, poll.lists or POLLED, now, whole=not poll.lists)
        for at in range(0, len(news), CLIENTS_PER_PUBLICATION):
            batch = news[at : at + CLIENTS_PER_PUBLICATION]
            self._happen(end)
            read_at = end
            for _, lists in batch:
                end = self._spend(end, self._requests_for(lists))
            end += timedelta(seconds=len(batch) * self.options.sync_seconds)
            self._publish(batch, now, read_at, end)
        return end

    def _requests_to_ask(self, poll: Poll, now: datetime) -> float:
        last = self.statuses[poll.client].last_attempt_at
        logs_in = last is None or now - last > SESSION_LASTS
        return len(poll.lists) * float(self.options.requests_per_list) + logs_in

    def _requests_for(self, lists: tuple[str, ...]) -> float:
        if not lists:
            return float(self.options.requests_per_sync)
        return REQUESTS_PER_NEWS + sum(REQUESTS_FOR_NEWS[table] for table in lists)

    def _looked(self, client: str, lists: tuple[str, ...], now: datetime, *, whole: bool) -> None:
        status = self.statuses[client]
        self.statuses[client] = replace(
            status, last_attempt_at=now, last_success_at=now,
            last_whole_sync_at=now if whole else status.last_whole_sync_at,
            looked_at={**status.looked_at, **dict.fromkeys(lists, now.isoformat())},
        )  # fmt: skip

    def _publish(
        self, batch: list[tuple[str, tuple[str, ...]]], now: datetime, read_at: datetime,
        at: datetime,
    ) -> None:  # fmt: skip
        for client, lists in batch:
            seen = [
                (changed, table)
                for changed, table in self.waiting[client]
                if changed <= read_at and (not lists or table in lists)
            ]
            self.delays += [(at - changed).total_seconds() for changed, _ in seen]
            self.unseen += [max((now - changed).total_seconds(), 0.0) for changed, _ in seen]
            self.waiting[client] = [each for each in self.waiting[client] if each not in seen]
            if seen:
                self.statuses[client] = replace(self.statuses[client], last_change_at=now)

    def _happen(self, until: datetime) -> None:
        while self.changes and self.changes[0][0] <= until:
            at, client, name = heapq.heappop(self.changes)
            self.waiting[client].append((at, name))
            if client in self.poked and name in ANNOUNCED:
                status = self.statuses[client]
                looked = {**status.looked_at, name: ""}
                self.statuses[client] = replace(status, next_sync_at=at, looked_at=looked)

    def _spend(self, now: datetime, requests: float) -> datetime:
        """Count ``requests``; returns ``now``, or the next hour's begin when this one is spent."""
        while self.requests[_hour(now)] + requests > REQUESTS_PER_HOUR:
            now = _hour(now) + timedelta(hours=1)
            self.waits += 1
        self.requests[_hour(now)] += requests  # type: ignore[assignment]
        return now

    def report(self) -> None:
        minutes = sorted(delay / 60 for delay in self.delays)
        cuts = statistics.quantiles(minutes, n=100)
        late = sum(len(waiting) for waiting in self.waiting.values())
        print(f"{len(minutes):,} changes published, {late:,} waiting at the end")
        shown = [f"{cut:.1f}" for cut in (cuts[49], cuts[94], cuts[98], minutes[-1])]
        print("minutes from change to published: median {}, 95th percentile {}, 99th {}, "
              "longest {}".format(*shown))  # fmt: skip
        swept = [delay - unseen for delay, unseen in zip(self.delays, self.unseen, strict=True)]
        for what, seconds in (("until a sweep asks", self.unseen), ("in the sweep", swept)):
            parts = statistics.quantiles(seconds, n=20)
            print(f"  minutes {what}: median {parts[9] / 60:.1f}, "
                  f"95th percentile {parts[18] / 60:.1f}")  # fmt: skip
        print(f"requests an hour: mean {statistics.mean(self.requests.values()):,.0f}, "
              f"most {max(self.requests.values()):,.0f}; {self.waits} sweeps waited for the next "
              "hour")  # fmt: skip
        print(f"{len(self.sweeps):,} sweeps, median {statistics.median(self.sweeps):.0f} s, "
              f"longest {max(self.sweeps):.0f} s")  # fmt: skip


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


if __name__ == "__main__":
    main()
