"""Posting rules as another release might have them, for tests of homes that outlive a release."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from bill_pipeline.pipeline import batches
from bill_pipeline.warehouse.transforms import load_transforms


@contextlib.contextmanager
def changed_rule(key: str, old: str, new: str) -> Iterator[None]:
    """Within, the SQL of ``key`` has ``new`` where it has ``old``."""
    transforms = load_transforms()
    transform = transforms[key]
    assert old in transform.sql
    transforms[key] = replace(transform, sql=transform.sql.replace(old, new))
    batches.rules_version.cache_clear()
    try:
        yield
    finally:
        transforms[key] = transform
        batches.rules_version.cache_clear()
