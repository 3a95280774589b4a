"""Sessions of signed-in users, and the brake on guessing passwords.

A try is written down before the password is looked at, so that tries sent at once count each other.
Who has signed in from a network before is known there: strangers' failures under other names, or
under the same name from elsewhere, do not lock that person out. Those under the name from the very
network do, for a quarter of an hour.

The browser holds a random token; only its hash is stored, so that a copy of the database opens no
session. A session ends after two idle hours, twelve hours in all, at sign-out, and when the user's
password or role changes; which clients are open is read anew for each page.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from bill_pipeline.bill.clock import CLOCKS_DIFFER
from bill_pipeline.console.auth.users import UnknownUser, User, Users, Verified
from bill_pipeline.console.database import ConsoleDatabase
from bill_pipeline.errors import PipelineError
from bill_pipeline.registry.clients import utc_now

IDLE = timedelta(hours=2)
LONGEST = timedelta(hours=12)
#: The last use is written down at most this often: reading a page should not write to the disk.
NOTED_EVERY = timedelta(minutes=1)

#: Tries within the window that did not succeed: for one name from one network; and, for names that
#: are not known there, from one network and for one name from everywhere.
WINDOW = timedelta(minutes=15)
MOST_PER_NAME_AND_NETWORK = 5
MOST_PER_NETWORK = 25
MOST_PER_NAME = 50
#: A name that signed in from a network is known there for so long.
KNOWN_FOR = timedelta(days=90)
_TOO_MANY = (
    f"Too many failed sign-ins. Wait {int(WINDOW.total_seconds() // 60)} minutes, or ask an "
    "administrator of the console to set a new password."
)


class TooManyFailures(PipelineError):
    """Somebody is guessing, or mistyping; wait.

    ``is_news``: nobody was told within the window that this name or network is out of tries.
    """

    def __init__(self, message: str, *, is_news: bool) -> None:
        super().__init__(message)
        self.is_news = is_news


@dataclass(frozen=True)
class SignIn:
    """A signed-in browser: its user and the token that its forms must carry."""

    user: User
    csrf_token: str
    token_hash: str


@dataclass(frozen=True)
class _Tries:
    """Of a name that may still try: whether it is known there, and whether only therefore."""

    is_known: bool
    are_spent_for_strangers: bool


class SignIns:
    """All sessions of one console."""

    def __init__(self, database: ConsoleDatabase, users: Users) -> None:
        self._database = database
        self._users = users
        #: Hashes of tokens that were good when they were last looked at: says who is served first,
        #: never who is let in.
        self._regulars: set[str] = set()
        #: Who ran out of tries, and when that was said: refusals are many, the audit log is kept.
        self._told: dict[tuple[str, ...], datetime] = {}

    def is_regular(self, token: str | None) -> bool:
        """Whether ``token`` was good lately, without looking it up; ``of`` says whether it is."""
        return bool(token) and _hash(SecretStr(token or "")) in self._regulars

    def is_known(self, name: str, *, address: str) -> bool:
        """Whether ``name`` signed in from that network before. Raises TooManyFailures."""
        with self._database.transaction() as db:
            return self._with_tries_left(db, name, network_of(address), utc_now()).is_known

    def sign_in(self, name: str, password: SecretStr, *, address: str) -> SecretStr | None:
        """A new session's token, or None when name or password is wrong.

        Raises TooManyFailures before the password is looked at.
        """
        verified = self.checked(name, password, address=address)
        if verified is None:
            return None
        now, name = utc_now(), verified.user.name
        with self._database.transaction() as db:
            db.execute("begin immediate")
            if not verified.still_holds(db):
                return None
            db.execute("delete from sessions where created_at < ?", [_text(now - LONGEST)])
            token = SecretStr(secrets.token_urlsafe(32))
            db.execute(
                "insert into sessions (token_hash, user_name, csrf_token, created_at, "
                "last_seen_at) values (?, ?, ?, ?, ?)",
                [
                    _hash(token),
                    verified.user.name,
                    secrets.token_urlsafe(32),
                    _text(now),
                    _text(now),
                ],
            )
        self._regulars.add(_hash(token))
        return token

    def checked(self, name: str, password: SecretStr, *, address: str) -> Verified | None:
        """The user whose password this is, or None. Raises TooManyFailures before it is looked at.

        A failure stays written down; a success takes back what was written of this name here.
        """
        network = network_of(address)
        tries = self._reserve(name, network)
        verified = self._users.verified(name, password)
        if verified is not None:
            with self._database.transaction() as db:
                db.execute("begin immediate")
                if not verified.still_holds(db):
                    return None
                db.execute(
                    "delete from failed_sign_ins where user_name = ? and address = ?",
                    [name, network],
                )
                db.execute(
                    "insert or replace into known_networks values (?, ?, ?)",
                    [name, network, _text(utc_now())],
                )
        elif tries.are_spent_for_strangers:
            # As strangers are answered: who is known here is not told apart from them.
            raise TooManyFailures(_TOO_MANY, is_news=True)
        return verified

    def of(self, token: str | None, *, is_visit: bool = True) -> SignIn | None:
        """Who holds ``token``, or None when it is unknown, too old or the user was disabled.

        ``is_visit``: a person does something; what an open page asks for by itself keeps no session
        from becoming idle.
        """
        if not token:
            return None
        token_hash = _hash(SecretStr(token))
        found = self._found(token_hash, utc_now(), is_visit)
        (self._regulars.add if found else self._regulars.discard)(token_hash)
        return found

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

    def _found(self, token_hash: str, now: datetime, is_visit: bool) -> SignIn | None:
        with self._database.transaction() as db:
            row = db.execute("select * from sessions where token_hash = ?", [token_hash]).fetchone()
            if row is None:
                return None
            last_seen = datetime.fromisoformat(row["last_seen_at"])
            created = datetime.fromisoformat(row["created_at"])
            # A moment yet to come was noted by a clock that was ahead: it would keep the session.
            is_past = max(last_seen, created) <= now + CLOCKS_DIFFER
            if not is_past or now - last_seen > IDLE or now - created > LONGEST:
                db.execute("delete from sessions where token_hash = ?", [token_hash])
                return None
            if is_visit and now - last_seen > NOTED_EVERY:
                db.execute(
                    "update sessions set last_seen_at = ? where token_hash = ?",
                    [_text(now), token_hash],
                )
        try:
            user = self._users.get(row["user_name"])
        except UnknownUser:
            return None
        return None if user.is_disabled else SignIn(user, row["csrf_token"], token_hash)

    def _reserve(self, name: str, network: str) -> _Tries:
        """Write a try down as failed. Raises TooManyFailures when there were enough of them."""
        now = utc_now()
        with self._database.transaction() as db:
            db.execute("begin immediate")
            db.execute(
                "delete from failed_sign_ins where failed_at not between ? and ?",
                [_text(now - WINDOW), _text(now + CLOCKS_DIFFER)],
            )
            db.execute("delete from known_networks where seen_at < ?", [_text(now - KNOWN_FOR)])
            tries = self._with_tries_left(db, name, network, now)
            db.execute("insert into failed_sign_ins values (?, ?, ?)", [name, network, _text(now)])
        return tries

    def _with_tries_left(
        self, db: sqlite3.Connection, name: str, network: str, now: datetime
    ) -> _Tries:
        """What ``name`` may still try in ``network``. Raises TooManyFailures."""
        both, by_network, by_name, is_known = db.execute(
            """
            select
                count(*) filter (where user_name = :name and address = :network),
                count(*) filter (where address = :network),
                count(*) filter (where user_name = :name),
                exists (
                    select 1 from known_networks
                    where user_name = :name and network = :network
                )
            from failed_sign_ins
            where failed_at between :since and :latest
            """,
            {
                "name": name,
                "network": network,
                "since": _text(now - WINDOW),
                "latest": _text(now + CLOCKS_DIFFER),
            },
        ).fetchone()
        if both >= MOST_PER_NAME_AND_NETWORK:
            raise self._too_many(now, "name and network", name.casefold(), network)
        if not is_known and by_network >= MOST_PER_NETWORK:
            raise self._too_many(now, "network", network)
        if not is_known and by_name >= MOST_PER_NAME:
            raise self._too_many(now, "name", name.casefold())
        spent = by_network >= MOST_PER_NETWORK or by_name >= MOST_PER_NAME
        return _Tries(is_known=bool(is_known), are_spent_for_strangers=spent)

    def _too_many(self, now: datetime, *whose: str) -> TooManyFailures:
        told = dict(self._told)
        self._told = {who: at for who, at in told.items() if now - at < WINDOW} | {whose: now}
        return TooManyFailures(
            _TOO_MANY,
            is_news=whose not in told or now - told[whose] >= WINDOW,
        )


def network_of(address: str) -> str:
    """The network that counts as one guesser: an IPv4 address, or the /64 that IPv6 hands out."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def _hash(token: SecretStr) -> str:
    return hashlib.sha256(token.get_secret_value().encode()).hexdigest()


def _text(moment: datetime) -> str:
    return moment.isoformat()
