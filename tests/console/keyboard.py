"""Use a page without a mouse: what cannot be reached with the Tab key fails."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page

#: More than any page has in front of what a person looks for.
MOST_TABS = 250


def reach(page: Page, target: Locator) -> None:
    """Tab until ``target`` has the focus."""
    for _ in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{target} cannot be reached by keyboard")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    reach(page, target)
    page.keyboard.press(key)


def write(page: Page, target: Locator, text: str) -> None:
    """Replace what a field holds; in a list of choices, choose by the first letters."""
    reach(page, target)
    if not target.evaluate("element => element.matches('select')"):
        page.keyboard.press("Control+A")
    page.keyboard.type(text)
