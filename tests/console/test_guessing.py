"""Guessing passwords, many at once: bounded in tries, memory and in whom it keeps out."""

from __future__ import annotations

import asyncio
import ipaddress
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.console.auth import passwords, sign_ins, turns
from bill_pipeline.console.auth.forwarded import Forwarded
from bill_pipeline.console.auth.sign_ins import TooManyFailures, network_of
from bill_pipeline.console.auth.turns import (
    HASHED_AT_ONCE,
    MOST_OF_ONE_NETWORK,
    STRANGERS_HASHED_AT_ONCE,
)
from bill_pipeline.console.auth.users import Role, UserRefused
from bill_pipeline.console.console import Console
from bill_pipeline.console.request_context import RequestContext
from tests.console.console_browser import PASSWORDS, Browser, csrf_token, signed_in

WRONG = SecretStr("a wrong guess at it")


def guess(console: Console, name: str, address: str) -> str:
    try:
        return str(console.sign_ins.sign_in(name, WRONG, address=address))
    except TooManyFailures:
        return "refused"


def test_tries_at_once_are_counted_before_any_is_tried(console: Console) -> None:
    """Thirty at a time were all tried when a try was written down only afterwards."""
    with ThreadPoolExecutor(30) as threads:
        said = Counter(threads.map(lambda _: guess(console, "admin-person", "10.0.0.9"), range(30)))
    most = sign_ins.MOST_PER_NAME_AND_NETWORK
    assert said == {"None": most, "refused": 30 - most}


def test_two_passwords_are_hashed_at_once_and_one_of_strangers(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, lock = 0, 0, threading.Lock()
    are_two = threading.Event()

    def slow(*_: object) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == HASHED_AT_ONCE:
                are_two.set()
        if is_waited_for:
            are_two.wait(5)
        time.sleep(0.1)  # long enough for a third one to come
        with lock:
            running -= 1
        return False

    for role in Role:  # they are known where Starlette's browser says it is
        password = SecretStr(PASSWORDS[role])
        assert console.sign_ins.checked(f"{role}-person", password, address="testclient")
    monkeypatch.setattr("bill_pipeline.console.auth.users.matches", slow)
    browser = Browser(console)
    with browser.http, ThreadPoolExecutor(15) as threads:  # one event loop for all of them
        form = {"password": "a guess", "csrf_token": csrf_token(browser.get("/sign-in").text)}

        def guess_as(name: str) -> int:
            return int(browser.http.post("/sign-in", data={**form, "name": name}).status_code)

        is_waited_for = True
        known = [f"{role}-person" for role in Role] * 4
        assert set(threads.map(guess_as, known)) == {401}
        assert most == HASHED_AT_ONCE
        most, is_waited_for = 0, False
        codes = Counter(threads.map(guess_as, [f"somebody-{n}" for n in range(15)]))
        assert set(codes) <= {401, 503}
        assert codes[401] >= MOST_OF_ONE_NETWORK
        assert most == STRANGERS_HASHED_AT_ONCE


def test_one_network_leaves_room_for_strangers_of_another() -> None:
    async def asking() -> list[object]:
        line, is_over = turns.Turns(), threading.Event()

        async def ask(network: str) -> object:
            try:
                return await line.hash(is_over.wait, 10, is_known=False, network=network)
            except HTTPException as refused:
                return refused.status_code

        many = [asyncio.create_task(ask("198.51.100.7")) for _ in range(MOST_OF_ONE_NETWORK + 2)]
        await asyncio.sleep(0)
        other = asyncio.create_task(ask("203.0.113.9"))
        await asyncio.sleep(0)
        is_over.set()
        return await asyncio.gather(*many, other)

    assert asyncio.run(asking()) == [True] * MOST_OF_ONE_NETWORK + [503, 503, True]


def test_who_waits_too_long_is_told_to_come_again(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING_TO_HASH", 0)
    assert Browser(console).sign_in("admin-person", "any").status_code == 503


def test_refusals_are_written_into_the_audit_log_once(console: Console) -> None:
    """The log is never shortened: who is refused a thousand times a second must not fill a disk."""
    browser = Browser(console)
    tries = sign_ins.MOST_PER_NAME_AND_NETWORK + 10
    codes = Counter(browser.sign_in("nobody", "a guess").status_code for _ in range(tries))
    assert codes == {401: tries - 10, 429: 10}
    said = Counter(entry.action for _number, entry in console.audit.latest())
    assert said == {"sign-in failed": tries - 10, "sign-in refused: too many failures": 1}


def test_who_is_signed_in_does_not_wait_for_strangers(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over, begun = threading.Event(), threading.Semaphore(0)
    shown = RequestContext.render

    def slowly(context: RequestContext, template: str, **values: Any) -> Response:
        if context.sign_in is None:
            begun.release()
            is_over.wait(20)
        return shown(context, template, **values)

    browser = signed_in(console, Role.VIEWER)
    monkeypatch.setattr(RequestContext, "render", slowly)
    as_stranger = {"cookie": "none=none"}
    with browser.http, ThreadPoolExecutor(61) as threads:  # one event loop for all of them
        asked = [threads.submit(browser.get, "/sign-in", headers=as_stranger) for _ in range(60)]
        for _ in range(turns.STRANGERS_AT_ONCE):
            assert begun.acquire(timeout=10)
        page = threads.submit(browser.get, "/account")
        try:
            assert page.result(timeout=10).status_code == 200
        finally:
            is_over.set()
    assert {answer.result().status_code for answer in asked} == {200}


def test_an_office_is_not_locked_out_by_one_guesser_in_it(console: Console) -> None:
    office = "198.51.100.7"
    password = SecretStr(PASSWORDS[Role.VIEWER])
    assert console.sign_ins.sign_in("viewer-person", password, address=office)
    for number in range(sign_ins.MOST_PER_NETWORK):
        guess(console, f"somebody-{number}", office)
    assert guess(console, "somebody-else", office) == "refused"
    assert console.sign_ins.sign_in("viewer-person", password, address=office)


def test_a_stranger_cannot_lock_out_who_is_known_elsewhere(console: Console) -> None:
    password = SecretStr(PASSWORDS[Role.ADMIN])
    assert console.sign_ins.sign_in("admin-person", password, address="198.51.100.7")
    for number in range(sign_ins.MOST_PER_NAME):
        guess(console, "admin-person", f"203.0.113.{number}")
    assert guess(console, "admin-person", "203.0.113.200") == "refused"
    assert console.sign_ins.sign_in("admin-person", password, address="198.51.100.7")


def test_out_of_tries_a_network_is_not_told_who_is_known_in_it(console: Console) -> None:
    known = PASSWORDS[Role.VIEWER]
    Browser(console).sign_in("viewer-person", known)  # and out again: a colleague asks
    for number in range(sign_ins.MOST_PER_NETWORK):
        guess(console, f"nobody-{number}", "testclient")
    browser = Browser(console)
    answers = {browser.sign_in(name, "a wrong guess at it").text for name in
               ("nobody-99", *["viewer-person"] * sign_ins.MOST_PER_NAME_AND_NETWORK)}  # fmt: skip
    assert len(answers) == 1
    assert "Too many failed sign-ins" in answers.pop()


def test_the_addresses_of_one_ipv6_network_are_one_guesser(console: Console) -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1")
    for number in range(sign_ins.MOST_PER_NAME_AND_NETWORK):
        guess(console, "admin-person", f"2001:db8:1:2::{number}")
    assert guess(console, "admin-person", "2001:db8:1:2::ffff") == "refused"


def test_ones_own_present_password_cannot_be_guessed_either(console: Console) -> None:
    browser = signed_in(console, Role.VIEWER)
    new = {"new": "a new long sentence to keep", "again": "a new long sentence to keep"}
    codes = [
        browser.post("/account", {"present": f"guess {n}", **new}).status_code for n in range(7)
    ]
    most = sign_ins.MOST_PER_NAME_AND_NETWORK
    assert codes == [422] * most + [429] * 2
    said = Counter(entry.action for _n, entry in console.audit.latest(limit=20))
    assert said["present password was wrong"] == most
    assert said["password change refused: too many failures"] == 1


@pytest.mark.parametrize("change", ["password", "disabled", "role"])
def test_a_sign_in_that_is_looked_at_while_its_user_changes_opens_nothing(
    console: Console, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    users, old = console.users, SecretStr(PASSWORDS[Role.VIEWER])

    def changed_meanwhile(*given: Any) -> bool:
        is_right = passwords.matches(*given)
        if change == "password":
            users.set_password("viewer-person", SecretStr("another long sentence"))
        elif change == "disabled":
            users.disable("viewer-person")
        else:
            users.change("viewer-person", role=Role.BOOKKEEPER, clients=frozenset())
        return is_right

    monkeypatch.setattr("bill_pipeline.console.auth.users.matches", changed_meanwhile)
    assert console.sign_ins.sign_in("viewer-person", old, address="10.0.0.9") is None


def test_a_password_is_not_changed_by_who_knew_only_the_one_before(console: Console) -> None:
    thief = console.sign_ins.checked(
        "viewer-person", SecretStr(PASSWORDS[Role.VIEWER]), address="10.0.0.9"
    )
    console.users.set_password("viewer-person", SecretStr("another long sentence"))
    with pytest.raises(UserRefused, match="sign in again"):
        console.users.set_password("viewer-person", SecretStr("of the thief's own"), verified=thief)
    assert console.sign_ins.sign_in(
        "viewer-person", SecretStr("another long sentence"), address="10.0.0.9"
    )


@pytest.mark.parametrize(
    ("peer", "header", "address"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9:443, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", '"> <i>root signed in</i>', "10.0.0.1"),
        ("10.0.0.1", "fe80::1%<i>root signed in</i>", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
    ],
)
def test_only_a_proxys_word_counts_and_only_addresses(peer: str, header: str, address: str) -> None:
    seen = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    scope: Any = {"type": "http", "client": (peer, 1), "headers": []}
    if header:
        scope["headers"] = [(b"x-forwarded-for", header.encode())]
    forwarded = Forwarded(app, [ipaddress.ip_network("10.0.0.0/8")])
    asyncio.run(forwarded(scope, None, None))  # type: ignore[arg-type]
    assert seen == [address]


def test_the_real_cost_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at a time of what OWASP recommends: a quarter of a gigabyte, never four."""
    monkeypatch.undo()
    assert HASHED_AT_ONCE * 128 * passwords.COST * passwords.BLOCK_SIZE <= 2**28
