"""The bill of materials: every package that the lock file names, as CycloneDX 1.5 in JSON.

The same lock file gives the same bytes: no time and no chance are in it. uv writes such a list from
a ``uv.lock`` only, and without the files' hashes.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def bill_of_materials(lock: str, project: dict[str, Any]) -> dict[str, Any]:
    """The CycloneDX document of a requirements file with hashes; ``project`` is pyproject's table.

    Raises ValueError for a package without one exact version or without hashes.
    """
    components = [_component(line) for line in lock.replace("\\\n", " ").splitlines() if line]
    digest = hashlib.sha256(lock.encode()).digest()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": f"pkg:pypi/{project['name']}@{project['version']}",
                "name": project["name"],
                "version": project["version"],
                "purl": f"pkg:pypi/{project['name']}@{project['version']}",
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": sorted(components, key=lambda component: component["purl"]),
    }


def _component(line: str) -> dict[str, Any]:
    words, *hashes = line.split("--hash=")
    package = Requirement(words.strip())
    (exact,) = package.specifier
    if exact.operator != "==" or not hashes:
        raise ValueError(f"not locked: {words}")
    name = canonicalize_name(package.name)
    purl = f"pkg:pypi/{name}@{exact.version}"
    component = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": exact.version,
        "purl": purl,
        # Of every file that may be installed: one for each platform, and the source.
        "hashes": [
            {"alg": "SHA-256", "content": given.strip().removeprefix("sha256:")} for given in hashes
        ],
    }
    if package.marker:  # on these machines only
        component["properties"] = [{"name": "python:marker", "value": str(package.marker)}]
    return component


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    bill = bill_of_materials(lock, project)
    target.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")
    print(f"{target}: {len(bill['components'])} packages")
