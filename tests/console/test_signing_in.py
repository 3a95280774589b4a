"""Signing in: who may, for how long, and what a guesser meets."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bill_pipeline.console.auth import passwords, sign_ins
from bill_pipeline.console.auth.users import Role, UserRefused
from bill_pipeline.console.console import Console
from bill_pipeline.console.routes import PAGES
from tests.console.console_browser import PASSWORDS, Browser, csrf_token, signed_in


def test_without_signing_in_every_page_leads_to_the_sign_in_page(console: Console) -> None:
    answer = Browser(console).get("/clients?state=review")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fclients%3Fstate%3Dreview"


def test_signing_in_opens_the_page_that_was_wanted(console: Console) -> None:
    browser = Browser(console)
    form = {"name": "admin-person", "password": PASSWORDS[Role.ADMIN], "next": "/users"}
    answer = browser.post("/sign-in", form, token_of="/sign-in")
    assert (answer.status_code, answer.headers["location"]) == (303, "/users")
    assert browser.get("/users").status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(console: Console, elsewhere: str) -> None:
    form = {"name": "admin-person", "password": PASSWORDS[Role.ADMIN], "next": elsewhere}
    answer = Browser(console).post("/sign-in", form, token_of="/sign-in")
    assert answer.headers["location"] == "/"


def test_the_cookie_is_for_this_site_and_out_of_reach_of_scripts(console: Console) -> None:
    answer = Browser(console).sign_in("admin-person", PASSWORDS[Role.ADMIN])
    cookie = next(c for c in answer.headers.get_list("set-cookie") if "session" in c)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_behind_https_the_cookie_never_travels_unencrypted(console: Console) -> None:
    console.is_https = True
    answer = Browser(console).get("/sign-in")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


def test_wrong_name_and_wrong_password_answer_alike(console: Console) -> None:
    known = Browser(console).sign_in("admin-person", "not the password")
    unknown = Browser(console).sign_in("nobody-here", "not the password")
    assert known.status_code == unknown.status_code == 401
    assert "Name or password is wrong." in known.text
    assert "Name or password is wrong." in unknown.text


def test_five_failures_stop_further_guesses_even_the_right_one(console: Console) -> None:
    browser = Browser(console)
    for _ in range(sign_ins.MOST_PER_NAME_AND_NETWORK):
        assert browser.sign_in("admin-person", "a wrong guess").status_code == 401
    assert browser.sign_in("admin-person", PASSWORDS[Role.ADMIN]).status_code == 429


def test_failures_of_one_user_do_not_stop_another(console: Console) -> None:
    browser = Browser(console)
    for _ in range(sign_ins.MOST_PER_NAME_AND_NETWORK):
        browser.sign_in("admin-person", "a wrong guess")
    answer = browser.sign_in("viewer-person", PASSWORDS[Role.VIEWER])
    assert answer.status_code == 303


def test_trying_many_names_from_one_address_is_stopped_too(console: Console) -> None:
    browser = Browser(console)
    for number in range(sign_ins.MOST_PER_NETWORK):
        browser.sign_in(f"somebody-{number}", "a wrong guess")
    assert browser.sign_in("viewer-person", PASSWORDS[Role.VIEWER]).status_code == 429


@pytest.mark.parametrize("after", [sign_ins.IDLE, sign_ins.LONGEST])
def test_a_session_ends_when_idle_and_after_twelve_hours(
    console: Console, monkeypatch: pytest.MonkeyPatch, after: timedelta
) -> None:
    browser = signed_in(console, Role.ADMIN)
    now = sign_ins.utc_now()
    # A visit every hour keeps the session from being idle, but not from growing old.
    hours = 1 if after == sign_ins.LONGEST else int(after.total_seconds() // 3600)
    for hour in range(hours, int(after.total_seconds() // 3600), hours):
        monkeypatch.setattr(sign_ins, "utc_now", lambda h=hour: now + timedelta(hours=h))
        assert browser.get("/account").status_code == 200
    monkeypatch.setattr(sign_ins, "utc_now", lambda: now + after + timedelta(minutes=1))
    assert browser.get("/account").status_code == 303


def test_a_clock_that_was_ahead_neither_keeps_a_session_nor_locks_anybody_out(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = sign_ins.utc_now()
    monkeypatch.setattr(sign_ins, "utc_now", lambda: now + timedelta(days=30))
    browser = signed_in(console, Role.VIEWER)
    for _ in range(sign_ins.MOST_PER_NAME_AND_NETWORK):
        browser.sign_in("admin-person", "a wrong guess")
    monkeypatch.setattr(sign_ins, "utc_now", lambda: now)
    assert browser.get("/account").status_code == 303
    assert browser.sign_in("admin-person", PASSWORDS[Role.ADMIN]).status_code == 303


def test_signing_out_ends_the_session_for_whoever_copied_the_cookie(console: Console) -> None:
    browser = signed_in(console, Role.ADMIN)
    thief = Browser(console)
    thief.http.cookies = browser.http.cookies.__class__(browser.http.cookies)
    assert thief.get("/account").status_code == 200
    browser.post("/sign-out")
    assert thief.get("/account").status_code == 303


def test_a_changed_password_ends_all_sessions(console: Console) -> None:
    browser, elsewhere = signed_in(console, Role.VIEWER), signed_in(console, Role.VIEWER)
    new = "a new long sentence to keep"
    form = {"present": PASSWORDS[Role.VIEWER], "new": new, "again": new}
    assert browser.post("/account", form).status_code == 303
    assert elsewhere.get("/account").status_code == 303
    assert Browser(console).sign_in("viewer-person", new).status_code == 303


def test_ones_own_password_changes_only_with_the_present_one(console: Console) -> None:
    browser = signed_in(console, Role.VIEWER)
    new = "a new long sentence to keep"
    answer = browser.post("/account", {"present": "unknown", "new": new, "again": new})
    assert answer.status_code == 422
    assert Browser(console).sign_in("viewer-person", PASSWORDS[Role.VIEWER]).status_code == 303


def test_a_disabled_user_is_signed_out_at_once(console: Console, admin: Browser) -> None:
    browser = signed_in(console, Role.VIEWER)
    admin.post("/users/viewer-person", {"role": "viewer", "access": "disabled", "clients": ""})
    assert browser.get("/account").status_code == 303
    assert Browser(console).sign_in("viewer-person", PASSWORDS[Role.VIEWER]).status_code == 401


def test_the_last_administrator_cannot_be_lost(console: Console, admin: Browser) -> None:
    answer = admin.post("/users/admin-person", {"role": "viewer", "access": "allowed"})
    assert answer.status_code == 422
    assert "last administrator" in answer.text
    assert console.users.get("admin-person").role is Role.ADMIN


def test_an_administrator_of_some_clients_only_is_refused(console: Console) -> None:
    with pytest.raises(UserRefused, match="some clients only"):
        console.users.create(
            "half-admin",
            SecretStr("a long enough password"),
            Role.ADMIN,
            clients=frozenset({"acme"}),
            created_by="test",
        )


@pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaaaaaa", "viewer-person1"])
def test_weak_passwords_are_refused_with_the_reason(weak: str) -> None:
    with pytest.raises(passwords.WeakPassword, match="viewer-person"):
        passwords.require_strong(SecretStr(weak), user_name="viewer-person")


@pytest.mark.slow
def test_passwords_are_stored_as_scrypt_at_full_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 2**17)
    stored = passwords.hashed(SecretStr("a long enough password"))
    assert stored.startswith("scrypt$131072$")
    assert passwords.matches(SecretStr("a long enough password"), stored)
    assert not passwords.matches(SecretStr("a long enough passwore"), stored)


def test_the_database_holds_neither_passwords_nor_session_tokens(console: Console) -> None:
    browser = signed_in(console, Role.ADMIN)
    token = browser.http.cookies["bill_pipeline_session"]
    stored = b"".join(p.read_bytes() for p in console.home.path.glob("console.sqlite*"))
    assert stored
    assert token.encode() not in stored
    assert PASSWORDS[Role.ADMIN].encode() not in stored


def test_the_audit_log_refuses_changes(console: Console) -> None:
    import sqlite3

    signed_in(console, Role.ADMIN)
    for statement in ("update audit_log set action = 'x'", "delete from audit_log"):
        with (
            pytest.raises(sqlite3.IntegrityError, match="append-only"),
            console.database.transaction() as db,
        ):
            db.execute(statement)


def test_a_form_without_its_token_is_refused(console: Console) -> None:
    browser = signed_in(console, Role.ADMIN)
    assert browser.http.post("/sign-out", data={}).status_code == 403
    assert browser.http.post("/sign-out", data={"csrf_token": "guess"}).status_code == 403


def test_a_token_of_another_session_is_refused(console: Console) -> None:
    mine, theirs = signed_in(console, Role.ADMIN), signed_in(console, Role.VIEWER)
    token = csrf_token(mine.get("/account").text)
    assert theirs.http.post("/sign-out", data={"csrf_token": token}).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_form_sent_by_another_site_is_refused(console: Console, headers: dict[str, str]) -> None:
    browser = signed_in(console, Role.ADMIN)
    token = csrf_token(browser.get("/account").text)
    answer = browser.http.post("/sign-out", data={"csrf_token": token}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("said", ["cross-site", "same-site"])
def test_another_sites_page_downloads_nothing_in_somebodys_name(
    console: Console, said: str
) -> None:
    """A link on it opens a page here; it makes no file, and no entry in the audit log."""
    admin = signed_in(console, Role.ADMIN)
    downloads = [page.path for page in PAGES if "/download/" in page.path]
    assert len(downloads) == 2
    before = console.audit.latest(limit=1)
    for path in downloads:
        address = re.sub(r"{[a-z]+}", "trial-balance", path)
        answer = admin.http.get(address, headers={"sec-fetch-site": said})
        assert answer.status_code == 403
    assert console.audit.latest(limit=1) == before
    # From a mail program or the address bar it is the person who asks.
    assert admin.http.get("/clients", headers={"sec-fetch-site": said}).status_code == 200
    own = admin.http.get("/clients/none/download/x", headers={"sec-fetch-site": "none"})
    assert own.status_code == 404


def test_another_host_name_is_refused(console: Console) -> None:
    """A site whose name is pointed at this machine must not reach the console."""
    assert Browser(console).get("/sign-in", headers={"host": "evil.example"}).status_code == 400


def test_every_answer_carries_the_strict_headers(console: Console) -> None:
    for path in ("/sign-in", "/nowhere", "/static/console.css"):
        headers = Browser(console).get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert ("no-store" in headers.get("cache-control", "")) == (path != "/static/console.css")


def test_a_form_of_three_megabytes_is_refused(console: Console) -> None:
    answer = Browser(console).http.post(
        "/sign-in",
        content=b"name=" + b"a" * 3_000_000,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413
