"""Leave out, with the reason printed, what this machine cannot run."""

from __future__ import annotations

import os
import shutil

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
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
