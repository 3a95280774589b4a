"""The console in headless Chromium as a new user meets it: fresh home, BILL look-alike."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from bill_pipeline.console.app import Console, console_app
from bill_pipeline.console.users import Role
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home
from tests.console.console_browser import PASSWORDS, add_users

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: A first import with its model takes half a minute on a machine that does other work as well.
PATIENCE_MS = 120_000
#: Two sizes that must both be readable, and both colour schemes.
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: CONSOLE_IMAGES, when somebody wants to look at them."""
    folder = os.environ.get("CONSOLE_IMAGES")
    return Path(folder) if folder else tmp_path_factory.mktemp("images")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(companies=1, documents=250, seed=1) as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def address(home: Home) -> Iterator[str]:
    """The console of a fresh home, served by uvicorn as the command serves it."""
    console = Console.at(home)
    add_users(console)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(console_app(console), log_level="error", lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=60)


def new_page(chromium: Browser, address: str, scheme: str = "light", **options: object) -> Page:
    context: BrowserContext = chromium.new_context(
        viewport=DESK, color_scheme=scheme, base_url=address, **options
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    # The policy against foreign scripts would show up here, as would an error of our own.
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    return page


def sign_in(page: Page, role: Role) -> None:
    page.goto("/")
    page.get_by_label("Name").fill(role.value + "-person")
    page.get_by_label("Password").fill(PASSWORDS[role])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Clients")).to_be_visible()


def fill_token(page: Page, sandbox: SandboxServer) -> None:
    company = sandbox.companies[0]
    page.get_by_label("Token name").fill(company.token_name)
    page.get_by_label("Token password").fill(company.token_password)
    page.get_by_label("Developer key").fill(sandbox.dev_key)


def test_connect_import_review_close_and_reconnect(
    chromium: Browser, address: str, sandbox: SandboxServer, images: Path
) -> None:
    page = new_page(chromium, address)
    sign_in(page, Role.ADMIN)
    _connect(page, sandbox, images)
    _watch_the_import(page, images)
    _review(page, images)
    _read_the_books(page, images)
    _close_and_reopen(page, images)
    _reconnect(page, sandbox, images)
    _look_at_every_page(chromium, address, page, images)


def _connect(page: Page, sandbox: SandboxServer, images: Path) -> None:
    page.get_by_role("link", name="Connect a client").click()
    page.get_by_label("Client", exact=True).fill("Copper Whisk Bakery")
    page.get_by_label("Organization ID").fill(sandbox.companies[0].organization_id)
    fill_token(page, sandbox)
    page.get_by_label("Token password").fill("not the password")
    page.get_by_text("Environment: production").click()
    page.get_by_label("Environment", exact=True).select_option("other")
    page.get_by_label("Other address").fill(sandbox.base_url)
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("BILL does not accept this token name")).to_be_visible()
    page.screenshot(path=images / "console-connect-refused.png", full_page=True)
    page.get_by_label("Other address").fill(sandbox.base_url)
    fill_token(page, sandbox)
    page.get_by_role("button", name="Connect").click()


def _watch_the_import(page: Page, images: Path) -> None:
    expect(page.get_by_role("heading", name="copper-whisk-bakery")).to_be_visible()
    expect(page.locator("#progress progress")).to_be_visible()
    expect(page.locator("#progress")).to_contain_text("Reading")
    page.screenshot(path=images / "console-progress.png")
    # The page follows by itself: nobody reloads it.
    expect(page.locator("#progress")).to_contain_text("Up to date")
    page.screenshot(path=images / "console-client.png")


def _review(page: Page, images: Path) -> None:
    page.get_by_role("navigation", name="Main").get_by_text("Review").click()
    groups = page.locator(".group")
    expect(groups.first).to_be_visible()
    count = groups.count()
    page.screenshot(path=images / "console-review.png")
    page.keyboard.press("j")
    page.keyboard.press("j")
    first = page.locator(".group:focus")
    expect(first).to_have_count(1)
    # By keyboard alone: change the account, then let Enter accept it.
    page.keyboard.press("c")
    page.keyboard.type("Repairs")
    page.keyboard.press("Enter")
    expect(groups).to_have_count(count - 1)
    expect(page.locator("#notices")).to_contain_text("It is in the ledger")
    page.keyboard.press("u")
    expect(page.locator("#notices")).to_contain_text("Undone")
    expect(groups).to_have_count(count)
    # All that has a suggestion, at once.
    page.get_by_label("Choose all").check()
    for number in range(count):
        if not groups.nth(number).locator("input[list]").input_value():
            groups.nth(number).locator("input[name=chosen]").uncheck()
    chosen = page.locator("input[name=chosen]:checked").count()
    assert chosen > 0
    page.keyboard.press("Shift+A")
    expect(page.locator("#notices")).to_contain_text("It is in the ledger")
    expect(groups).to_have_count(count - chosen)


def _read_the_books(page: Page, images: Path) -> None:
    page.goto("/clients/copper-whisk-bakery/profit-and-loss")
    page.get_by_role("link", name="Last 12 months").click()
    expect(page.get_by_role("img", name=re.compile("Income .* net income"))).to_be_visible()
    page.screenshot(path=images / "console-profit-and-loss.png")
    total = page.locator("tr.sub td.num a").last
    amount = total.inner_text()
    total.click()
    expect(page.locator("tfoot")).to_contain_text(amount.strip("()"))
    page.locator("tbody td a[href*='/documents/']").first.click()
    expect(page.get_by_role("heading", name="Versions in BILL")).to_be_visible()
    expect(page.get_by_text("Version 1", exact=False).first).to_be_visible()
    page.screenshot(path=images / "console-document.png")
    page.goto("/clients/copper-whisk-bakery/payables")
    with page.expect_download() as download:
        page.get_by_role("link", name="All books as XLSX").click()
    assert download.value.suggested_filename == "copper-whisk-bakery.xlsx"


def _close_and_reopen(page: Page, images: Path) -> None:
    page.goto("/clients/copper-whisk-bakery/close")
    expect(page.get_by_role("heading", name=re.compile("^Close [A-Z]"))).to_be_visible()
    page.screenshot(path=images / "console-close.png")
    anyway = page.get_by_label("Close although the checklist is not complete")
    if anyway.count():
        anyway.check()
    page.get_by_role("button", name=re.compile("Close through")).click()
    expect(page.locator("#notices")).to_contain_text("is closed through")
    page.get_by_label("Reason").fill("a bill came late")
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator("#notices")).to_contain_text("is open again")
    expect(page.get_by_text("a bill came late")).to_be_visible()


def _reconnect(page: Page, sandbox: SandboxServer, images: Path) -> None:
    client = sandbox.companies[0].client
    sandbox.control.revoke_token(client)
    page.goto("/clients/copper-whisk-bakery")
    page.get_by_role("button", name="Sync now").click()
    expect(page.locator("#progress")).to_contain_text("Needs reconnect")
    expect(page.get_by_role("button", name="Sync now")).to_have_count(0)
    page.screenshot(path=images / "console-needs-reconnect.png")
    sandbox.control.restore_token(client)
    page.get_by_role("link", name="Reconnect").click()
    fill_token(page, sandbox)
    page.get_by_role("button", name="Reconnect").click()
    expect(page.locator("#progress")).to_contain_text("Up to date since just now")


def _look_at_every_page(chromium: Browser, address: str, page: Page, images: Path) -> None:
    """No page is wider than a phone; every control has a name; text can be told from paper."""
    here = "/clients/copper-whisk-bakery"
    paths = ["/clients", "/review", "/users", "/audit", "/connect", "/connect/many", "/account",
             here, *(f"{here}/{name}" for name in (
                 "review", "trial-balance", "profit-and-loss", "balance-sheet", "payables",
                 "receivables", "general-ledger", "close", "disconnect"))]  # fmt: skip
    found = []
    for scheme in ("light", "dark"):
        other = new_page(chromium, address, scheme)
        other.context.add_cookies(page.context.cookies())
        for path in paths:
            other.set_viewport_size(DESK)
            other.goto(path)
            found += [f"{scheme} {path}: {fault}" for fault in other.evaluate(FAULTS)]
            other.set_viewport_size(PHONE)
            excess = other.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if excess > 0:
                found.append(f"{path} is {excess} pixels wider than a phone")
        if scheme == "dark":
            other.set_viewport_size(DESK)
            other.goto(f"{here}/profit-and-loss")
            other.screenshot(path=images / "console-dark.png")
            other.set_viewport_size(PHONE)
            other.goto(f"{here}/payables")
            other.screenshot(path=images / "console-phone.png")
    assert not found


#: What axe would call serious, checked on what the browser really shows: names of controls,
#: labels, heading order, landmarks, unique ids and the contrast of every visible text (WCAG AA).
FAULTS = """() => {
  const faults = [];
  const name = (e) => (e.getAttribute('aria-label') || e.textContent || e.title || e.value
    || (e.labels && e.labels[0] && e.labels[0].textContent) || e.alt || '').trim();
  for (const e of document.querySelectorAll('a[href], button, select, textarea, summary,'
      + 'input:not([type=hidden]), meter, progress, svg[role=img]')) {
    const labelled = e.matches('input, select, textarea')
      ? (e.labels && e.labels.length && e.labels[0].textContent.trim())
        || e.getAttribute('aria-label')
      : name(e);
    if (!labelled) faults.push('no name: ' + e.outerHTML.slice(0, 120));
  }
  for (const e of document.querySelectorAll('img:not([alt])')) faults.push('no alt: ' + e.src);
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push('twice: #' + id);
  if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
  if (!document.documentElement.lang) faults.push('no language');
  for (const e of document.querySelectorAll('[aria-describedby]'))
    for (const id of e.getAttribute('aria-describedby').trim().split(/\\s+/))
      if (id && !document.getElementById(id)) faults.push('describedby nothing: ' + id);
  for (const t of document.querySelectorAll('table'))
    if (t.tHead && [...t.tHead.querySelectorAll('th')].some((h) => !h.scope))
      faults.push('table header without scope');
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((v, i) => i === 3 ? v / 255 : v);
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255;
    return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const paper = (e) => {
    const layers = [];
    for (; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    const skipped = 'svg, script, datalist, option, .hidden, :disabled';
    if (!walker.currentNode.data.trim() || e.closest(skipped)
        || !e.checkVisibility({ checkOpacity: true }) || !e.getClientRects().length) continue;
    const style = getComputedStyle(e), below = paper(e);
    const ink = over(rgba(style.color), below);
    const [a, b] = [light(ink), light(below)];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    const needed = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    const key = e.className + style.color + below;
    if (ratio < needed && !seen.has(key)) {
      seen.add(key);
      faults.push(`contrast ${ratio.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 40)}`);
    }
  }
  return faults;
}"""


def test_everything_works_without_scripts(
    chromium: Browser, address: str, sandbox: SandboxServer
) -> None:
    page = new_page(chromium, address, java_script_enabled=False)
    sign_in(page, Role.ADMIN)
    page.get_by_role("link", name="Connect a client").click()
    page.get_by_label("Client", exact=True).fill("Copper Whisk Bakery")
    page.get_by_label("Organization ID").fill(sandbox.companies[0].organization_id)
    fill_token(page, sandbox)
    page.get_by_text("Environment: production").click()
    page.get_by_label("Environment", exact=True).select_option("other")
    page.get_by_label("Other address").fill(sandbox.base_url)
    page.get_by_role("button", name="Connect").click()
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while "Up to date" not in (state := page.locator("#progress").inner_text()):
        assert time.monotonic() < deadline, state
        page.wait_for_timeout(500)
        page.reload()
    page.goto("/review")
    groups = page.locator(".group")
    count = groups.count()
    with_suggestion = next(
        groups.nth(number)
        for number in range(count)
        if groups.nth(number).locator("input[list]").input_value()
    )
    with_suggestion.get_by_role("button", name="Accept").click()
    expect(groups).to_have_count(count - 1)
    page.locator("#notices").get_by_role("button", name="Undo").click()
    expect(groups).to_have_count(count)
