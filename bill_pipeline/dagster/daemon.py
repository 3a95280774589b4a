"""Dagster's daemon, without the ticks that it noted while this machine's clock was ahead.

A sensor does not tick before its last tick, nor a schedule: after a clock that was ahead by a month
none would, for a month, and nothing would say so.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import Any

import dagster as dg
import sqlalchemy

from bill_pipeline.bill.clock import CLOCKS_DIFFER


def forget_future_ticks(instance: dg.DagsterInstance) -> int:
    """Delete ticks that are yet to come; returns of how many sensors and schedules."""
    now = datetime.now(UTC)
    latest = now + CLOCKS_DIFFER
    storage: Any = instance.schedule_storage
    with storage.connect() as db:
        db.execute(
            sqlalchemy.text("delete from job_ticks where timestamp > :latest"),
            {"latest": latest.replace(tzinfo=None)},
        )
    changed = 0
    for state in instance.all_instigator_state():
        data: Any = state.instigator_data
        late = {
            # A schedule that runs has begun; without its beginning it would make up for all of it.
            name: now.timestamp() if name == "start_timestamp" else None
            for name in getattr(data, "_fields", ())
            if name.endswith("_timestamp") and (getattr(data, name) or 0) > latest.timestamp()
        }
        if late:
            instance.update_instigator_state(state.with_data(data._replace(**late)))
            changed += 1
    return changed


if __name__ == "__main__":
    with dg.DagsterInstance.get() as of_this_home:
        forget_future_ticks(of_this_home)
    (command,) = entry_points(group="console_scripts", name="dagster-daemon")
    command.load()()
