"""axe-core on a page as the browser shows it: what it calls serious or critical is a fault.

axe is installed once per user by npm, from the lock file in ``axe/``. Where npm or its registry is
missing, ``axe_source`` says so, and the tests skip with that reason.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Page

from tests.public_clients.environments import ClientUnavailable, environment, install_packages

LOCK = Path(__file__).parent / "axe"
_RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations
    .filter((fault) => ["serious", "critical"].includes(fault.impact))
    .flatMap((fault) => fault.nodes.slice(0, 3).map(
      (node) => `${fault.id}: ${node.html.slice(0, 160)} (${fault.help})`));
}"""


def axe_source() -> str:
    """axe's script. Raises ClientUnavailable when it cannot be installed here."""
    if not shutil.which("npm"):
        raise ClientUnavailable("npm is not installed: axe-core needs it")
    folder = environment(
        "axe", LOCK / "package-lock.json", lambda folder: install_packages(LOCK, folder)
    )
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def axe_faults(page: Page, source: str) -> list[str]:
    # Through the browser's own protocol: the page's policy rightly lets no foreign script in.
    page.evaluate(source)
    faults: list[str] = page.evaluate(_RUN)
    return faults
