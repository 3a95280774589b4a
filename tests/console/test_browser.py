"""The console in headless Chromium as a new user meets it: fresh home, BILL look-alike."""

from __future__ import annotations

import contextlib
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

from bill_pipeline.console.app import console_app
from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.console import Console
from bill_pipeline.console.routes import PAGES
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home
from tests.console.accessibility import axe_faults, axe_source
from tests.console.console_browser import PASSWORDS, add_users
from tests.console.keyboard import press, reach, write
from tests.public_clients.environments import ClientUnavailable

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.rotating(days=8)]

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
    """The console of a fresh home."""
    console = Console.at(home)
    add_users(console)
    with serving(console) as where:
        yield where


@contextlib.contextmanager
def serving(console: Console) -> Iterator[str]:
    """The address of ``console``, served by uvicorn as the command serves it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(console_app(console), log_level="error", lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
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


@pytest.fixture(scope="module")
def axe() -> str:
    try:
        return axe_source()
    except ClientUnavailable as error:
        pytest.skip(str(error))


def test_a_new_user_connects_reviews_splits_closes_and_reconnects_by_keyboard_alone(
    chromium: Browser, address: str, sandbox: SandboxServer, images: Path
) -> None:
    page = new_page(chromium, address)
    sign_in(page, Role.ADMIN)
    _connect(page, sandbox, images)
    _watch_the_import(page, images)
    _review(page, images)
    _split(page, images)
    _read_the_books(page, images)
    _close_and_reopen(page, images)
    _reconnect(page, sandbox, images)


def test_every_page_is_accessible_and_fits_a_phone(
    chromium: Browser, books_console: Console, images: Path, axe: str
) -> None:
    with serving(books_console) as address:
        page = new_page(chromium, address)
        page.goto("/sign-in")
        assert axe_faults(page, axe) == []
        sign_in(page, Role.ADMIN)
        _look_at_every_page(chromium, address, page, images, axe)


def _connect(page: Page, sandbox: SandboxServer, images: Path) -> None:
    press(page, page.get_by_role("link", name="Connect a client"))
    write(page, page.get_by_label("Client", exact=True), "Copper Whisk Bakery")
    organization = page.get_by_label("Organization ID")
    write(page, organization, sandbox.companies[0].organization_id)
    _write_token(page, sandbox, password="not the password")
    press(page, page.get_by_text("Environment: production"))
    write(page, page.get_by_label("Environment", exact=True), "another")
    write(page, page.get_by_label("Other address"), sandbox.base_url)
    page.keyboard.press("Enter")
    expect(page.get_by_text("BILL does not accept this token name")).to_be_visible()
    page.screenshot(path=images / "console-connect-refused.png", full_page=True)
    _write_token(page, sandbox)
    press(page, page.get_by_role("button", name="Connect"))


def _write_token(page: Page, sandbox: SandboxServer, password: str = "") -> None:
    company = sandbox.companies[0]
    write(page, page.get_by_label("Token name"), company.token_name)
    write(page, page.get_by_label("Token password"), password or company.token_password)
    write(page, page.get_by_label("Developer key"), sandbox.dev_key)


def _watch_the_import(page: Page, images: Path) -> None:
    expect(page.get_by_role("heading", name="copper-whisk-bakery")).to_be_visible()
    expect(page.locator("#progress progress")).to_be_visible()
    expect(page.locator("#progress")).to_contain_text("Reading")
    page.screenshot(path=images / "console-progress.png")
    # The page follows by itself: nobody reloads it.
    expect(page.locator("#progress")).to_contain_text("Up to date")
    page.screenshot(path=images / "console-client.png")


def _review(page: Page, images: Path) -> None:
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="Review")).to_be_visible()
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
    press(page, page.get_by_label("Choose all"), "Space")
    for number in range(count):
        if not groups.nth(number).locator("input[list]").input_value():
            press(page, groups.nth(number).locator("input[name=chosen]"), "Space")
    chosen = page.locator("input[name=chosen]:checked").count()
    assert chosen > 0
    page.keyboard.press("Shift+A")
    expect(page.locator("#notices")).to_contain_text("It is in the ledger")
    expect(groups).to_have_count(count - chosen)


def _split(page: Page, images: Path) -> None:
    """A line that a person has settled is split after all."""
    page.goto("/clients/copper-whisk-bakery/general-ledger")
    page.goto(page.locator("tbody a[href*='/documents/bill/']").first.get_attribute("href") or "")
    press(page, page.locator("a[href*='/lines/']").first)
    press(page, page.get_by_role("link", name="Split…"))
    amount = page.locator("dl.facts dd").first.inner_text().split()[0]
    accounts = page.locator("#accounts option").evaluate_all("all => all.map(one => one.value)")
    for number, part in ((1, "1.00"), (2, "")):
        write(page, page.get_by_label(f"Account of part {number}"), accounts[number])
        reach(page, page.get_by_label(f"Amount of part {number}"))
        if part:
            write(page, page.get_by_label(f"Amount of part {number}"), part)
    expect(page.locator("#left")).to_have_text("0.00")
    page.screenshot(path=images / "console-split.png")
    press(page, page.get_by_role("button", name="Book the parts"))
    expect(page.get_by_text(f"A person split this line: {amount}")).to_be_visible()


def _read_the_books(page: Page, images: Path) -> None:
    page.goto("/clients/copper-whisk-bakery/profit-and-loss")
    press(page, page.get_by_role("link", name="Last 12 months"))
    expect(page.get_by_role("img", name=re.compile("Income .* net income"))).to_be_visible()
    page.screenshot(path=images / "console-profit-and-loss.png")
    total = page.locator("tr.sub td.num a").last
    amount = total.inner_text()
    press(page, total)
    expect(page.locator("tfoot")).to_contain_text(amount.strip("()"))
    press(page, page.locator("tbody td a[href*='/documents/']").first)
    expect(page.get_by_role("heading", name="Versions in BILL")).to_be_visible()
    expect(page.get_by_text("Version 1", exact=False).first).to_be_visible()
    page.screenshot(path=images / "console-document.png")
    page.goto("/clients/copper-whisk-bakery/payables")
    with page.expect_download() as download:
        press(page, page.get_by_role("link", name="All books as XLSX"))
    assert download.value.suggested_filename == "copper-whisk-bakery.xlsx"


def _close_and_reopen(page: Page, images: Path) -> None:
    press(page, page.get_by_role("link", name="Close", exact=True))
    expect(page.get_by_role("heading", name=re.compile("^Close [A-Z]"))).to_be_visible()
    page.screenshot(path=images / "console-close.png")
    anyway = page.get_by_label("Close although the checklist is not complete")
    if anyway.count():
        press(page, anyway, "Space")
    press(page, page.get_by_role("button", name=re.compile("Close through")))
    expect(page.locator("#notices")).to_contain_text("is closed through")
    write(page, page.get_by_label("Reason"), "a bill came late")
    press(page, page.get_by_role("button", name="Reopen"))
    expect(page.locator("#notices")).to_contain_text("is open again")
    expect(page.get_by_text("a bill came late")).to_be_visible()


def _reconnect(page: Page, sandbox: SandboxServer, images: Path) -> None:
    client = sandbox.companies[0].client
    sandbox.control.revoke_token(client)
    press(page, page.get_by_role("link", name="Connection"))
    press(page, page.get_by_role("button", name="Sync now"))
    expect(page.locator("#progress")).to_contain_text("Needs reconnect")
    expect(page.get_by_role("button", name="Sync now")).to_have_count(0)
    page.screenshot(path=images / "console-needs-reconnect.png")
    sandbox.control.restore_token(client)
    press(page, page.get_by_role("link", name="Reconnect"))
    _write_token(page, sandbox)
    press(page, page.get_by_role("button", name="Reconnect"))
    expect(page.locator("#progress")).to_contain_text("Up to date since just now")


def _look_at_every_page(
    chromium: Browser, address: str, page: Page, images: Path, axe: str
) -> None:
    """axe finds no serious fault on a desk or a phone, in light or dark; nothing is too wide."""
    found = []
    paths = _every_page(page)
    for scheme in ("light", "dark"):
        other = new_page(chromium, address, scheme)
        other.context.add_cookies(page.context.cookies())
        for path in paths:
            for size in (DESK, PHONE):
                other.set_viewport_size(size)
                other.goto(path)
                where = f"{scheme}, {size['width']} wide, {path}"
                found += [f"{where}: {fault}" for fault in axe_faults(other, axe)]
            excess = other.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if excess > 0:
                found.append(f"{path} is {excess} pixels wider than a phone")
            if os.environ.get("CONSOLE_IMAGES"):
                name = re.sub(r"[^a-z-]+", "-", path.split("?")[0].strip("/").lower()) or "start"
                other.screenshot(path=images / f"all-{scheme}-phone-{name[:60]}.png")
                other.set_viewport_size(DESK)
                other.screenshot(path=images / f"all-{scheme}-desk-{name[:60]}.png")
    assert not found


def _every_page(page: Page) -> list[str]:
    """Every page of the table of routes; those of a line, a document, an entry as links lead to."""
    here = "/clients/maple-bakery"
    page.goto(f"{here}/general-ledger")
    document = page.locator("a[href*='/documents/bill/']").first.get_attribute("href")
    entry = page.locator("a[href*='/entries/']").first.get_attribute("href")
    assert document
    assert entry
    page.goto(document)
    line = page.locator("a[href*='/lines/']").first.get_attribute("href")
    assert line
    page.goto(f"{here}/review")
    group = page.locator(".lines-link").first
    named = {
        "/clients/{client}/documents/{type}/{document}": document,
        "/clients/{client}/entries/{entry}": entry,
        "/clients/{client}/lines/{transaction}": line,
        "/clients/{client}/lines/{transaction}/split": f"{line}/split",
        "/clients/{client}/review/group": group.get_attribute("href") if group.count() else None,
    }
    elsewhere = {"/", "/sign-in", "/connect/many/{batch}", "/clients/{client}/progress"}
    paths = [
        named.get(row.path, row.path.replace("{client}", "maple-bakery"))
        for row in PAGES
        if row.method == "GET" and row.path not in elsewhere and "/download/" not in row.path
    ]
    return [path for path in paths if path]


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
