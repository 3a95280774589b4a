"""Make the home of a release, for the tests of every later one: ``homes/<version>.tar.xz``.

Run with the release's own code and this one's script, from the project's folder::

    git worktree add /tmp/release v0.1.0
    PYTHONPATH=/tmp/release .venv/bin/python tests/upgrades/make_home.py 0.1.0

One invented company: its history, three weeks of changes in two syncs, a close, a reopening, a
policy, an opening balance. Only commands that the first release had are used.
"""

from __future__ import annotations

import re
import sys
import tarfile
import tempfile
from datetime import date, timedelta
from pathlib import Path

from click.testing import CliRunner

from bill_pipeline.cli import main
from bill_pipeline.sandbox.server import SandboxServer

HOMES = Path(__file__).parent / "homes"
#: What any later sync makes anew: working files, and the model, which is learned from the archive.
LEFT_OUT = re.compile(r"(dlt|dagster|budget\.sqlite.*|models|.*\.lock)(/.*)?")


def make(folder: Path) -> None:
    """Fill ``folder`` with a home that has a past."""
    with SandboxServer(companies=1, documents=150, seed=4) as sandbox:
        company = sandbox.companies[0]

        def run(*words: str, given: str = "") -> None:
            result = CliRunner().invoke(
                main,
                [*words, "--home", str(folder)],
                input=given,
                env={"BILL_PIPELINE_DEV_KEY": sandbox.dev_key},
            )
            assert result.exit_code == 0, result.output
            print(result.output, end="")

        run(
            "connect", company.client, "--organization-id", company.organization_id,
            "--token-name", company.token_name, "--token-password-stdin",
            "--environment", sandbox.base_url, given=company.token_password + "\n",
        )  # fmt: skip
        run("sync", company.client)
        sandbox.control.live()
        today = date.fromisoformat(sandbox.control.step("12 days")[:10])
        run("sync", company.client)
        last_month = today.replace(day=1) - timedelta(days=1)
        run("close", company.client, f"{last_month:%Y-%m}", "--anyway")
        run("settings", company.client, "--form-1099-threshold", "500")
        sandbox.control.step("11 days")
        run("sync", company.client)


def pack(folder: Path, file: Path) -> None:
    """Pack the home at ``folder`` without what is made anew and superseded files."""
    for tables in (folder / "published").glob("*/client=*"):
        for superseded in sorted(tables.glob("*.parquet"))[:-1]:
            superseded.unlink()
    file.parent.mkdir(exist_ok=True)
    with tarfile.open(file, "w:xz", preset=9) as archive:
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            if not LEFT_OUT.fullmatch(name):
                archive.add(path, arcname=name, recursive=False)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        make(Path(made))
        target = HOMES / f"{sys.argv[1]}.tar.xz"
        pack(Path(made), target)
        print(f"{target}: {target.stat().st_size:,} bytes")
