"""Leave out, with the reason printed, what this machine cannot run; the longest files come first.

With ``-n`` and ``--dist loadfile`` a file is one worker's, so that what its tests share is made
once. The short files come last: they fill the time in which another worker ends.
"""

from __future__ import annotations

import os
import shutil
import signal

import pytest

STORIES = "tests/stories/test_stories.py"


def pytest_configure() -> None:
    # A shell that starts the tests in its background has them, and what they start, ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leave_out(items)
    long = {file_of(item) for item in items if item.get_closest_marker("slow")}
    # The sort is stable: within a file the order stays.
    items.sort(key=lambda item: (file_of(item) != STORIES, file_of(item) not in long))


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
