"""A public name means one thing in the whole house."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
#: A command or page is a function of its own file that nobody else calls; the sandbox speaks BILL
APART = {"cli", "console", "sandbox"}


def public_names(path: Path) -> Iterator[str]:
    """What a module defines at its top, by names without an underscore."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found = [node.name]
        elif isinstance(node, ast.Assign):
            found = [each.id for each in node.targets if isinstance(each, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found = [node.target.id]
        else:
            continue
        yield from (name for name in found if not name.startswith("_") and name != "logger")


def test_no_public_name_is_used_twice() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for package in ("bill_pipeline", "models"):
        for path in sorted((ROOT / package).rglob("*.py")):
            own = path.relative_to(ROOT)
            if not APART & set(own.parts):
                for name in public_names(path):
                    places[name].append(own.as_posix())
    assert not {name: where for name, where in places.items() if len(where) > 1}
