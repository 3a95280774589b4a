"""Parts of Dagster we use that may still change: links to code, checks per partition, backfills.

Kept in one place so that a change there is one edit here. Each is a known debt; Dagster's notices
about them are silenced here and nowhere else.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg


def code_link(path: str | Path, line: int = 1) -> dg.CodeReferencesMetadataValue:
    """A link from the asset to the file that makes it (beta in 1.13)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = dg.LocalFileCodeReference(
            file_path=str(path), line_number=line, label=Path(path).name
        )
        return dg.CodeReferencesMetadataValue(code_references=[reference])


def asset_in_backfills(
    policy: dg.BackfillPolicy, **arguments: Any
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """``dg.asset`` whose backfills follow ``policy`` (beta in 1.13)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dg.asset(backfill_policy=policy, **arguments)


def partitioned_check(
    name: str,
    *,
    asset: dg.AssetKey,
    description: str,
    partitions: dg.PartitionsDefinition[str],
    metadata: Mapping[str, Any],
) -> dg.AssetCheckSpec:
    """A check whose result is recorded per partition (preview in 1.13).

    Without it one client's pass would hide another's failure.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dg.AssetCheckSpec(
            name, asset=asset, description=description, partitions_def=partitions, metadata=metadata
        )
