"""When and in which lists a client's documents change, as its own archive tells.

An accountant's office has hours, payment runs have days, and vendor records hardly ever change.
``Activity`` is that pattern in a few numbers, small enough for the registry; by it a firm of a
thousand clients spends BILL's requests (``dagster.freshness``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bill_pipeline.bill.lists import POLLED

if TYPE_CHECKING:
    import duckdb

#: How far back the pattern is taken from; four whole weeks, so that each weekday counts alike.
DAYS = 28
#: Of a client whose pattern is unknown yet: one change a day, most of them bills and payments.
_EXPECTED_PER_DAY = {
    "bills": 0.45, "payments": 0.25, "invoices": 0.08, "received_payments": 0.06, "vendors": 0.08,
    "vendor_credits": 0.03, "customers": 0.03, "credit_memos": 0.02,
}  # fmt: skip
#: The usual pattern weighs as much as this many days of the client's own.
_DAYS_OF_DOUBT = 4.0
#: Of every hour: changes that nothing in the last four weeks announced.
_UNANNOUNCED = 0.1
_WEEKEND_EXPECTED = 0.3


@dataclass(frozen=True)
class Activity:
    """``per_day``: changes a weekday by list; ``hours``: 24 weights of the UTC hours, mean 1;
    ``weekend``: a weekend day's changes as a share of a weekday's."""

    per_day: Mapping[str, float] = field(default_factory=lambda: dict(_EXPECTED_PER_DAY))
    hours: tuple[float, ...] = (1.0,) * 24
    weekend: float = _WEEKEND_EXPECTED

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> Activity:
        """What ``as_dict`` gave; the usual pattern where nothing, or something older, is stored."""
        try:
            per_day = {table: float(values["per_day"][table]) for table in POLLED}
            hours = tuple(float(weight) for weight in values["hours"])
            return cls(per_day, hours, float(values["weekend"])) if len(hours) == 24 else cls()
        except (KeyError, TypeError, ValueError):
            return cls()

    def as_dict(self) -> dict[str, Any]:
        return {
            "per_day": {table: round(rate, 4) for table, rate in self.per_day.items()},
            "hours": [round(weight, 3) for weight in self.hours],
            "weekend": round(self.weekend, 3),
        }

    @classmethod
    def of_counts(cls, counts: Mapping[tuple[str, int, bool], int]) -> Activity:
        """From the last ``DAYS`` days' changes by (list, UTC hour, is it a weekend)."""
        weekdays, weekend_days = DAYS * 5 / 7, DAYS * 2 / 7
        per_list = dict.fromkeys(POLLED, 0.0)
        per_hour = [0.0] * 24
        at_weekends = 0.0
        for (table, hour, is_weekend), count in counts.items():
            if is_weekend:
                at_weekends += count
            elif table in per_list:
                per_list[table] += count
                per_hour[hour] += count
        total = sum(per_list.values())
        per_day = {
            table: (count + _EXPECTED_PER_DAY[table] * _DAYS_OF_DOUBT) / (weekdays + _DAYS_OF_DOUBT)
            for table, count in per_list.items()
        }
        weekend = (at_weekends + _WEEKEND_EXPECTED * _DAYS_OF_DOUBT) / (
            weekend_days * max(total / weekdays, 1.0) + _DAYS_OF_DOUBT
        )
        return cls(per_day, _weights(per_hour), min(weekend, 1.0))

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """Changes a weekday in the order of ``POLLED``, the 24 hours' weights, the weekend."""
        return (*(self.per_day[table] for table in POLLED), *self.hours, self.weekend)

    def weight(self, moment: datetime) -> float:
        """How many times as much happens in the hour of ``moment`` as in a weekday's mean hour."""
        return self.hours[moment.hour] * (self.weekend if moment.weekday() >= 5 else 1.0)


def _weights(per_hour: list[float]) -> tuple[float, ...]:
    """Counts by hour as weights around 1; each hour also stands a little for its neighbours."""
    smooth = [
        per_hour[hour - 1] / 4 + per_hour[hour] / 2 + per_hour[(hour + 1) % 24] / 4
        for hour in range(24)
    ]
    mean = sum(smooth) / 24
    # A few changes say little about the hours of the day.
    trust = mean / (mean + 0.5)
    weights = [(1 - trust) + trust * count / mean if mean else 1.0 for count in smooth]
    return tuple(_UNANNOUNCED + (1 - _UNANNOUNCED) * weight for weight in weights)


def activity_of(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Activity:
    """The pattern of the last four weeks before ``as_of`` (UTC), from the archive's own times."""
    rows = connection.execute(
        """
        select list, hour(updated_at), isodow(updated_at) > 5, count(*)
        from raw.document_versions
        where
            list in (select unnest($lists::varchar[]))
            and updated_at > $as_of - to_days($days)
            and updated_at <= $as_of
        group by all
        """,
        {"lists": list(POLLED), "as_of": as_of.replace(tzinfo=None), "days": DAYS},
    ).fetchall()
    return Activity.of_counts({(name, hour, weekend): n for name, hour, weekend, n in rows})
