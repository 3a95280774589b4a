"""Every page as every role, and with another client's ids: the table of routes is walked."""

from __future__ import annotations

import re

import pytest

from bill_pipeline.console import webhook_endpoint as webhook_door
from bill_pipeline.console.app import console_app
from bill_pipeline.console.auth.access import Page
from bill_pipeline.console.auth.users import Permission, Role
from bill_pipeline.console.console import Console
from bill_pipeline.console.routes import PAGES
from tests.console.console_browser import PASSWORDS, Browser, signed_in

#: Actions that a test may not really take while it walks the table: they reach BILL or end things.
_ADDRESSES = {
    "transaction": "bill:00n-{client}-3:line-{client}-3-1",
    "document": "00n-{client}-3",
    "type": "bill",
    "entry": "unknown-entry",
    "format": "csv",
    "report": "trial-balance",
    "moment": "20260101000000000000",
    "batch": "unknown",
    "name": "viewer-person",
    "rule": "rule-1",
    "asset": "ledger.journal_lines",
}


def address(page: Page, client: str) -> str:
    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        return client if name == "client" else _ADDRESSES[name].format(client=client)

    return re.sub(r"\{(\w+)\}", value, page.path)


def ask(browser: Browser, page: Page, client: str) -> int:
    """The status of opening ``page``; a form is sent with its token and no fields."""
    path = address(page, client)
    answer = browser.get(path) if page.method == "GET" else browser.post(path)
    return int(answer.status_code)


def page_name(page: Page) -> str:
    return f"{page.method} {page.path}"


#: Pages of things that these books do not have.
MAY_BE_MISSING = {
    "/connect/many/{batch}", "/clients/{client}/entries/{entry}",
    "/clients/{client}/assets", "/clients/{client}/assets/{asset}",  # without Dagster
}  # fmt: skip
GUARDED = [page for page in PAGES if page.needs > Permission.ANYONE]
OF_A_CLIENT = [page for page in GUARDED if "{client}" in page.path]


def test_only_the_sign_in_page_is_open_to_anyone() -> None:
    assert {page.path for page in PAGES if page.needs == Permission.ANYONE} == {"/sign-in"}


def test_no_route_is_served_beside_the_table(console: Console) -> None:
    """But for BILL's webhooks, which prove themselves by a signature, Dagster (see
    ``test_dagster_door.py``) and the static files."""
    routes = [r for r in console_app(console).routes if not r.path.startswith("/dagster")]
    served = {(next(iter(r.methods - {"HEAD"})), r.path) for r in routes[:-1]}
    table = {(page.method, page.path) for page in PAGES}
    assert served == table | {("POST", webhook_door.PATH)}
    assert routes[-1].path == "/static"


@pytest.mark.slow
def test_nobody_gets_in_without_signing_in(books_console: Console) -> None:
    wrong = []
    for page in GUARDED:
        answer = Browser(books_console).http.request(page.method, address(page, "maple-bakery"))
        is_right = answer.status_code == (303 if page.method == "GET" else 401)
        if not is_right or "maple" in answer.text:
            wrong.append((page_name(page), answer.status_code))
    assert not wrong


@pytest.mark.slow
def test_every_role_gets_exactly_what_its_row_says(books_console: Console) -> None:
    """One console for the whole walk, from the least to the most powerful role."""
    wrong = []
    for role in (Role.VIEWER, Role.BOOKKEEPER, Role.ADMIN):
        for page in GUARDED:
            browser = signed_in(books_console, role)
            status = ask(browser, page, "maple-bakery")
            is_allowed = role.permission >= page.needs
            if (status == 403) == is_allowed or status >= 500 or status == 401:
                wrong.append((role.value, page_name(page), status))
            if is_allowed and status == 404 and page.path not in MAY_BE_MISSING:
                wrong.append((role.value, page_name(page), status))
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize("client", ["cedar-dental", "no-such-client"])
def test_a_client_one_may_not_see_is_as_good_as_none(books_console: Console, client: str) -> None:
    wrong = []
    for page in OF_A_CLIENT:
        browser = Browser(books_console)
        browser.sign_in("maple-person", PASSWORDS[Role.BOOKKEEPER])
        status = ask(browser, page, client)
        expected = 404 if Role.BOOKKEEPER.permission >= page.needs else 403
        if status != expected:
            wrong.append((page_name(page), status))
    assert not wrong


@pytest.mark.parametrize(
    "path",
    [
        "/clients/maple-bakery/documents/bill/00n-cedar-dental-3",
        "/clients/maple-bakery/lines/bill:00n-cedar-dental-3:line-cedar-dental-3-1",
    ],
)
def test_another_clients_ids_are_not_found_under_ones_own(
    books_console: Console, path: str
) -> None:
    browser = signed_in(books_console, Role.ADMIN)
    assert browser.get(path).status_code == 404
    own = path.replace("cedar-dental", "maple-bakery")
    assert browser.get(own).status_code == 200


def test_a_decision_on_another_clients_lines_is_refused(books_console: Console) -> None:
    browser = Browser(books_console)
    browser.sign_in("maple-person", PASSWORDS[Role.BOOKKEEPER])
    line = "bill:00n-cedar-dental-10:line-cedar-dental-10-1"
    form = {"do": "accept:g", "lines-g": line, "account-g": "6100 Rent"}
    assert browser.post("/review", {**form, "client-g": "cedar-dental"}).status_code == 404
    # Naming one's own client does not help: the line is looked up among that client's.
    assert browser.post("/review", {**form, "client-g": "maple-bakery"}).status_code == 409
    with books_console.ledger.reading(["maple-bakery", "cedar-dental"]) as books:
        row = books.row("select category_source from transactions where transaction_id = ?", [line])
    assert row is not None
    assert row["category_source"] != "person"


def test_lists_name_only_the_clients_one_may_see(books_console: Console) -> None:
    browser = Browser(books_console)
    browser.sign_in("maple-person", PASSWORDS[Role.BOOKKEEPER])
    for path in ("/clients", "/review", "/account"):
        page = browser.get(path).text
        assert "maple-bakery" in page
        assert "cedar-dental" not in page


def test_only_who_sent_a_file_of_clients_sees_its_rows(books_console: Console) -> None:
    from bill_pipeline.console.many_clients import Batch, Result

    books_console.many_clients._batches["b"] = Batch("b", "somebody-else", [Result("acme")])
    answer = signed_in(books_console, Role.ADMIN).get("/connect/many/b")
    assert answer.status_code == 404
