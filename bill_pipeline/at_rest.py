"""Who on this machine may read a home: its owner, and whom the mode of its folder lets in.

The mode of the home's folder is the only switch. 0700, as it is made: nobody else. Readable by its
group (0750): the group reads the published ledger and nothing beside it. Writable by its group
(0770): the group works in the home, and all but the key is the group's, too. Others: never.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_GROUP = 0o070
_OTHERS = 0o007
_log = logging.getLogger(__name__)
#: The umask that this process was started with, once a home changed it.
_given: list[int] = []


@dataclass(frozen=True)
class Parts:
    """What lies in a home, by who may have it besides the owner where a group is let in."""

    for_readers: tuple[Path, ...]
    for_colleagues: tuple[Path, ...]
    for_nobody: tuple[Path, ...]


def make_home(folder: Path) -> None:
    """Make ``folder``, where it is missing, for its owner alone; what it lies in is as open as the
    umask says, but never closed to the owner.
    """
    before = os.umask(0o777)
    os.umask(before & ~stat.S_IRWXU)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    finally:
        os.umask(before)


def keep_private(folder: Path, parts: Parts) -> None:
    """Have this process make files that are no more open than ``folder``; close what is.

    What an earlier release left open to others is closed and said once. A folder of another
    account, or one that everybody may put things into (``/tmp``), keeps its own mode.
    """
    mode = stat.S_IMODE(folder.stat().st_mode)
    is_open = bool(mode & _OTHERS) and not mode & stat.S_ISVTX
    shown = mode & _GROUP if not mode & _OTHERS else 0
    before = os.umask(0o077 & ~shown)
    if not _given:
        _given.append(before)
    whose = (
        (parts.for_readers, shown),
        (parts.for_colleagues, shown if shown & stat.S_IWGRP else 0),
        (parts.for_nobody, 0),
    )
    held = [path for paths, group in whose for path in paths if _mend(path, group)]
    if not is_open:
        return
    with contextlib.suppress(OSError):
        folder.chmod(mode & ~(_GROUP | _OTHERS))  # last: who is killed before it begins again
        if held:
            _log.warning(
                "%s was open to other accounts of this machine and is its owner's alone now. For "
                "a group that reads the published ledger: chgrp -R GROUP %s; "
                "find %s -type d -exec chmod g+s {} +; chmod 750 %s",
                folder, folder, folder, folder,
            )  # fmt: skip


def make_private(path: Path) -> None:
    """Make an empty file at ``path`` that no reading group of its folder may open.

    Without it a new file is as open as the folder until the next command. What SQLite puts beside
    its database is as open as that.
    """
    if not path.exists():
        shown = path.parent.stat().st_mode & (_OTHERS | stat.S_IWGRP) == stat.S_IWGRP
        path.touch(mode=0o660 if shown else 0o600, exist_ok=True)


@contextlib.contextmanager
def umask_as_given() -> Iterator[None]:
    """Files for elsewhere, such as an export, are as open to others as the person's umask says."""
    if not _given:
        yield
        return
    before = os.umask(_given[0] & ~stat.S_IRWXU)  # one's own export is never closed to oneself
    try:
        yield
    finally:
        os.umask(before)


def _mend(path: Path, group: int) -> bool:
    """Give ``path`` and what is in it to ``group`` as to the owner, or to nobody; False: not there.

    Looks inside only where the outside is not as it should be. Links lead elsewhere and are left.
    """
    try:
        found = path.lstat()
    except OSError:
        return False
    if _is_right(found.st_mode, group):
        return True
    if stat.S_ISDIR(found.st_mode):
        for inside, _, names in os.walk(path, topdown=False):
            for name in names:
                _set_mode(Path(inside, name), group)
            _set_mode(Path(inside), group)
    else:
        _set_mode(path, group)
    return True


def _set_mode(path: Path, group: int) -> None:
    # Another process deletes files meanwhile, and another account's are not ours to change.
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if not _is_right(mode, group):
            path.chmod(_wanted(mode, group))


def _is_right(mode: int, group: int) -> bool:
    return stat.S_ISLNK(mode) or stat.S_IMODE(mode) == _wanted(mode, group)


def _wanted(mode: int, group: int) -> int:
    mode = stat.S_IMODE(mode) & ~(_GROUP | _OTHERS)
    return mode | ((mode & stat.S_IRWXU) >> 3 & group)
