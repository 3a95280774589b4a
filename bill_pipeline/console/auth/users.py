"""The firm's users: who they are, what their role allows and which clients they may see.

::

    PipelineError
    ├── UnknownUser          no such user
    ├── UserRefused          a user cannot be made or changed like this
    └── passwords.WeakPassword
"""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Final, Literal

from pydantic import SecretStr

from bill_pipeline.console.auth.passwords import hashed, matches, require_strong
from bill_pipeline.console.database import ConsoleDatabase, Written
from bill_pipeline.errors import PipelineError
from bill_pipeline.registry.clients import utc_now

#: One sign more than any name has.
LONGEST_NAME = 64
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,62}")


class UnknownUser(PipelineError):
    """No user of that name."""


class UserRefused(PipelineError):
    """The user cannot be made or changed like this; the message says why."""


class Permission(IntEnum):
    """What a page asks for; each includes those before it."""

    ANYONE = 0  # the sign-in page
    SIGNED_IN = 1  # one's own account
    READ = 2
    REVIEW = 3
    ADMINISTER = 4


class Role(StrEnum):
    VIEWER = "viewer"  # reads the books
    BOOKKEEPER = "bookkeeper"  # settles the review queue, syncs, closes months
    ADMIN = "admin"  # connects clients and manages users

    @property
    def permission(self) -> Permission:
        return _PERMISSIONS[self]


#: Every client, those of tomorrow too: a word of its own, so that an empty list is nobody's.
ALL_CLIENTS: Final = "all"
Clients = frozenset[str] | Literal["all"]

_PERMISSIONS = {
    Role.VIEWER: Permission.READ,
    Role.BOOKKEEPER: Permission.REVIEW,
    Role.ADMIN: Permission.ADMINISTER,
}


@dataclass(frozen=True)
class User:
    """One person of the firm, and the clients whose books are open to this one."""

    name: str
    role: Role
    clients: Clients = frozenset()
    is_disabled: bool = False

    def may(self, permission: Permission) -> bool:
        return not self.is_disabled and self.role.permission >= permission

    @property
    def sees_all_clients(self) -> bool:
        """By that choice: a list that names every client of today is still a list."""
        return self.clients == ALL_CLIENTS

    @property
    def may_open_dagster(self) -> bool:
        """Dagster shows what concerns every client of the firm, and no part of it can be hidden."""
        return self.sees_all_clients and self.may(Permission.READ)

    @property
    def may_change_dagster(self) -> bool:
        """Start runs, stop sensors: a run can be told to work on any folder of the server."""
        return self.may_open_dagster and self.may(Permission.ADMINISTER)

    def may_see(self, client: str) -> bool:
        return self.sees_all_clients or client in self.clients


@dataclass(frozen=True)
class Verified:
    """A user whose password was right, and as which user, so that it can be asked again later.

    Looking at a password takes a third of a second, in which it may be changed.
    """

    user: User
    password_hash: str = field(repr=False)

    def still_holds(self, db: sqlite3.Connection) -> bool:
        """Whether password, role and access are still those, asked in the caller's transaction."""
        return bool(
            db.execute(
                "select exists (select 1 from users where name = ? and password_hash = ? "
                "and role = ? and disabled_at is null)",
                [self.user.name, self.password_hash, self.user.role],
            ).fetchone()[0]
        )


def _nothing(_db: sqlite3.Connection) -> None:
    """Where nobody of the console asks there is no line for its audit log."""


class Users:
    """All users of one console.

    What changes one is checked before anything is written and written at once; ``told`` is the
    audit log's line of it, written with it or not at all.
    """

    def __init__(self, database: ConsoleDatabase) -> None:
        self._database = database

    @cached_property
    def _nobody(self) -> str:
        """Checked for names that do not exist, so that the time taken tells nothing."""
        return hashed(SecretStr("a password that nobody has"))

    def create(
        self,
        name: str,
        password: SecretStr,
        role: Role,
        *,
        clients: Clients,
        created_by: str,
        told: Written = _nothing,
    ) -> User:
        """Raises UserRefused when the name is taken or unusable, WeakPassword."""
        if not _NAME.fullmatch(name):
            raise UserRefused(
                f"{name!r} cannot be a user's name: use letters, digits, spaces and . _ @ + -"
            )
        require_strong(password, user_name=name)
        stored_clients, password_hash = _stored(role, clients, name), hashed(password)
        with self._database.transaction() as db:
            try:
                db.execute(
                    "insert into users (name, password_hash, role, clients, created_at, "
                    "created_by) values (?, ?, ?, ?, ?, ?)",
                    [name, password_hash, role, stored_clients, _now(), created_by],
                )
            except sqlite3.IntegrityError:
                raise UserRefused(f"There is a user named {name} already.") from None
            told(db)
        return self.get(name)

    def get(self, name: str) -> User:
        """Raises UnknownUser."""
        with self._database.transaction() as db:
            row = db.execute("select * from users where name = ?", [name]).fetchone()
        if row is None:
            raise UnknownUser(f"There is no user named {name!r}.")
        return _user(row)

    def all(self) -> list[User]:
        with self._database.transaction() as db:
            rows = db.execute("select * from users order by name").fetchall()
        return [_user(row) for row in rows]

    def verified(self, name: str, password: SecretStr) -> Verified | None:
        """The user, when the password is right and the user may sign in."""
        with self._database.transaction() as db:
            row = db.execute("select * from users where name = ?", [name]).fetchone()
        nobody = self._nobody
        is_right = matches(password, row["password_hash"] if row else nobody)
        if not row or not is_right or row["disabled_at"]:
            return None
        return Verified(_user(row), row["password_hash"])

    def change(
        self,
        name: str,
        *,
        role: Role,
        clients: Clients,
        password: SecretStr | None = None,
        told: Written = _nothing,
    ) -> User:
        """Also lets a disabled user sign in again; ``password``: a new one, which ends sessions.

        Raises UnknownUser, WeakPassword, and UserRefused when the last admin would be lost.
        """
        before = self.get(name)
        stored_clients = _stored(role, clients, name)
        password_hash = _strong(password, before) if password is not None else None
        with self._database.transaction() as db:
            db.execute("begin immediate")
            db.execute(
                "update users set role = ?, clients = ?, disabled_at = null, "
                "password_hash = coalesce(?, password_hash) where name = ?",
                [role, stored_clients, password_hash, name],
            )
            _require_an_admin(db, name)
            if role is not before.role or password_hash is not None:
                db.execute("delete from sessions where user_name = ?", [name])
            told(db)
        return self.get(name)

    def disable(self, name: str, *, told: Written = _nothing) -> User:
        """End the user's sessions and let nobody sign in by this name.

        Raises UnknownUser, and UserRefused when the last admin would be lost.
        """
        self.get(name)
        with self._database.transaction() as db:
            db.execute("begin immediate")
            db.execute("update users set disabled_at = ? where name = ?", [_now(), name])
            _require_an_admin(db, name)
            db.execute("delete from sessions where user_name = ?", [name])
            told(db)
        return self.get(name)

    def given_all_clients(self) -> list[str]:
        """Users that an upgrade gave *all clients*, until an administrator has seen it."""
        with self._database.transaction() as db:
            rows = db.execute("select user_name from given_all_clients order by 1").fetchall()
        return [row["user_name"] for row in rows]

    def note_seen(self) -> None:
        """An administrator has seen whom the upgrade gave all clients."""
        with self._database.transaction() as db:
            db.execute("delete from given_all_clients")

    def set_password(
        self,
        name: str,
        password: SecretStr,
        *,
        verified: Verified | None = None,
        told: Written = _nothing,
    ) -> None:
        """Also ends the user's sessions; ``verified``: only while that still holds.

        Raises UnknownUser, WeakPassword, UserRefused.
        """
        password_hash = _strong(password, self.get(name))
        with self._database.transaction() as db:
            db.execute("begin immediate")
            if verified is not None and not verified.still_holds(db):
                raise UserRefused(f"{name} was changed meanwhile: sign in again.")
            db.execute("update users set password_hash = ? where name = ?", [password_hash, name])
            db.execute("delete from sessions where user_name = ?", [name])
            told(db)


def _strong(password: SecretStr, user: User) -> str:
    """Its hash, made before the database is held: that takes a third of a second."""
    require_strong(password, user_name=user.name)
    return hashed(password)


def _require_an_admin(db: sqlite3.Connection, name: str) -> None:
    admins = db.execute(
        "select count(*) from users where role = 'admin' and disabled_at is null"
    ).fetchone()[0]
    if admins == 0:
        raise UserRefused(f"{name} is the last administrator: make another user one first.")


def _stored(role: Role, clients: Clients, name: str) -> str:
    if clients == ALL_CLIENTS:
        return json.dumps(ALL_CLIENTS)
    if role is Role.ADMIN:
        raise UserRefused(
            f"{name} cannot be an administrator of some clients only: administrators connect and "
            "remove clients. Choose bookkeeper, or allow all clients."
        )
    return json.dumps(sorted(clients))


def _user(row: sqlite3.Row) -> User:
    clients = json.loads(row["clients"] or "[]")
    return User(
        name=row["name"],
        role=Role(row["role"]),
        clients=ALL_CLIENTS if clients == ALL_CLIENTS else frozenset(clients),
        is_disabled=row["disabled_at"] is not None,
    )


def _now() -> str:
    return utc_now().isoformat()
