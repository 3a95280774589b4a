"""Tables that came out as they were are linked into a client's next version, not written again.

A sync of one bill changes a quarter of what is published. Beside the versions lies, for each
client, a manifest of the files its last version consists of. A hard link takes no time and no room,
and the rows stay until the last version that has them is collected. Whatever is missing or strange
(a manifest of other code, a file that was collected or is not as it was written, a file system
without hard links) makes the table be written, as every table of a first version is.
"""

from __future__ import annotations

import logging
import os
import zlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path

import orjson

_FOLDER = ".kept"
_CHUNK = 1 << 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReusableTable:
    """One table of a version: ``state`` differs whenever its rows or columns do.

    None: it may differ though the state is the same, so it is written each time.
    """

    state: str | None
    row_count: int
    size: int  # of its file, in bytes
    checksum: int  # CRC-32 of its file

    @classmethod
    def written(cls, state: str | None, row_count: int, path: Path) -> ReusableTable:
        return cls(state, row_count, path.stat().st_size, _checksum(path))

    def is_as_written(self, path: Path | str) -> bool:
        """Whether the file has the bytes it was written with. Raises OSError."""
        return os.stat(path).st_size == self.size and _checksum(path) == self.checksum  # noqa: PTH116 - thousands of files


@dataclass(frozen=True)
class ReuseManifest:
    """What a client's last version consists of, as far as it may be linked again."""

    number: str = ""
    code: str = ""  # that wrote it; see ``tables.code_signature``
    tables: Mapping[str, ReusableTable] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Of all its files, in bytes."""
        return sum(table.size for table in self.tables.values())

    def link(self, table: str, state: str, old: Path, new: Path) -> ReusableTable | None:
        """Make ``new`` another name of ``old`` when the table is still in ``state``; else None."""
        kept = self.tables.get(table)
        if kept is None or kept.state != state:
            return None
        try:
            if not kept.is_as_written(old):  # damage must not be handed on for ever
                _log.warning("%s was damaged and is written anew.", old)
                return None
            os.link(old, new)
        except OSError:
            return None
        return kept


NOTHING_TO_REUSE = ReuseManifest()


def read_manifest(published: Path, client: str, code: str) -> ReuseManifest:
    """The manifest of ``client``'s last version; empty when other code wrote it, or none did."""
    try:
        stored = orjson.loads(_path(published, client).read_bytes())
        tables = {
            name: ReusableTable(state, *map(int, numbers))
            for name, (state, *numbers) in stored["tables"].items()
        }
        kept = ReuseManifest(stored["number"], stored["code"], tables)
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return NOTHING_TO_REUSE
    return kept if kept.code == code else NOTHING_TO_REUSE


def write_manifest(published: Path, client: str, kept: ReuseManifest) -> None:
    """Note that the files of ``kept`` are written in full."""
    path = _path(published, client)
    path.parent.mkdir(exist_ok=True)
    tables = {name: astuple(table) for name, table in kept.tables.items()}
    new = path.with_suffix(f".{kept.number}")
    new.write_bytes(orjson.dumps({"number": kept.number, "code": kept.code, "tables": tables}))
    new.replace(path)


def forget_manifest(published: Path, client: str) -> None:
    """Have every table of ``client``'s next version written."""
    _path(published, client).unlink(missing_ok=True)


def _checksum(path: Path | str) -> int:
    found = 0
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - thousands of files
        while chunk := file.read(_CHUNK):
            found = zlib.crc32(chunk, found)
    return found


def _path(published: Path, client: str) -> Path:
    return published / _FOLDER / f"{client}.json"
