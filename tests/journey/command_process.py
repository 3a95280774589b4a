"""A command in a forked process, in a module that the child can import as well."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bill_pipeline.cli import main


def work(home: str, client: str) -> None:
    """What a person or a schedule starts, in a process that has loaded its libraries already."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    sys.argv = ["bill-pipeline", "sync", client, "--home", home]
    main()
