"""Run story files from anywhere: ``python -m tests.stories FILE…``, or ``make story FILES="…"``.

Prints ``PASS path`` or ``FAIL path`` for each file, after a failure the rows that differ, and ends
with 1 when one failed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.stories.runner import run_story


def main(files: Sequence[str]) -> int:
    """Run ``files`` in order; 0 when all passed, 1 when one failed, 2 without any."""
    if not files:
        print("Name story files: python -m tests.stories FILE…", file=sys.stderr)
        return 2
    failed = False
    for name in files:
        try:
            differences = run_story(Path(name))
        except Exception as error:  # noqa: BLE001 - a story that cannot be run is a failed story
            differences = [f"{type(error).__name__}: {error}"]
        failed = failed or bool(differences)
        print(f"{'FAIL' if differences else 'PASS'} {name}", *differences, sep="\n", flush=True)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
