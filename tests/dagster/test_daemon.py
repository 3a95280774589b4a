"""Sensors and schedules tick again after the machine's clock was ahead for a while."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickData,
    TickStatus,
)

from bill_pipeline.dagster.daemon import forget_future_ticks
from bill_pipeline.runtime.clock_watch import ClockWatch

MONTH = 30 * 86_400


def origin(name: str) -> RemoteInstigatorOrigin:
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("bill-pipeline"), "books")
    return RemoteInstigatorOrigin(repository, name)


def noted_at(moment: float, instance: dg.DagsterInstance) -> None:
    """A sensor and a schedule that ticked last at ``moment``."""
    sensor = SensorInstigatorData(
        last_tick_timestamp=moment, last_tick_start_timestamp=moment, min_interval=30, cursor="7"
    )
    schedule = ScheduleInstigatorData("0 3 * * *", moment, moment)
    for name, kind, data in (
        ("sweep", InstigatorType.SENSOR, sensor),
        ("nightly", InstigatorType.SCHEDULE, schedule),
    ):
        state = InstigatorState(origin(name), kind, InstigatorStatus.RUNNING, data)
        instance.add_instigator_state(state)
        instance.create_tick(
            TickData(
                instigator_origin_id=state.instigator_origin_id,
                instigator_name=name,
                instigator_type=kind,
                status=TickStatus.SKIPPED,
                timestamp=moment,
                selector_id=state.selector_id,
            )
        )


def test_ticks_that_are_yet_to_come_are_forgotten_and_the_cursor_kept(
    instance: dg.DagsterInstance,
) -> None:
    now = datetime.now(UTC).timestamp()
    noted_at(now + MONTH, instance)
    assert forget_future_ticks(instance) == 2
    states = {state.instigator_name: state for state in instance.all_instigator_state()}
    sensor, schedule = states["sweep"], states["nightly"]
    assert isinstance(sensor.instigator_data, SensorInstigatorData)
    assert sensor.instigator_data.cursor == "7"
    assert sensor.instigator_data.last_tick_timestamp is None
    assert isinstance(schedule.instigator_data, ScheduleInstigatorData)
    assert (schedule.instigator_data.start_timestamp or 0) == pytest.approx(now, abs=60)
    for state in states.values():
        assert not instance.get_ticks(state.instigator_origin_id, state.selector_id)
    assert forget_future_ticks(instance) == 0


def test_ticks_of_the_past_stay(instance: dg.DagsterInstance) -> None:
    noted_at(datetime.now(UTC).timestamp() - 60, instance)
    assert forget_future_ticks(instance) == 0
    for state in instance.all_instigator_state():
        assert len(instance.get_ticks(state.instigator_origin_id, state.selector_id)) == 1


def test_a_clock_that_is_set_back_is_noticed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    true_time = time.time
    watch = ClockWatch(600)
    assert not watch.was_set_back()
    monkeypatch.setattr(time, "time", lambda: true_time() + MONTH)
    assert not watch.was_set_back()  # ahead: nothing is yet to come
    monkeypatch.setattr(time, "time", true_time)
    assert watch.was_set_back()
    assert not watch.was_set_back()
