"""Ask PyPI's service for known vulnerabilities of every locked package, by pip-audit.

Whether the service answers at all is found by a question whose answer is known: a release of long
ago that has vulnerabilities. A proxy's page, an empty answer or none is no answer. So three ends
are told apart: 0, nothing is known of any package; 1, something is, or a package is unknown there;
3, the service cannot be asked (0 with ``--or-say-so``, for machines without a network).
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
KNOWN_TO_BE_VULNERABLE = "https://pypi.org/pypi/jinja2/2.4.1/json"
PIP_AUDIT = (
    "uv", "tool", "run", "--from", "pip-audit==2.9.0", "pip-audit", "--strict", "--disable-pip",
    "--require-hashes", "--progress-spinner", "off", "--format", "json",
    "-r", str(ROOT / "requirements.lock"),
)  # fmt: skip
NOTHING_KNOWN, FOUND, NOT_ASKED = 0, 1, 3


def answers(url: str = KNOWN_TO_BE_VULNERABLE, seconds: float = 20) -> bool:
    """Whether the service at ``url`` knows the vulnerabilities of the release it is asked for."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            return bool(json.load(answer)["vulnerabilities"])
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return False


def audit(ask: Callable[[], tuple[dict[str, Any] | None, str]], answers: Callable[[], bool]) -> int:
    """One of the three ends; ``ask`` gives pip-audit's report, None where it made none, and words.

    A report counts as it stands. Where there is none, the service is asked again: when it answers,
    it was not the network that failed.
    """
    if not answers():
        return NOT_ASKED
    report, said = ask()
    if report is None:
        print(said, file=sys.stderr)
        return FOUND if answers() else NOT_ASKED
    guilty = [each for each in report["dependencies"] if each.get("vulns") or "skip_reason" in each]
    for each in guilty:
        known = ", ".join(
            f"{one['id']} (mended in {', '.join(one['fix_versions']) or 'no release'})"
            for one in each.get("vulns", ())
        )
        print(f"{each['name']} {each.get('version', '')}: {known or each['skip_reason']}")
    if not guilty:
        print(f"Nothing is known of any of the {len(report['dependencies'])} locked packages.")
    return FOUND if guilty else NOTHING_KNOWN


def ask_pip_audit() -> tuple[dict[str, Any] | None, str]:
    """pip-audit's report and its words; it makes none when the network fails on the way."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "report.json"
        program = str(Path(sys.executable).with_name(PIP_AUDIT[0]))
        done = subprocess.run(
            [program, *PIP_AUDIT[1:], "--output", str(target)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        try:
            return json.loads(target.read_text(encoding="utf-8")), done.stderr
        except (OSError, ValueError):
            return None, done.stderr


def main(arguments: list[str]) -> int:
    """The exit code."""
    end = audit(ask_pip_audit, answers)
    if end == NOT_ASKED:
        print(
            "NOT AUDITED: PyPI's vulnerability service cannot be reached from this machine. Run "
            "`make audit` where it can.",
            file=sys.stderr,
        )
        return NOTHING_KNOWN if "--or-say-so" in arguments else NOT_ASKED
    return end


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
