"""The bill of materials names every locked package, and each time in the same bytes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_locked_package_is_in_it_with_version_address_and_hashes(tmp_path: Path) -> None:
    lock = (ROOT / "requirements.lock").read_text()
    locked = re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, re.MULTILINE)
    assert len(locked) > 100
    for name in ("one.json", "other.json"):
        command = [sys.executable, ROOT / ".ci" / "sbom.py", tmp_path / name]
        subprocess.run(command, check=True, capture_output=True)
    text = (tmp_path / "one.json").read_text()
    assert text == (tmp_path / "other.json").read_text()
    made = json.loads(text)
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["serialNumber"])
    components = made["components"]
    named = [(component["name"], component["version"]) for component in components]
    assert sorted(named) == sorted(locked)
    for component in components:
        assert component["type"] == "library"
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
        assert component["hashes"]
    assert len({component["bom-ref"] for component in components}) == len(components)
    hashes = [h["content"] for component in components for h in component["hashes"]]
    assert sorted(hashes) == sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})\b", lock))
