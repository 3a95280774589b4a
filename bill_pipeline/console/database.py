"""``<home>/console.sqlite``: the console's own memory, safe for many threads and processes.

Users, sign-ins, the audit log and what was put off in the review queue. No figure of any client's
books is kept here, and no secret in clear: passwords are hashed, session tokens too.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from bill_pipeline.at_rest import make_private
from bill_pipeline.runtime.sqlite_files import SqliteFile

#: Writes something more in a transaction of somebody else's.
Written = Callable[[sqlite3.Connection], None]

_SCHEMA = """
create table if not exists users (
    name text primary key collate nocase,
    password_hash text not null,
    role text not null,
    clients text,                       -- JSON: the clients the user may see, or "all"
    created_at text not null,
    created_by text not null,
    disabled_at text
);
create table if not exists given_all_clients (user_name text primary key);
create table if not exists sessions (
    token_hash text primary key,
    user_name text not null collate nocase,
    csrf_token text not null,
    created_at text not null,
    last_seen_at text not null,
    notices text not null default '[]'
);
create table if not exists failed_sign_ins (
    user_name text not null collate nocase,
    address text not null,
    failed_at text not null
);
create table if not exists known_networks (
    user_name text not null collate nocase,
    network text not null,
    seen_at text not null,
    primary key (user_name, network)
);
create index if not exists failed_sign_ins_by_time on failed_sign_ins (failed_at);
create table if not exists audit_log (
    id integer primary key,
    happened_at text not null,
    user_name text not null,
    address text not null,
    action text not null,
    client text,
    details text not null               -- JSON: what the action was about
);
create index if not exists audit_log_by_client on audit_log (client, id);
create trigger if not exists audit_log_is_never_edited before update on audit_log
    begin select raise(abort, 'the audit log is append-only'); end;
create trigger if not exists audit_log_is_never_deleted before delete on audit_log
    begin select raise(abort, 'the audit log is append-only'); end;
create table if not exists postponed_lines (
    client text not null,
    transaction_id text not null,
    until_at text not null,
    postponed_by text not null,
    primary key (client, transaction_id)
);
drop table if exists review_actions;    -- until 0.2: an answer is undone from the client's file
"""


#: Until 0.2 a user without a list saw every client. Those users are told of, once.
_SAY_ALL_CLIENTS = """
begin immediate;
insert or ignore into given_all_clients
    select name from users where clients is null and role <> 'admin';
update users set clients = '"all"' where clients is null;
pragma user_version = 1;
commit;
"""


class ConsoleDatabase:
    """Opens ``console.sqlite``; each ``transaction()`` is one short transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        make_private(path)
        with self.transaction() as db:
            db.execute("pragma journal_mode = wal")
            db.executescript(_SCHEMA)
            (version,) = db.execute("pragma user_version").fetchone()
            if version < 1:
                db.executescript(_SAY_ALL_CLIENTS)

    def forget(self, client: str) -> None:
        """Take ``client`` out of every user's list and of the review queue's memory.

        The audit log keeps its name: it says who deleted the books.
        """
        with self.transaction() as db:
            db.execute("begin immediate")
            db.execute(
                """
                update users set clients = (
                    select json_group_array(value) from json_each(users.clients) where value <> ?
                )
                where json_type(clients) = 'array'
                """,
                [client],
            )
            db.execute("delete from postponed_lines where client = ?", [client])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commits at the end, rolls back on an error, closes always."""
        db = sqlite3.connect(self._path, timeout=30, factory=SqliteFile)
        db.row_factory = sqlite3.Row
        try:
            with db:
                yield db
        finally:
            db.close()
