"""Headless Chromium on the Dagster UI: open a page, wait until it shows what it should."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from bill_pipeline.console.auth.access import SESSION_COOKIE

CHROMIUM = "/usr/bin/chromium"
#: Chromium in a sandboxed test machine: no GPU, and nothing that looks for Google's hosts.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync"]  # fmt: skip
#: The first page loads a few megabytes of script, on machines that do other work as well.
PATIENCE_MS = 90_000


@contextmanager
def browser_page(
    address: str, session: str, width: int = 1600, height: int = 1000
) -> Iterator[Page]:
    """A page of a new Chromium in which somebody signed in at ``address``."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": width, "height": height})
        context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": address}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        troubles: list[str] = []
        page.on("requestfailed", lambda asked: troubles.append(f"{asked.url}: {asked.failure}"))
        page.on(
            "response", lambda given: given.ok or troubles.append(f"{given.url}: {given.status}")
        )
        page.on("pageerror", lambda error: troubles.append(str(error)))
        try:
            yield page
        except AssertionError as error:
            error.add_note("\n".join(["What the page met:", *troubles]))
            raise
        finally:
            browser.close()


def show(page: Page, url: str, *texts: str) -> None:
    """Open ``url`` and wait until every one of ``texts`` is to be seen."""
    page.goto(url)
    try:
        for text in texts[:1]:
            expect(page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS / 2)
    except AssertionError:
        # Dagster's page stays empty when one of its style sheets is not had at once: as people do.
        page.reload()
    for text in texts:
        expect(page.get_by_text(text).first).to_be_visible()


def picture(page: Page, folder: Path | None, name: str) -> None:
    """Keep what the page shows as ``name``.png, when pictures are wanted."""
    # Dagster's graph and plots are drawn in steps after their data came.
    page.wait_for_timeout(2_500)
    if folder is not None:
        page.screenshot(path=str(folder / f"{name}.png"))
