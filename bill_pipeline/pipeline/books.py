"""Open a client's books to work on them: not where they were lost, whoever knows of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bill_pipeline.publishing.stores import require_books
from bill_pipeline.registry.clients import Registry
from bill_pipeline.warehouse.warehouse import Warehouse


@contextlib.contextmanager
def open_books(registry: Registry, client: str, *, new_file: bool = False) -> Iterator[Warehouse]:
    """The client's file, for writing; see ``Warehouse.open``.

    Raises BooksMissing also where only the published ledger knows that the client had books, unless
    a ``new_file`` is to be made; else what ``Warehouse.open`` raises.
    """
    if not new_file:
        require_books(registry, client)
    with Warehouse.open(registry, client, new_file=new_file) as warehouse:
        yield warehouse
