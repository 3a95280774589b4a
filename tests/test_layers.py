"""The layers of the house: what may import what, from the lowest up."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from bill_pipeline.pipeline.steps import LAYERS as LAYERS_OF_SQL
from bill_pipeline.pipeline.steps import POSTING_LAYERS
from bill_pipeline.warehouse.transforms import SCHEMAS, load_transforms

PACKAGE = Path(__file__).parent.parent / "bill_pipeline"
#: From the lowest up. Each may import itself and what stands before it.
LAYERS = (
    "base", "runtime", "bill", "decisions", "registry", "ingest", "warehouse", "categorization",
    "publishing", "exports", "pipeline", "actions", "dagster", "console", "sandbox", "cli",
)  # fmt: skip
#: Loose modules, which everything may import, and which import each other only.
BASE = {"settings", "errors", "amounts", "plain_text", "at_rest"}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def layer_of(dotted: str) -> str | None:
    """The layer of ``bill_pipeline.…``; none for the package itself and for what is not ours."""
    package, _dot, rest = dotted.partition(".")
    if package != PACKAGE.name or not rest:
        return None
    first = rest.partition(".")[0]
    return "base" if first in BASE else first


def imported(path: Path) -> set[str]:
    """Modules that a file imports, also where it does so late or for types only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name}: write the whole name of what is imported"
            found.add(node.module or "")
            if node.module == PACKAGE.name:
                found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(PACKAGE)
    mine = layer_of(".".join([PACKAGE.name, *own.with_suffix("").parts]))
    assert mine in LAYERS, "a new folder needs its place in LAYERS; loose modules need a layer"
    above = LAYERS[LAYERS.index(mine) + 1 :]
    assert not {name for name in imported(path) if layer_of(name) in above}


def test_the_sandbox_knows_nothing_of_ours_but_what_a_client_of_bill_could_know() -> None:
    for path in (PACKAGE / "sandbox").rglob("*.py"):
        ours = {name for name in imported(path) if layer_of(name) not in {None, "sandbox"}}
        assert not ours, f"{path}: {ours}"


def modules() -> dict[str, Path]:
    """The whole name of every module of ours, ``models`` included, and its file."""
    found = {}
    for package in (PACKAGE, PACKAGE.parent / "models"):
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(package.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_between(names: dict[str, Path]) -> dict[str, set[str]]:
    """Module → the modules of ours that it imports, at its top, late, or for types only."""
    graph = {}
    for name, path in names.items():
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                whole = {f"{node.module}.{each.name}" for each in node.names}
                found |= whole & names.keys() or {node.module or ""}
        graph[name] = found & names.keys() - {name}
    return graph


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Neither late nor for types: what two modules need of each other belongs below both."""
    try:
        TopologicalSorter(imports_between(modules())).prepare()
    except CycleError as circle:
        pytest.fail(" imports ".join(reversed(circle.args[1])))


def test_books_are_opened_where_lost_ones_are_noticed() -> None:
    """``Warehouse.open`` makes a file; only ``open_books`` knows whether there was one."""
    guilty = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if "Warehouse.open(" in path.read_text(encoding="utf-8")
    }
    assert guilty == {"pipeline/books.py"}


def test_the_steps_that_build_are_the_folders_of_sql() -> None:
    assert LAYERS_OF_SQL == SCHEMAS
    assert POSTING_LAYERS[-1] == "ledger"


def test_who_builds_tables_knows_none_by_name() -> None:
    """What a table means, and what is decided from it, is for those above to say."""
    written = {
        f"{path.name}: {name}"
        for path in (PACKAGE / "warehouse").glob("*.py")
        for name in re.findall(r"\b[a-z]+\.[a-z_]+\b", path.read_text(encoding="utf-8"))
        if name in load_transforms()
    }
    assert not written


#: Where a command, a process, a run, the console or a person's action begins.
BEGINNINGS = (
    "actions/", "cli/", "console/console.py", "console/work.py", "dagster/syncs.py",
    "dagster/workers.py", "exports/__init__.py", "publishing/lookup.py", "publishing/publish.py",
)  # fmt: skip


def test_a_registry_is_made_where_something_begins_and_handed_on() -> None:
    made = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if re.search(r"\bRegistry\(", re.sub(r"class Registry\b", "", path.read_text()))
    }
    assert not {name for name in made if not name.startswith(BEGINNINGS)}
