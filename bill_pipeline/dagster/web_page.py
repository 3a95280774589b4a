"""Dagster's web page on a Unix socket, for the console to hand on; it listens on no port.

Dagster's own command listens on TCP only, where any program and any web page of this machine reach
it. Who may open the socket's folder is the owner of the books alone, and the console in front of it
(``console/dagster_proxy``) says of each request whether its sender may change
anything: of all others Dagster itself refuses changes and shows no buttons for them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import dagster as dg
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__
from starlette.requests import HTTPConnection

from bill_pipeline.dagster.address import MAY_CHANGE, PREFIX

#: As Dagster's own command has them.
_STATEMENT_MS, _POOL_RECYCLE_SECONDS, _POOL_OVERFLOW = 15_000, 3_600, 20
#: How often an open page asks for news of the assets it shows.
_POLL_MS = 2_000
_FILE_NAME = re.compile(r"[\w.\-\[\]]{1,300}")


class RequestedPermissions(WorkspaceProcessContext):
    """Dagster's workspace, read-only for every request that does not bring ``MAY_CHANGE``."""

    def create_request_context(self, source: object | None = None) -> WorkspaceRequestContext:
        """What one request sees; ``source`` is the request, or None where Dagster asks itself."""
        may_change = isinstance(source, HTTPConnection) and MAY_CHANGE in source.headers
        return WorkspaceRequestContext(
            instance=self.instance,
            current_workspace=self.get_current_workspace(),
            process_context=self,
            version=self.version,
            source=source,
            read_only=not may_change,
        )


def follow_logs_of_runs_alone(instance: dg.DagsterInstance) -> None:
    """Refuse subscriptions to logs of anything but runs that exist.

    To follow a log Dagster makes its folder, whatever the name, and watches it with a thread. From
    now on subscribing raises ``DagsterInvariantViolationError`` for any log but a run's, whose key
    is its id, ``compute_logs`` and a file's name.
    """
    manager = instance.compute_log_manager
    subscribe = manager.subscribe

    def subscribe_to_run(log_key: Sequence[str], cursor: str | None = None) -> Any:
        if (
            len(log_key) != 3
            or log_key[1] != "compute_logs"
            or not _FILE_NAME.fullmatch(log_key[2])
            or not instance.has_run(log_key[0])
        ):
            raise dg.DagsterInvariantViolationError("This is not a log of a run.")
        return subscribe(log_key, cursor)

    manager.subscribe = subscribe_to_run  # type: ignore[method-assign]


@click.command()
@click.option("--socket", required=True, type=click.Path(path_type=Path))
@click.option("--workspace", required=True, type=click.Path(path_type=Path, exists=True))
def serve(socket: Path, workspace: Path) -> None:
    """Serve the web page of DAGSTER_HOME's instance on ``socket`` until a signal ends it."""
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(_STATEMENT_MS, _POOL_RECYCLE_SECONDS, _POOL_OVERFLOW)
        follow_logs_of_runs_alone(instance)
        target = WorkspaceFileTarget(paths=[str(workspace)])
        with RequestedPermissions(instance, target, version=__version__) as context:
            app: Any = create_app_from_workspace_process_context(context, PREFIX, _POLL_MS)
            uvicorn.run(
                app, uds=str(socket), log_level="warning", timeout_graceful_shutdown=1,
                server_header=False,
            )  # fmt: skip


if __name__ == "__main__":
    serve()
