"""Install each public client into an environment of its own, outside the project's.

Here: where the environments live, how they are made, and what their programs are started with.
Not here: what is asked of the clients (``test_*.py`` and the drivers).

An environment is named after the SHA-256 of its lock file, whose every archive is pinned by hash,
so a changed pin makes a new one and an unchanged one is installed once per user. It appears
under its name only when complete. ``BILL_PIPELINE_PUBLIC_CLIENTS`` names another folder for them.
``python tests/public_clients/environments.py`` installs both ahead of the tests.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_INSTALL_SECONDS = 300
_RUN_SECONDS = 120
#: How pip and npm say that the network, not the package, is the trouble.
_UNREACHABLE = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|"
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH"
)


class ClientUnavailable(Exception):
    """A client cannot be installed here: no package index, or no Node.js. Says which."""


def parsons() -> Path:
    """The folder of an environment with parsons (v2), installed by pip if need be."""
    return environment("parsons", HERE / "parsons.txt", _install_parsons)


def connector() -> Path:
    """The folder of an environment with the MemberJunction connector (v3), installed by npm."""
    missing = [name for name in ("node", "npm") if not shutil.which(name)]
    if missing:
        raise ClientUnavailable(f"{' and '.join(missing)} not installed: the v3 client needs it")
    return environment("connector", HERE / "package-lock.json", _install_connector)


def run_parsons(request: dict[str, Any]) -> dict[str, Any]:
    """Run the parsons driver on a request; its answer."""
    python = parsons() / "bin" / "python"
    return _run([str(python), str(HERE / "parsons_driver.py")], request, HERE)


def run_connector(request: dict[str, Any]) -> dict[str, Any]:
    """Run the connector's driver on a request; its answer."""
    # Evaluated text resolves its imports from the working folder: the client's environment.
    program = (HERE / "connector_driver.mjs").read_text()
    return _run(["node", "--input-type=module", "--eval", program], request, connector())


def environment(name: str, lock: Path, make: Callable[[Path], None]) -> Path:
    """The folder that ``make`` filled from ``lock``, made now if need be."""
    key = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    base = os.environ.get("BILL_PIPELINE_PUBLIC_CLIENTS")
    shelf = Path(base) if base else cache / "bill-pipeline" / "public-clients"
    ready = shelf / f"{name}-{key}"
    if ready.is_dir():
        return ready
    shelf.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=shelf) as layer:
        unfinished = Path(layer) / "environment"
        make(unfinished)
        try:
            unfinished.rename(ready)
        except OSError:  # Another test process was quicker; its environment is the same.
            if not ready.is_dir():
                raise
    return ready


def _install_parsons(folder: Path) -> None:
    venv.create(folder, with_pip=True, symlinks=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--retries", "1"]
    install("PyPI", [*pip, "--require-hashes", "-r", str(HERE / "parsons.txt")], folder)


def _install_connector(folder: Path) -> None:
    install_packages(HERE, folder)


def install_packages(lock_folder: Path, folder: Path) -> None:
    """Exactly what the package-lock.json of ``lock_folder`` names, by npm, into ``folder``."""
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(lock_folder / name, folder)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    install("npm's registry", ["npm", "ci", *options], folder)


def install(index: str, command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ClientUnavailable(f"{index} did not answer in {_INSTALL_SECONDS} s") from None
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    if _UNREACHABLE.search(said):
        raise ClientUnavailable(f"{index} cannot be reached: the client is not installed")
    raise RuntimeError(f"{' '.join(command)} failed:\n{said}")


def _run(command: list[str], request: dict[str, Any], folder: Path) -> dict[str, Any]:
    # The proxies of the environment have no business with a server on localhost.
    environment = os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        command,
        input=json.dumps(request),
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"The driver failed:\n{done.stdout}{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


if __name__ == "__main__":
    for prepare in (parsons, connector):
        print(prepare())
