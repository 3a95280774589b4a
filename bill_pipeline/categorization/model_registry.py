"""Where trained models stand: one champion per client, its predecessors, and the firm's knowledge.

::

    <home>/models/knowledge/                 what the firm knows across clients
    <home>/models/clients/<client>/<version>/   one trained model
    <home>/models/clients/<client>/<version>/learned.npy   which labelled lines it was trained on
    <home>/models/clients/<client>/champions    its versions in the order of promotion, last = now

What a model is and how it learns is in ``models/``.
"""

from __future__ import annotations

import logging
import re
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bill_pipeline.errors import PipelineError
from bill_pipeline.settings import Home, require_client_name
from models.categorizer import Categorizer
from models.knowledge import GlobalKnowledge
from models.storage import (
    ModelFileCorrupt,
    ModelFileError,
    ModelFileMissing,
    load,
    read_metadata,
    save,
)

logger = logging.getLogger(__name__)

#: Versions kept per client, so that a promotion can be rolled back.
CHAMPIONS_KEPT = 5
_LEARNED = "learned.npy"
_VERSION = re.compile(rb"[\w.+-]{1,100}", re.ASCII)


@dataclass(frozen=True)
class Champion:
    """A client's model in use; ``learned`` are the keys of the labels it was trained on."""

    version: str
    model: Categorizer
    learned: np.ndarray  # uint64


class NoEarlierModel(PipelineError):
    """There is nothing to roll back to."""

    def __init__(self, client: str) -> None:
        super().__init__(
            f"{client} has no earlier model; `bill-pipeline train {client}` makes one."
        )


def knowledge(home: Home) -> GlobalKnowledge:
    """The firm's knowledge; what the seed examples teach until clients' lines were added."""
    folder = home.models / "knowledge"
    try:
        return load_knowledge(folder, _changed_at(folder))
    except ModelFileMissing:
        pass
    except ModelFileError as error:
        logger.warning("The firm's knowledge is thrown away (%s) until it is pooled again.", error)
    made = GlobalKnowledge.from_seeds()
    save(made, folder, {"trained_on": "seed examples"})
    return made


def save_knowledge(home: Home, made: GlobalKnowledge, contributors: list[str]) -> None:
    """Replace the firm's knowledge; ``contributors`` are the clients whose lines are in it."""
    taught = f"seed examples and the lines of {len(contributors)} clients"
    save(made, home.models / "knowledge", {"trained_on": taught, "contributors": contributors})


def contributors(home: Home) -> list[str]:
    """The clients whose lines are in the firm's knowledge."""
    try:
        return list(read_metadata(home.models / "knowledge").get("contributors", []))
    except ModelFileError:
        return []


def remove_taught_by(home: Home, client: str, teacher: str) -> bool:
    """Remove ``client``'s models whose knowledge came in part from ``teacher``; whether any did."""
    versions = _champions(home, client)
    tainted = [
        version
        for version in versions
        if teacher in _metadata(_folder(home, client) / version).get("taught_by", [])
    ]
    if tainted:
        _write_champions(home, client, [v for v in versions if v not in tainted])
        for version in tainted:
            shutil.rmtree(_folder(home, client) / version, ignore_errors=True)
    return bool(tainted)


@lru_cache(maxsize=2)
def load_knowledge(folder: Path, changed_at: float) -> GlobalKnowledge:
    """The knowledge saved in ``folder``, read once per change. Raises ModelFileError."""
    loaded: GlobalKnowledge = load(folder)
    return loaded


def champion(home: Home, client: str) -> Champion | None:
    """The model in use, or None before the first training.

    A file that is damaged or foreign is refused and the champion before it is used.
    """
    for version in reversed(_champions(home, client)):
        folder = _folder(home, client) / version
        try:
            model: Categorizer = load(folder)
            return Champion(version, model, _read_learned(folder))
        except ModelFileError as error:
            logger.warning("%s: model %s is refused: %s", client, version, error)
    return None


def training_of_champion(home: Home, client: str) -> tuple[str, np.ndarray] | None:
    """Version and learned labels of the model in use, without reading the model itself."""
    for version in reversed(_champions(home, client)):
        try:
            return version, _read_learned(_folder(home, client) / version)
        except ModelFileError:
            continue
    return None


def promote(
    home: Home,
    client: str,
    model: Categorizer,
    metadata: dict[str, Any],
    *,
    learned: np.ndarray,
) -> str:
    """Make ``model`` the champion and return its version; old versions beyond a few are removed.

    ``learned``: keys of the labelled lines it was trained on (``client_model.label_keys``).
    """
    version = model.version_
    used = {
        "knowledge": model.knowledge.version_ if model.knowledge is not None else None,
        "taught_by": [other for other in contributors(home) if other != client],
    }
    folder = _folder(home, client) / version
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / _LEARNED, learned)
    save(model, folder, {"version": version, **used, **metadata})
    versions = [v for v in _champions(home, client) if v != version] + [version]
    _write_champions(home, client, versions[-CHAMPIONS_KEPT:])
    for old in versions[:-CHAMPIONS_KEPT]:
        shutil.rmtree(_folder(home, client) / old, ignore_errors=True)
    return version


def roll_back(home: Home, client: str) -> str:
    """Use the champion before the present one again. Raises NoEarlierModel."""
    versions = _champions(home, client)
    if len(versions) < 2:
        raise NoEarlierModel(client)
    _write_champions(home, client, versions[:-1])
    return versions[-2]


def _read_learned(folder: Path) -> np.ndarray:
    """The labels a model was trained on. Raises ModelFileCorrupt."""
    try:
        learned: np.ndarray = np.load(folder / _LEARNED, allow_pickle=False)
        return learned.astype(np.uint64)
    except (OSError, EOFError, ValueError) as error:
        raise ModelFileCorrupt(
            f"{folder / _LEARNED} cannot be read; train anew or roll back"
        ) from error


def _metadata(folder: Path) -> dict[str, Any]:
    try:
        return read_metadata(folder)
    except ModelFileError:
        return {}


def _folder(home: Home, client: str) -> Path:
    return home.models / "clients" / require_client_name(client)


def _champions(home: Home, client: str) -> list[str]:
    """Its versions in the order of promotion; a damaged file's bytes name none."""
    path = _folder(home, client) / "champions"
    names = path.read_bytes().split() if path.exists() else []
    return [name.decode() for name in names if _VERSION.fullmatch(name)]


def _write_champions(home: Home, client: str, versions: list[str]) -> None:
    path = _folder(home, client) / "champions"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text("\n".join(versions) + "\n")
    temporary.replace(path)


def _changed_at(folder: Path) -> float:
    file = folder / "model.json"
    return file.stat().st_mtime if file.exists() else 0.0
