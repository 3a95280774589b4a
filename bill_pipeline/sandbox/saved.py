"""A look-alike that goes on after a restart: its state in a file, and the same past behind it.

The file is Python's own (pickle): it belongs to the person who runs the look-alike, like the
folder it lies in, and is opened by the release that wrote it.
"""

from __future__ import annotations

import os
import pickle
from importlib.metadata import version
from pathlib import Path

from bill_pipeline.sandbox.state import SandboxState

_MAGIC = b"bill-pipeline look-alike "


class NotThisLookAlike(ValueError):
    """A file that holds no state, another release's, or another look-alike's."""


def save(state: SandboxState, path: Path) -> None:
    """Write ``state``; a reader finds the old file or the new one, whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(_head() + pickle.dumps(state))
    draft.replace(path)


def load(path: Path) -> SandboxState:
    """The state in ``path``, its clock gone on as if it had never stopped.

    Raises NotThisLookAlike.
    """
    content = path.read_bytes()
    head = _head()
    if not content.startswith(head):
        raise NotThisLookAlike(
            f"{path} was not written by this release of bill-pipeline: choose another file, or "
            "delete it and disconnect the companies, whose past nobody knows any more."
        )
    state = pickle.loads(content[len(head) :])  # noqa: S301 - the person's own file, see above
    assert isinstance(state, SandboxState)  # noqa: S101 - nothing else is written
    return state


def _head() -> bytes:
    return _MAGIC + version("bill-pipeline").encode() + b"\n"
