"""Sessions of signed-in users, and the brake on guessing passwords.

The browser holds a random token; only its hash is stored, so that a copy of the database opens no
session. A session ends after two idle hours, twelve hours in all, at sign-out, and when the user's
password, role or access changes.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from bill_pipeline.clients import utc_now
from bill_pipeline.console.database import ConsoleDatabase
from bill_pipeline.console.users import UnknownUser, User, Users
from bill_pipeline.errors import PipelineError

IDLE = timedelta(hours=2)
LONGEST = timedelta(hours=12)
#: A visit is written down at most this often: reading a page should not write to the disk.
NOTED_EVERY = timedelta(minutes=1)

#: Failed sign-ins allowed within the window: for one name from one address, from one address, and
#: for one name from everywhere (many, so that a stranger can hardly lock a colleague out).
WINDOW = timedelta(minutes=15)
MOST_PER_NAME_AND_ADDRESS = 5
MOST_PER_ADDRESS = 25
MOST_PER_NAME = 50


class TooManyFailures(PipelineError):
    """Somebody is guessing, or mistyping; wait."""


@dataclass(frozen=True)
class SignIn:
    """A signed-in browser: its user and the token that its forms must carry."""

    user: User
    csrf_token: str
    token_hash: str


class SignIns:
    """All sessions of one console."""

    def __init__(self, database: ConsoleDatabase, users: Users) -> None:
        self._database = database
        self._users = users

    def sign_in(self, name: str, password: SecretStr, *, address: str) -> SecretStr | None:
        """A new session's token, or None when name or password is wrong.

        Raises TooManyFailures before the password is looked at.
        """
        self._require_patience(name, address)
        user = self._users.verified(name, password)
        now = utc_now()
        with self._database.transaction() as db:
            if user is None:
                db.execute(
                    "insert into failed_sign_ins values (?, ?, ?)", [name, address, _text(now)]
                )
                return None
            db.execute(
                "delete from failed_sign_ins where user_name = ? and address = ?", [name, address]
            )
            db.execute("delete from sessions where created_at < ?", [_text(now - LONGEST)])
            token = SecretStr(secrets.token_urlsafe(32))
            db.execute(
                "insert into sessions (token_hash, user_name, csrf_token, created_at, "
                "last_seen_at) values (?, ?, ?, ?, ?)",
                [_hash(token), user.name, secrets.token_urlsafe(32), _text(now), _text(now)],
            )
        return token

    def of(self, token: str | None) -> SignIn | None:
        """Who holds ``token``, or None when it is unknown, too old or the user was disabled."""
        if not token:
            return None
        token_hash, now = _hash(SecretStr(token)), utc_now()
        with self._database.transaction() as db:
            row = db.execute("select * from sessions where token_hash = ?", [token_hash]).fetchone()
            if row is None:
                return None
            last_seen = datetime.fromisoformat(row["last_seen_at"])
            created = datetime.fromisoformat(row["created_at"])
            if now - last_seen > IDLE or now - created > LONGEST:
                db.execute("delete from sessions where token_hash = ?", [token_hash])
                return None
            if now - last_seen > NOTED_EVERY:
                db.execute(
                    "update sessions set last_seen_at = ? where token_hash = ?",
                    [_text(now), token_hash],
                )
        try:
            user = self._users.get(row["user_name"])
        except UnknownUser:
            return None
        return None if user.is_disabled else SignIn(user, row["csrf_token"], token_hash)

    def sign_out(self, sign_in: SignIn) -> None:
        with self._database.transaction() as db:
            db.execute("delete from sessions where token_hash = ?", [sign_in.token_hash])

    def notify(self, sign_in: SignIn, kind: str, text: str, **links: str) -> None:
        """Show ``text`` on the next page this browser opens. ``kind``: done | warning | error."""
        with self._database.transaction() as db:
            db.execute("begin immediate")
            row = db.execute(
                "select notices from sessions where token_hash = ?", [sign_in.token_hash]
            ).fetchone()
            if row:
                notices = [*json.loads(row["notices"]), {"kind": kind, "text": text, **links}]
                db.execute(
                    "update sessions set notices = ? where token_hash = ?",
                    [json.dumps(notices), sign_in.token_hash],
                )

    def take_notices(self, sign_in: SignIn) -> list[dict[str, str]]:
        """What is to be shown now; each notice is shown once."""
        with self._database.transaction() as db:
            row = db.execute(
                "select notices from sessions where token_hash = ?", [sign_in.token_hash]
            ).fetchone()
            if row is None or row["notices"] == "[]":
                return []
            db.execute(
                "update sessions set notices = '[]' where token_hash = ?", [sign_in.token_hash]
            )
        notices: list[dict[str, str]] = json.loads(row["notices"])
        return notices

    def _require_patience(self, name: str, address: str) -> None:
        since = _text(utc_now() - WINDOW)
        with self._database.transaction() as db:
            db.execute("delete from failed_sign_ins where failed_at < ?", [since])
            both, by_address, by_name = db.execute(
                """
                select
                    count(*) filter (where user_name = :name and address = :address),
                    count(*) filter (where address = :address),
                    count(*) filter (where user_name = :name)
                from failed_sign_ins
                """,
                {"name": name, "address": address},
            ).fetchone()
        if (
            both >= MOST_PER_NAME_AND_ADDRESS
            or by_address >= MOST_PER_ADDRESS
            or by_name >= MOST_PER_NAME
        ):
            minutes = int(WINDOW.total_seconds() // 60)
            raise TooManyFailures(
                f"Too many failed sign-ins. Wait {minutes} minutes, or ask an administrator of "
                "the console to set a new password."
            )


def _hash(token: SecretStr) -> str:
    return hashlib.sha256(token.get_secret_value().encode()).hexdigest()


def _text(moment: datetime) -> str:
    return moment.isoformat()
