"""Deterministic names for data, code and models: the same inputs give the same version."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd


def fingerprint(*parts: str) -> str:
    """16 hexadecimal digits from the given texts, order-sensitive."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part.encode())
    return digest.hexdigest()[:16]


def frame_fingerprint(frame: pd.DataFrame) -> str:
    """16 hexadecimal digits of a table: columns by name, rows in order, not the index."""
    digest = hashlib.sha256(str(len(frame)).encode())
    for column in sorted(frame.columns):
        values = frame[column]
        is_number = pd.api.types.is_numeric_dtype(values.dtype)
        texts = values if is_number else values.astype(object).map(_text)
        digest.update(column.encode())
        digest.update(np.ascontiguousarray(pd.util.hash_array(texts.to_numpy())).tobytes())
    return digest.hexdigest()[:16]


def _text(value: object) -> str:
    return "" if value is None or value is pd.NaT or value != value else str(value)


@lru_cache(maxsize=1)
def code_version() -> str:
    """Fingerprint of the source of this package: any change of code is a new version."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return fingerprint(*(f"{path.name}\n{path.read_text(encoding='utf-8')}" for path in files))
