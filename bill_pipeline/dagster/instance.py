"""Dagster's own settings for one home: ``dagster.yaml`` and ``workspace.yaml``, written on start.

The file in the package is the default; what a person changed in the home's copy is kept. Storage
is SQLite in the home, or PostgreSQL when the settings name one.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path

from bill_pipeline.settings import Home

_HASH = "# written by bill-pipeline; change it freely, then it is never overwritten: "
_SQLITE = """
# Dagster's own SQLite storage with connections that stay open. The folder is this home's: when you
# change this file and move the home later, change it here too.
event_log_storage:
  module: bill_pipeline.dagster.event_storage
  class: PooledSqliteEventLogStorage
  config:
    base_dir: {folder}
"""
_POSTGRES = """
storage:
  postgres:
    postgres_url:
      env: BILL_PIPELINE_DAGSTER_POSTGRES_URL
"""


def write_instance(home: Home, *, uses_postgres: bool) -> Path:
    """Write ``<home>/dagster/dagster.yaml`` unless a person changed it; returns the folder.

    The PostgreSQL address is never written down: the file names the environment variable.
    """
    home.dagster.mkdir(parents=True, exist_ok=True)
    body = files("bill_pipeline.dagster").joinpath("dagster.yaml").read_text(encoding="utf-8")
    folder = json.dumps(str(home.dagster / "history" / "runs"))  # as YAML quotes it
    body += _POSTGRES if uses_postgres else _SQLITE.format(folder=folder)
    path = home.dagster / "dagster.yaml"
    if not path.exists() or _is_ours(path.read_text(encoding="utf-8")):
        path.write_text(f"{_HASH}{_digest(body)}\n{body}", encoding="utf-8")
    return home.dagster


def _is_ours(text: str) -> bool:
    first, _, body = text.partition("\n")
    return first == f"{_HASH}{_digest(body)}"


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]
