"""Who sees which client: nobody by silence, everybody only by the word for it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from pydantic import SecretStr

from bill_pipeline.console.auth.users import ALL_CLIENTS, Role, Users
from bill_pipeline.console.console import Console
from bill_pipeline.console.database import ConsoleDatabase
from tests.console.console_browser import PASSWORDS, Browser

PASSWORD = "a long enough password"

#: The users of a console of 0.2, which knew no word for all clients.
OF_0_2 = """
create table users (
    name text primary key collate nocase, password_hash text not null, role text not null,
    clients text, created_at text not null, created_by text not null, disabled_at text
);
insert into users values
    ('boss', 'scrypt$1$$', 'admin', null, '2026-01-01', 'command line', null),
    ('keeper', 'scrypt$1$$', 'bookkeeper', null, '2026-01-01', 'boss', null),
    ('reader', 'scrypt$1$$', 'viewer', '["acme"]', '2026-01-01', 'boss', null);
"""


def add(admin: Browser, name: str, **form: str) -> int:
    values = {"name": name, "password": PASSWORD, "role": "bookkeeper", **form}
    return admin.post("/users", values).status_code


def test_a_user_without_clients_sees_none(console: Console, admin: Browser) -> None:
    assert add(admin, "new-person", clients="") == 303
    user = console.users.get("new-person")
    assert user.clients == frozenset()
    assert not any(user.may_see(client) for client in console.registry.names())


def test_all_clients_is_a_word_of_its_own(console: Console, admin: Browser) -> None:
    assert add(admin, "new-person", scope="all", clients="") == 303
    assert console.users.get("new-person").clients == ALL_CLIENTS
    both = {"role": "viewer", "access": "allowed", "scope": "all", "clients": "maple-bakery"}
    assert admin.post("/users/new-person", both).status_code == 422


def test_the_account_page_says_which_clients_one_sees(admin: Browser) -> None:
    assert "<dt>Clients</dt><dd>all</dd>" in admin.get("/account").text


def test_a_user_is_disabled_whatever_else_the_form_holds(console: Console, admin: Browser) -> None:
    odd = {"role": "emperor", "access": "disabled", "scope": "all", "clients": "no-such-client"}
    assert admin.post("/users/maple-person", odd).status_code == 303
    assert console.users.get("maple-person").is_disabled


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "short"},
        {"password": "ab" * 9},
        {"role": "emperor", "password": "four words of a sentence"},
        {"clients": "no-such-client", "password": "four words of a sentence"},
    ],
)
def test_a_change_of_a_user_that_is_refused_is_not_half_done(
    wrong: dict[str, str], console: Console, admin: Browser
) -> None:
    def kept() -> list[tuple[object, ...]]:
        with console.database.transaction() as db:
            return [tuple(row) for row in db.execute("select * from users order by name")]

    before, told = kept(), console.audit.latest()
    form = {"role": "bookkeeper", "scope": "some", "clients": "", "access": "allowed", **wrong}
    assert admin.post("/users/maple-person", form).status_code in (409, 422)
    new = {"name": "new-person", **form}
    assert admin.post("/users", new).status_code in (409, 422)
    assert kept() == before
    assert console.audit.latest() == told


def test_no_change_of_a_user_stands_without_its_line_in_the_audit_log(
    console: Console, admin: Browser
) -> None:
    with console.database.transaction() as db:
        db.execute(
            "create trigger full before insert on audit_log begin select raise(abort, 'full'); end"
        )
        before = [tuple(row) for row in db.execute("select * from users order by name")]
    words = "four words of a sentence"
    change = {"role": "bookkeeper", "scope": "all", "clients": "", "access": "", "password": words}
    changes = {
        "/users/maple-person": change,
        "/users/viewer-person": {**change, "access": "disabled"},
        "/users": {**change, "name": "new-person"},
        "/account": {"present": PASSWORDS[Role.ADMIN], "new": words, "again": words},
    }
    for path, form in changes.items():
        with pytest.raises(sqlite3.IntegrityError, match="full"):
            admin.post(path, form)
    with console.database.transaction() as db:
        assert [tuple(row) for row in db.execute("select * from users order by name")] == before


def test_a_client_that_is_gone_keeps_nobody_from_changing_a_user(
    console: Console, admin: Browser
) -> None:
    console.users.change(
        "maple-person", role=Role.BOOKKEEPER, clients=frozenset({"maple-bakery", "gone"})
    )
    same = {"role": "viewer", "access": "allowed", "clients": "gone maple-bakery"}
    assert admin.post("/users/maple-person", same).status_code == 303
    fewer = {"role": "viewer", "access": "allowed", "clients": ""}
    assert admin.post("/users/maple-person", fewer).status_code == 303
    assert console.users.get("maple-person").clients == frozenset()


def test_an_upgrade_takes_no_client_away_and_tells_the_administrator(tmp_path: Path) -> None:
    path = tmp_path / "console.sqlite"
    with sqlite3.connect(path) as old:
        old.executescript(OF_0_2)
    users = Users(ConsoleDatabase(path))
    assert {user.name: user.clients for user in users.all()} == {
        "boss": ALL_CLIENTS,
        "keeper": ALL_CLIENTS,
        "reader": frozenset({"acme"}),
    }
    assert users.given_all_clients() == ["keeper"]
    users.note_seen()
    users.create("later", SecretStr(PASSWORD), Role.VIEWER, clients=frozenset(), created_by="boss")
    again = Users(ConsoleDatabase(path))
    assert again.given_all_clients() == []
    assert again.get("later").clients == frozenset()


def test_the_users_page_names_whom_the_upgrade_gave_all_clients(
    console: Console, admin: Browser
) -> None:
    with console.database.transaction() as db:
        db.execute("insert into given_all_clients values ('maple-person')")
    assert "maple-person sees all clients" in " ".join(admin.get("/users").text.split())
    assert admin.post("/users/all-clients/seen", {}).status_code == 303
    assert "sees all clients" not in " ".join(admin.get("/users").text.split())
