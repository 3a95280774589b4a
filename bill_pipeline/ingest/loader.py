"""Put documents into ``raw.<list>`` of a client's file with dlt, whose folder is a scratch pad.

Nothing in dlt's working folder is needed again: what was read stands in the client's file, in
``raw.reading``. So each import begins with an empty folder, whatever was in it.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bill_pipeline.bill.documents import Document
from bill_pipeline.ingest.raw import DUCKDB_SETTINGS

if TYPE_CHECKING:
    from dlt import Pipeline

DATASET = "raw"


class Loader:
    """Loads one client's documents. ``folder`` is the client's own.

    dlt itself is loaded with the first documents: most syncs bring none.
    """

    def __init__(self, client: str, database: Path, folder: Path) -> None:
        self._name = f"bill_{client}"
        self._database = database
        self._folder = folder
        self._pipeline: Pipeline | None = None

    def load(self, documents: dict[str, list[Document]]) -> None:
        """Merge ``documents``, by list, on their ids. Raises what dlt does."""
        from bill_pipeline.bill.source import source_of

        if self._pipeline is None:
            self._pipeline = self._new_pipeline()
        pipeline = self._pipeline
        pipeline.extract(source_of(documents), loader_file_format="parquet")
        pipeline.normalize()
        pipeline.load().raise_on_failed_jobs()
        # dlt keeps a copy of every package it loaded; the documents are in the client's file.
        shutil.rmtree(Path(pipeline.working_dir) / "load" / "loaded", ignore_errors=True)

    def _new_pipeline(self) -> Pipeline:
        """dlt's pipeline of one client, new. Name and folder are the client's own.

        Pipelines of one name load each other's packages into the wrong client's file.
        """
        import dlt
        from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

        _settle_dlt()
        shutil.rmtree(self._folder / self._name, ignore_errors=True)
        return dlt.pipeline(
            self._name,
            pipelines_dir=str(self._folder),
            destination=dlt.destinations.duckdb(
                DuckDbCredentials(str(self._database), global_config=dict(DUCKDB_SETTINGS))
            ),
            dataset_name=DATASET,
        )


@cache
def _settle_dlt() -> None:
    """Give dlt its settings once a process, and none besides; nothing about books leaves here.

    Left alone, it looks for each of some hundred settings of each load in the environment, in
    /run/secrets and in two files of the working folder, and reports each load to its makers.
    """
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.providers import DictionaryProvider
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
    from dlt.common.runtime.telemetry import stop_telemetry

    ours = DictionaryProvider()
    ours.set_value("dlthub_telemetry", False, None, "runtime")
    # Each Arrow batch would warn that its text becomes JSON; what fails is raised and told once.
    ours.set_value("log_level", "CRITICAL", None, "runtime")
    # What was read is our own to remember.
    ours.set_value("restore_from_destination", False, None)
    context = Container()[PluggableRunContext]
    context.providers.providers = [ours]
    # Importing dlt has started its runtime with what it found.
    stop_telemetry()
    context.context.initialize_runtime()
