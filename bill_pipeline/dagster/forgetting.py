"""Take a purged client out of Dagster's memory: its runs, and what other runs reported of it.

Reports hold samples of its tables, which everybody reads who may open Dagster.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
import sqlalchemy

from bill_pipeline.errors import NotForgotten
from bill_pipeline.settings import Home

_PARTITION = "dagster/partition"


def forget_client(home: Home, client: str) -> None:
    """Delete what Dagster's storage of ``home`` holds of ``client``. Raises NotForgotten."""
    if not (home.dagster / "dagster.yaml").exists():
        return
    try:
        with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
            _forget(instance, client)
    except Exception as error:  # noqa: BLE001 - whatever the storage or its settings are
        raise NotForgotten(
            f"Dagster's storage could not be asked ({type(error).__name__}): samples of {client}'s "
            "tables stay there for 62 days. Delete its runs on Dagster's page Runs, by the tag "
            f"{_PARTITION}={client}."
        ) from None


def _forget(instance: dg.DagsterInstance, client: str) -> None:
    own = instance.get_run_records(dg.RunsFilter(tags={_PARTITION: client}))
    for record in own:
        instance.delete_run(record.dagster_run.run_id)
    # Dagster deletes whole assets and whole runs; of a sweep's run only this client's rows go.
    storage: Any = instance.event_log_storage
    names = {"client": client, "told": f'%"partition": "{client.replace("_", "!_")}"%'}
    of_it = "from event_logs where partition = :client"
    with storage.index_connection() as index:
        runs = index.execute(sqlalchemy.text(f"select distinct run_id {of_it}"), names).fetchall()
    for (run_id,) in runs:
        if run_id:
            with storage.run_connection(run_id) as shard:
                shard.execute(sqlalchemy.text(f"delete {of_it}"), names)
    with storage.index_connection() as index:
        for sql in (
            f"delete {of_it}",
            "delete from asset_check_executions where evaluation_event like :told escape '!'",
            """
            update asset_keys set last_materialization = null, cached_status_data = null
            where last_materialization like :told escape '!'
            """,
        ):
            index.execute(sqlalchemy.text(sql), names)
        for record in own:
            index.execute(
                sqlalchemy.text("delete from asset_check_executions where run_id = :run"),
                {"run": record.dagster_run.run_id},
            )
