"""What runs on this machine and this day, in which order, and how two workers share it.

A file is one worker's, so that what its tests share is made once; only the stories, which share
nothing, are handed out one by one. They come last, after the short files, and fill the time in
which another worker ends.
"""

from __future__ import annotations

import os
import shutil
import signal

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

from tests import rotation

STORIES = "tests/stories/test_stories.py"


class StoryByStory(LoadFileScheduling):
    """A worker takes a whole file at a time, but of the stories one."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(STORIES) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return StoryByStory(config, log)


def pytest_configure() -> None:
    # A shell that starts the tests in its background has them, and what they start, ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str | None:
    day = rotation.day()
    return day and (
        f"rotation: of the tests marked rotating those of {day} "
        f"(the same again: {rotation.DAY}={day}; all of them: make test-nightly)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[rotation.COLLECTED] = list(items)
    items[:], others = rotation.split(items)
    config.hook.pytest_deselected(items=others)
    leave_out(items)
    long = {file_of(item) for item in items if item.get_closest_marker("slow")}
    # The sort is stable: within a file the order stays.
    items.sort(key=lambda item: (file_of(item) == STORIES, file_of(item) not in long))


def file_of(item: pytest.Item) -> str:
    return item.nodeid.split("::")[0]


def leave_out(items: list[pytest.Item]) -> None:
    missing = {
        "browser": None if shutil.which("chromium") else "Chromium is not installed",
        "real_data": None
        if os.environ.get("BILL_PIPELINE_REAL_DATA")
        else "BILL_PIPELINE_REAL_DATA does not name a folder with public ledgers",
    }
    for item in items:
        for mark, reason in missing.items():
            if reason and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))
