"""BILL's limits and what the sandbox saw of them: requests in flight, per hour, logins per hour.

Rejected requests count too, and are reported separately: a property test asserts that a client
was never rejected at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.clock import HOUR_MS, Clock, timestamp
from bill_pipeline.sandbox.switches import Switches


class Limits:
    """Counters and the three limits. Hours begin at the top of the sandbox clock's hour."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._in_flight: Counter[tuple[str, str]] = Counter()
        self.reset()

    def reset(self) -> None:
        """Forget the statistics and this hour's usage (not what is in flight)."""
        self._max_in_flight: Counter[str] = Counter()
        self._per_hour: Counter[tuple[str, int]] = Counter()
        self._logins_per_hour: Counter[tuple[str, int]] = Counter()
        self._per_organization: Counter[str] = Counter()
        self._per_route: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()

    def count_request(self, dev_key: str, route: str) -> None:
        """Count one request of a dev key; raises ``ApiError`` BDC_1144 over the hourly limit."""
        hour = self._clock.now_ms() // HOUR_MS
        self._per_hour[dev_key, hour] += 1
        self._per_route[route] += 1
        if self._per_hour[dev_key, hour] > self._switches.hourly_limit:
            self._rejected["BDC_1144"] += 1
            raise errors.hourly_limit(self._switches.limit_status, self._switches.hourly_limit)

    def count_login(self, dev_key: str) -> None:
        hour = self._clock.now_ms() // HOUR_MS
        self._logins_per_hour[dev_key, hour] += 1
        if self._logins_per_hour[dev_key, hour] > self._switches.login_limit:
            self._rejected["login"] += 1
            raise errors.hourly_limit(self._switches.limit_status, self._switches.login_limit)

    @contextmanager
    def in_flight(self, dev_key: str, organization_id: str) -> Iterator[bool]:
        """Hold a place among the requests in flight; gives whether there was one to hold."""
        key = (dev_key, organization_id)
        self._in_flight[key] += 1
        self._per_organization[organization_id] += 1
        busiest = max(self._max_in_flight[organization_id], self._in_flight[key])
        self._max_in_flight[organization_id] = busiest
        allowed = self._in_flight[key] <= self._switches.concurrency_limit
        if not allowed:
            self._rejected["BDC_1322"] += 1
        try:
            yield allowed
        finally:
            self._in_flight[key] -= 1

    def statistics(self) -> dict[str, Any]:
        """What ``GET /sandbox/statistics`` reports."""
        return {
            "requests": sum(self._per_route.values()),
            "requests_per_hour": _by_hour(self._per_hour),
            "logins_per_hour": _by_hour(self._logins_per_hour),
            "requests_per_organization": dict(self._per_organization),
            "requests_per_route": dict(self._per_route),
            "max_in_flight": dict(self._max_in_flight),
            "rejected": dict(self._rejected),
        }


def _by_hour(counts: Counter[tuple[str, int]]) -> dict[str, int]:
    by_hour: Counter[str] = Counter()
    for (_, hour), count in counts.items():
        by_hour[timestamp(hour * HOUR_MS)] += count
    return dict(by_hour)
