"""Take a purged client out of Dagster's memory: its runs, and what others keep of it.

Sweeps name their clients, sensors note whom they know, reports hold samples of tables; everybody
reads them who may open Dagster. Another client's name may contain this one's, so a name counts only
where it stands alone. What Dagster reads by itself (an asset's key, a step) is never changed.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import sqlalchemy

from bill_pipeline.dagster.partitions import CLIENT_PARTITIONS
from bill_pipeline.errors import NotForgotten
from bill_pipeline.settings import Home

_PARTITION = "dagster/partition"
#: From which to which client a backfill's run goes; one alone would mean nothing.
_RANGE = frozenset({"dagster/asset_partition_range_start", "dagster/asset_partition_range_end"})
#: Stands where a text told of the client.
PURGED = "(of a client that was purged)"
#: Of Dagster's records, what holds words for people.
_WORDS = frozenset({"message", "user_message", "description", "text", "md_str", "stack", "data"})
_STILL_RUN = ("REQUESTED", "CANCELING", "FAILING")


def forget_client(home: Home, client: str) -> None:
    """Delete what Dagster's storage of ``home`` holds of ``client``. Raises NotForgotten."""
    if not (home.dagster / "dagster.yaml").exists():
        return
    try:
        with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
            _Forgetting(home, instance, client).run()
    except Exception as error:  # noqa: BLE001 - whatever the storage or its settings are
        raise NotForgotten(
            f"Dagster's storage could not be asked ({type(error).__name__}): samples of {client}'s "
            "tables stay there for 62 days. Delete its runs on Dagster's page Runs, by the tag "
            f"{_PARTITION}={client}."
        ) from None


class _Forgetting:
    """One client is forgotten in one of Dagster's storages."""

    def __init__(self, home: Home, instance: dg.DagsterInstance, client: str) -> None:
        self._home = home
        self._instance = instance
        self._client = client
        self._alone = re.compile(rf"(?<![A-Za-z0-9_-]){re.escape(client)}(?![A-Za-z0-9_-])")
        name = client.replace("_", "!_")
        self._names = {
            "client": client,
            "told": f'%"partition": "{name}"%',
            "named": f"%{name}%",  # other clients' names as well: each row is looked at
        }

    def run(self) -> None:
        if name := CLIENT_PARTITIONS.name:
            self._instance.delete_dynamic_partition(name, self._client)
        own, others = self._runs()
        for run_id in own:
            self._instance.delete_run(run_id)
            self._instance.compute_log_manager.delete_logs(prefix=[run_id])
        self._forget_events(own, others)
        self._forget_ticks()
        self._forget_backfills()

    def _runs(self) -> tuple[list[str], set[str]]:
        """Runs of this client alone, and others that may tell of it, which name it no more."""
        own, others = [], set()
        storage: Any = self._instance.run_storage
        with storage.connect() as db:
            rows = db.execute(sqlalchemy.text("select run_id, status, run_body from runs"))
            for run_id, status, text in rows.fetchall():
                run = json.loads(text)
                config, tags = run.get("run_config") or {}, run.get("tags") or {}
                clients = [client for each in _lists_of_clients(config) for client in each]
                if tags.get(_PARTITION) == self._client or set(clients) == {self._client}:
                    own.append(run_id)
                elif self._is_named({"config": config, "tags": tags}):
                    others.add(run_id)
                    for each in _lists_of_clients(config):
                        each[:] = [client for client in each if client != self._client]
                    kept = {n: value for n, value in tags.items() if not self._is_named(value)}
                    if len(kept.keys() & _RANGE) == 1:
                        kept = {n: value for n, value in kept.items() if n not in _RANGE}
                    run.update(run_config=self._unnamed(config), tags=kept)
                    self._write(db, "runs", "run_body", "run_id", run_id, run)
                    for name in tags.keys() - kept.keys():
                        db.execute(
                            sqlalchemy.text("delete from run_tags where run_id = :id and key = :k"),
                            {"id": run_id, "k": name},
                        )
                elif _PARTITION not in tags and not (clients and status == "SUCCESS"):
                    others.add(run_id)  # it took whoever was there, or failed of somebody
        return own, others

    def _forget_events(self, own: list[str], others: set[str]) -> None:
        # Dagster deletes whole assets and whole runs; of a sweep's run only this client's rows go.
        storage: Any = self._instance.event_log_storage
        of_it = "from event_logs where partition = :client"
        with storage.index_connection() as index:
            rows = index.execute(sqlalchemy.text(f"select distinct run_id {of_it}"), self._names)
            others |= {run_id for (run_id,) in rows.fetchall() if run_id}
        for run_id in others - set(own):
            with storage.run_connection(run_id) as shard:
                shard.execute(sqlalchemy.text(f"delete {of_it}"), self._names)
                self._clean(shard, "event_logs", "event", self._told_otherwise)
            self._forget_printed(run_id)
        with storage.index_connection() as index:
            for sql in (
                f"delete {of_it}",
                "delete from asset_check_executions where evaluation_event like :told escape '!'",
                """
                update asset_keys set last_materialization = null
                where last_materialization like :told escape '!'
                """,
                """
                update asset_keys set cached_status_data = null
                where cached_status_data like :named escape '!'
                """,
            ):
                index.execute(sqlalchemy.text(sql), self._names)
            for run_id in own:
                index.execute(
                    sqlalchemy.text("delete from asset_check_executions where run_id = :run"),
                    {"run": run_id},
                )
            self._clean(index, "event_logs", "event", self._told_otherwise)
            self._clean(index, "asset_check_executions", "evaluation_event", self._told_otherwise)
            self._clean(index, "asset_keys", "last_materialization", self._unworded)

    def _forget_printed(self, run_id: str) -> None:
        """Of what a run printed, the lines that name the client."""
        for path in (self._home.dagster / "storage" / run_id).rglob("*"):
            if not path.is_file():
                continue
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            kept = [line for line in lines if not self._alone.search(line)]
            if len(kept) < len(lines):
                path.write_text("".join(kept), encoding="utf-8")

    def _forget_ticks(self) -> None:
        storage: Any = self._instance.schedule_storage
        with storage.connect() as db:
            self._clean(db, "job_ticks", "tick_body", lambda _tick: None)
            self._clean(db, "jobs", "job_body", self._known_no_more)
            if sqlalchemy.inspect(db).has_table("instigators"):
                self._clean(db, "instigators", "instigator_body", self._known_no_more)

    def _forget_backfills(self) -> None:
        """A backfill under way stays: without its record its other clients' runs would not come."""
        storage: Any = self._instance.run_storage
        with storage.connect() as db:
            self._clean(
                db, "bulk_actions", "body", lambda _backfill: None,
                f"and status not in ({', '.join(map(repr, _STILL_RUN))})",
            )  # fmt: skip

    def _clean(
        self,
        db: sqlalchemy.Connection,
        table: str,
        column: str,
        cleaned: Callable[[Any], Any],
        more: str = "",
    ) -> None:
        """Write what ``cleaned`` makes of each record that names the client; None deletes it."""
        found = f"select id, {column} from {table} where {column} like :named escape '!' {more}"
        for number, text in db.execute(sqlalchemy.text(found), self._names).fetchall():
            record = json.loads(text)
            if not self._is_named(record):
                continue
            record = cleaned(record)
            if record is None:
                db.execute(sqlalchemy.text(f"delete from {table} where id = :id"), {"id": number})
            else:
                self._write(db, table, column, "id", number, record)

    @staticmethod
    def _write(
        db: sqlalchemy.Connection, table: str, column: str, key: str, value: Any, record: Any
    ) -> None:
        db.execute(
            sqlalchemy.text(f"update {table} set {column} = :text where {key} = :key"),
            {"text": json.dumps(record), "key": value},
        )

    def _told_otherwise(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """``event`` without what it says of the client; None for a line of the log about it."""
        if event.get("dagster_event") is None:
            return None
        event = self._unworded(event)
        return None if self._is_named(event) else event

    def _known_no_more(self, state: dict[str, Any]) -> dict[str, Any]:
        """A sensor's state with a cursor that does not know the client."""
        for part in _objects(state):
            if not self._is_named(part.get("cursor")):
                continue
            with contextlib.suppress(ValueError):  # a sensor of somebody else's
                cursor = json.loads(part["cursor"])
                if isinstance(cursor, dict):
                    cursor.pop(self._client, None)
                elif isinstance(cursor, list):
                    cursor = [each for each in cursor if each != self._client]
                part["cursor"] = json.dumps(cursor)
        return state

    def _unworded(self, given: Any, *, is_words: bool = False) -> Any:
        if isinstance(given, dict):
            return {
                name: self._unworded(part, is_words=is_words or name in _WORDS)
                for name, part in given.items()
            }
        if isinstance(given, list):
            # A row of a table about the client goes; a list of words keeps its length.
            rows = [part for part in given if not (_is_row(part) and self._is_named(part))]
            return [self._unworded(part, is_words=is_words) for part in rows]
        return PURGED if is_words and self._is_named(given) else given

    def _unnamed(self, given: Any) -> Any:
        if isinstance(given, dict):
            return {name: self._unnamed(part) for name, part in given.items()}
        if isinstance(given, list):
            return [self._unnamed(part) for part in given]
        return PURGED if self._is_named(given) else given

    def _is_named(self, given: Any) -> bool:
        return any(self._alone.search(text) for text in _texts(given))


def _is_row(part: Any) -> bool:
    return isinstance(part, dict) and part.get("__class__") == "TableRecord"


def _objects(given: Any) -> Iterator[dict[str, Any]]:
    if isinstance(given, dict):
        yield given
    for part in given.values() if isinstance(given, dict) else given:
        if isinstance(part, dict | list):
            yield from _objects(part)


def _texts(given: Any) -> Iterator[str]:
    """Every text in a record, also the names of its parts."""
    if isinstance(given, str):
        yield given
    elif isinstance(given, dict):
        for name, part in given.items():
            yield name
            yield from _texts(part)
    elif isinstance(given, list):
        for part in given:
            yield from _texts(part)


def _lists_of_clients(config: Any) -> Iterator[list[str]]:
    """The lists of clients in a run's config, which may be changed in place."""
    if isinstance(config, dict):
        for name, part in config.items():
            if name == "clients" and isinstance(part, list):
                yield part
            else:
                yield from _lists_of_clients(part)
