"""Each client's BILL session, sealed in the registry, so that the next run need not log in."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict

from pydantic import SecretStr

from bill_pipeline.bill.sessions import Session
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.registry.vault import Vault, VaultError


class SealedSessions:
    """Keeps each client's BILL session between runs, sealed; a new login is scarce.

    The ``bill.sessions.SessionStore`` of this home. It keeps the key for as long as it lives, as
    each request asks for its session, and so is made anew for each import.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known_vault: Vault | None = None

    def get(self, client: str) -> Session | None:
        with self._registry.database() as db:
            return self._read(db, client)

    def put(self, client: str, session: Session) -> None:
        sealed = self._vault().seal(SecretStr(json.dumps(asdict(session))))
        with self._registry.database() as db:
            db.execute(
                "insert or replace into sessions values (?, ?, ?)",
                [client, sealed, utc_now().isoformat()],
            )

    def drop(self, client: str, session: Session) -> None:
        with self._registry.database() as db:
            db.execute("begin immediate")
            if self._read(db, client) == session:
                db.execute("delete from sessions where client = ?", [client])

    def _read(self, db: sqlite3.Connection, client: str) -> Session | None:
        row = db.execute(
            "select session_sealed from sessions where client = ?", [client]
        ).fetchone()
        if row is None:
            return None
        try:
            opened = self._vault().open(row["session_sealed"])
            return Session(**json.loads(opened.get_secret_value()))
        except (VaultError, ValueError, TypeError, AttributeError):
            # Sealed with a key that was retired, or damaged: a login is cheaper than a failure.
            self._known_vault = None
            return None

    def _vault(self) -> Vault:
        if self._known_vault is None:
            self._known_vault = Vault.of(self._registry.home)
        return self._known_vault
