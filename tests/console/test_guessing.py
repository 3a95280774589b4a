"""Guessing passwords, many at once: bounded in tries, memory and in whom it keeps out."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from bill_pipeline.console import guard, passwords, sign_ins
from bill_pipeline.console.app import HASHED_AT_ONCE, Console
from bill_pipeline.console.sign_ins import TooManyFailures, network_of
from bill_pipeline.console.users import Role
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


def test_two_passwords_are_hashed_at_once_and_no_more(
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
        are_two.wait(5)
        time.sleep(0.1)  # long enough for a third one to come
        with lock:
            running -= 1
        return False

    monkeypatch.setattr("bill_pipeline.console.users.matches", slow)
    browser = Browser(console)
    with browser.http, ThreadPoolExecutor(20) as threads:  # one event loop for all of them
        form = {"password": "a guess", "csrf_token": csrf_token(browser.get("/sign-in").text)}

        def guess_as(number: int) -> int:
            answer = browser.http.post("/sign-in", data={**form, "name": f"somebody-{number}"})
            return int(answer.status_code)

        codes = list(threads.map(guess_as, range(20)))
    assert set(codes) == {401}
    assert most == HASHED_AT_ONCE


def test_who_waits_too_long_is_told_to_come_again(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MOST_WAITING_TO_HASH", 0)
    assert Browser(console).sign_in("admin-person", "any").status_code == 503


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
    assert codes == [422] * sign_ins.MOST_PER_NAME_AND_NETWORK + [429] * 2


def test_the_real_cost_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at a time of what OWASP recommends: a quarter of a gigabyte, never four."""
    monkeypatch.undo()
    assert HASHED_AT_ONCE * 128 * passwords.COST * passwords.BLOCK_SIZE <= 2**28
