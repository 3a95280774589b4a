"""Keep trained models as files that can be read back without trusting whoever wrote them.

skops only: nothing is ever unpickled. A loaded file may contain the types listed here and no other,
must carry the recorded checksum, and its trees are checked node by node, because scikit-learn
follows their indices without looking.

    ModelFileError
    ├── ModelFileMissing       no model has been saved there
    ├── ModelFileCorrupt       unreadable, or not what was saved
    └── ModelFileForeign       readable, but made of something else than a model of this package
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

MODEL_FILE = "model.skops"
METADATA_FILE = "model.json"
_TREE = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
TRUSTED_TYPES = (
    "models.accounts.Accounts",
    "models.answers.AnswerMemory",
    "models.categorizer.Categorizer",
    "models.confidence.Calibrator",
    "models.history.CountTable",
    "models.history.History",
    "models.knowledge.GlobalKnowledge",
    "models.ranker.Ranker",
    "models.skill.Skill",
    "models.text_model.TextModel",
    "models.track_record.TrackRecord",
    _TREE,
)
# What a model is made of, by number: a model of another layout is trained anew, never guessed at.
LAYOUT = 3
_NO_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
SAVED_CLASSES = ("Categorizer", "GlobalKnowledge", "Ranker")


class ModelFileError(Exception):
    """A model file cannot be used; the message names the file and the remedy."""


class ModelFileMissing(ModelFileError):
    """No model has been saved in this folder."""


class ModelFileCorrupt(ModelFileError):
    """The file is damaged, or is not the one that was saved."""


class ModelFileForeign(ModelFileError):
    """The file holds something else than a model of this package."""


def save(model: Any, folder: Path, metadata: dict[str, Any] | None = None) -> Path:
    """Write ``model`` and its metadata to ``folder``; a reader sees the old model or the new one.

    The metadata file names the model's version, checksum, library versions and whatever the caller
    adds (scores, data hash). Returns the path of the model file.
    """
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    content = skops.io.dumps(model)
    record = {
        **(metadata or {}),
        "class": type(model).__name__,
        "layout": LAYOUT,
        "model_version": getattr(model, "version_", None),
        "sha256": hashlib.sha256(content).hexdigest(),
        "libraries": library_versions(),
    }
    # The metadata names the checksum, so it is written last: a torn pair is refused, not used.
    _write(folder / MODEL_FILE, content)
    _write(folder / METADATA_FILE, json.dumps(record, indent=2, default=str).encode())
    return folder / MODEL_FILE


def load(folder: Path) -> Any:
    """The model saved in ``folder``.

    Raises a ``ModelFileError``; besides, what the machine refuses at the moment (OSError,
    MemoryError): a file that cannot be opened now is not a damaged one.
    """
    record = read_metadata(folder)
    path = folder / MODEL_FILE
    try:
        content = path.read_bytes()
    except _NO_FILE as error:
        raise ModelFileMissing(f"no model in {path}; train one first") from error
    if hashlib.sha256(content).hexdigest() != record.get("sha256"):
        raise ModelFileCorrupt(
            f"{path} is not the file that was saved (checksum differs); train anew or roll back"
        )
    if record.get("layout") != LAYOUT:
        raise ModelFileForeign(f"{path} was saved by another version of this package; train anew")
    return _read(content, path)


def read_metadata(folder: Path) -> dict[str, Any]:
    """What was recorded beside the model. Raises ``ModelFileMissing`` or ``ModelFileCorrupt``."""
    path = folder / METADATA_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelFileMissing(f"no model in {folder}; train one first") from error
    except (*_NO_FILE, ValueError) as error:
        raise ModelFileCorrupt(f"{path} cannot be read; train anew or roll back") from error
    if not isinstance(record, dict):
        raise ModelFileCorrupt(f"{path} is not a model's record; train anew or roll back")
    return record


def library_versions() -> dict[str, str]:
    """Versions of the libraries that a saved model depends on."""
    from importlib.metadata import version

    return {name: version(name) for name in ("numpy", "pandas", "scikit-learn", "scipy", "skops")}


def _read(content: bytes, path: Path) -> Any:
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        model = skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException as error:
        raise ModelFileForeign(f"{path} holds types that are no part of a model") from error
    except MemoryError:
        raise
    except Exception as error:
        raise ModelFileCorrupt(f"{path} cannot be read; train anew or roll back") from error
    if type(model).__name__ not in SAVED_CLASSES:
        raise ModelFileForeign(f"{path} holds a {type(model).__name__}, not a model")
    for ranker in _rankers(model):
        _check_trees(ranker, path)
    return model


def _rankers(model: Any) -> list[Any]:
    """Every ranker inside a model, its knowledge's included."""
    if type(model).__name__ == "Ranker":
        return [model]
    found = [getattr(model, "ranker_", None), getattr(model, "skill_", None)]
    knowledge = getattr(model, "knowledge", None)
    found.append(getattr(knowledge, "skill_", None))
    rankers = [getattr(item, "ranker", item) for item in found if item is not None]
    skills = [getattr(ranker, "skill", None) for ranker in rankers]
    return [*rankers, *(skill for skill in skills if skill is not None)]


def _check_trees(ranker: Any, path: Path) -> None:
    """Refuse trees whose nodes point outside the tree or the features, or backwards."""
    model = getattr(ranker, "model_", None)
    if model is None:
        return
    try:
        for stage in model._predictors:  # noqa: SLF001 - the only place that holds the trees
            for tree in stage:
                nodes = tree.nodes
                inner = nodes[~nodes["is_leaf"].astype(bool)]
                at = np.flatnonzero(~nodes["is_leaf"].astype(bool))
                sound = (
                    (inner["left"] > at) & (inner["left"] < len(nodes))
                    & (inner["right"] > at) & (inner["right"] < len(nodes))
                    & (inner["feature_idx"] >= 0)
                    & (inner["feature_idx"] < model.n_features_in_)
                    & (inner["is_categorical"] == 0)
                )  # fmt: skip
                if not len(nodes) or not sound.all():
                    raise ModelFileCorrupt(f"{path} holds a broken tree; train anew or roll back")
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelFileCorrupt(f"{path} holds a broken tree; train anew or roll back") from error


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
