"""A client rests or leaves the firm: then its token is forgotten and, if asked for, its books.

The command line and the console both come through here, so both do the same.
"""

from __future__ import annotations

from bill_pipeline.publishing.publish import publish, show_status
from bill_pipeline.publishing.stores import store_of
from bill_pipeline.registry.client_errors import UnknownClient
from bill_pipeline.registry.client_files import client_lock
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.registry.webhooks import Webhooks
from bill_pipeline.settings import SettingsError, require_client_name


def require_known(registry: Registry, client: str) -> None:
    """Raises UnknownClient when neither the registry, a file nor the ledger knows ``client``.

    Books that were kept may go later, and a client that a registry of another day does not know
    may be disconnected as well.
    """
    require_client_name(client)
    home = registry.home
    # One that was disconnected may be purged again: what stopped a purge midway is made up for.
    if client in registry.names() or client in registry.disconnected():
        return
    if home.client_file(client).exists():
        return
    if client not in store_of(home).builds():
        raise UnknownClient(client)


def pause(registry: Registry, client: str) -> None:
    """Stop syncing ``client`` until it is resumed; its books stay. Raises UnknownClient."""
    registry.update(client, state=State.PAUSED)
    show_status(registry)


def resume(registry: Registry, client: str) -> None:
    """Sync a paused client again. Raises UnknownClient, and SettingsError when it is not paused."""
    status = registry.status(client)
    if status.state is not State.PAUSED:
        remedy = f" {status.remedy}" if status.remedy else ""
        raise SettingsError(f"{client} is not paused: it is {status.state.value}.{remedy}")
    registry.resume(client)
    show_status(registry)


def disconnect(registry: Registry, client: str, *, purge: bool) -> None:
    """Forget how to reach ``client`` in BILL and take it out of the published ledger.

    With ``purge`` its books, statements and models go as well, what it taught other clients'
    models, what Dagster reported of it, its name in users' lists, and its published files at once:
    the catalogue no longer names them then, so nobody who asks for other clients notices. Raises
    UnknownClient, ClientBusy, PublishError, and NotForgotten when all is done but in Dagster; what
    could not be taken out of the ledger goes with the next publication.
    """
    home = registry.home
    require_known(registry, client)
    with client_lock(home, client, "purged" if purge else "disconnected"):
        registry.disconnect(client, purge=purge)
        Webhooks(registry).forget(client)
        if purge and home.console.exists():
            from bill_pipeline.console.database import ConsoleDatabase

            # Before anybody is connected by this name: users of the old one do not see the new one.
            ConsoleDatabase(home.console).forget(client)
    publish(registry, [])
    if purge:
        from bill_pipeline.actions import sharing  # pandas and scikit-learn take a second

        sharing.forget(home, client)
        from bill_pipeline.dagster.forgetting import forget_client  # Dagster takes another second

        forget_client(home, client)
