"""The laws of the house that a machine can check: who may import what, how large a file may be."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.each import of_each

ROOT = Path(__file__).parent.parent
PRODUCT = sorted(
    path for layer in ("bill_pipeline", "models") for path in (ROOT / layer).rglob("*.py")
)
MODELS_MAY_IMPORT = {"numpy", "pandas", "scipy", "sklearn", "joblib", "skops", "rapidfuzz"} | {
    "pyarrow",
    "threadpoolctl",
    "models",
}
MOST_LINES = 400


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parent.parts
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            yield ".".join(part for part in (base, node.module or "") if part)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def named(paths: Iterable[Path]) -> dict[str, Path]:
    return {name_of(path): path for path in paths}


@of_each(named(PRODUCT))
def test_only_the_dagster_layer_imports_dagster(path: Path) -> None:
    if path.is_relative_to(ROOT / "bill_pipeline" / "dagster"):
        return  # this is the Dagster layer
    guilty = [m for m in imported_modules(path) if m.split(".")[0].startswith("dagster")]
    assert not guilty


#: What Dagster exports nowhere else.
PRIVATE_PARTS = {
    # It names its storages in dagster.yaml by this path.
    "event_storage.py": ["dagster._core.storage.event_log"],
    # Its own command serves its page on TCP only, and to everybody alike.
    "web_page.py": ["dagster._core.workspace.context", "dagster._core.workspace.load_target"],
}


@of_each(named(PRODUCT))
def test_nobody_imports_private_parts_of_dagster(path: Path) -> None:
    private = [m for m in imported_modules(path) if m.startswith("dagster._")]
    assert private == PRIVATE_PARTS.get(path.name, [])


@of_each(named(p for p in PRODUCT if p.is_relative_to(ROOT / "models")))
def test_models_import_statistics_only(path: Path) -> None:
    foreign = {
        root
        for module in imported_modules(path)
        if (root := module.split(".")[0]) not in sys.stdlib_module_names
        and root not in MODELS_MAY_IMPORT
    }
    assert not foreign


@of_each(named(p for p in PRODUCT if p.is_relative_to(ROOT / "bill_pipeline" / "sandbox")))
def test_the_sandbox_knows_nothing_of_the_pipeline(path: Path) -> None:
    guilty = [
        m
        for m in imported_modules(path)
        if m.startswith("bill_pipeline") and not m.startswith("bill_pipeline.sandbox")
    ]
    assert not guilty


@of_each(named(p for p in PRODUCT if p.is_relative_to(ROOT / "bill_pipeline" / "bill")))
def test_the_bill_layer_knows_neither_duckdb_nor_the_layers_above(path: Path) -> None:
    guilty = [
        m
        for m in imported_modules(path)
        if m.split(".")[0] == "duckdb"
        or (
            m.startswith("bill_pipeline")
            and not m.startswith(("bill_pipeline.bill", "bill_pipeline.runtime"))
        )
    ]
    assert not guilty


@of_each(named(PRODUCT))
def test_only_settings_reads_the_environment(path: Path) -> None:
    if path.name == "settings.py":
        return  # this is the reader
    assert not re.search(
        r"os\.(environ|getenv)\b(?!\s*=)", path.read_text().replace("**os.environ", "")
    )


@of_each(named(PRODUCT))
def test_a_file_is_one_idea_and_says_so(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES, "split it: a file is one idea"
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "say in a docstring what belongs here"


@of_each(named(PRODUCT))
def test_no_file_is_named_after_nothing(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "common", "manager", "data", "info", "misc"}


def test_sql_never_reads_a_clock_or_a_die() -> None:
    forbidden = re.compile(
        r"\b(now|current_date|current_timestamp|today|random)\b\s*(\(|,|$)", re.M
    )
    guilty = [
        f"{name_of(path)}: {match.group(0)}"
        for path in sorted((ROOT / "transforms").rglob("*.sql"))
        for match in forbidden.finditer(re.sub(r"--.*", "", path.read_text()))
    ]
    assert not guilty


#: Where a person, or a page, is told what went wrong; and where BILL's errors are sorted.
_ANSWERS = {
    "bill_pipeline/console/auth/access.py", "bill_pipeline/console/many_clients.py",
    "bill_pipeline/dagster/layers.py", "bill_pipeline/registry/failures.py",
}  # fmt: skip


@of_each(named(PRODUCT))
def test_loops_over_clients_are_isolated_in_one_way(path: Path) -> None:
    """Catching our own errors lets any other one of a client stop all: ``failures.alone``."""
    if name_of(path) in _ANSWERS:
        return  # one client, and somebody to tell
    guilty = [
        loop.lineno
        for loop in ast.walk(ast.parse(path.read_text()))
        if isinstance(loop, ast.For) and "client" in ast.unparse(loop.target)
        for inner in ast.walk(loop)
        if isinstance(inner, ast.ExceptHandler)
        and inner.type is not None
        and re.search(r"PipelineError|BillError|IOException", ast.unparse(inner.type))
    ]
    assert not guilty


#: CSV that programs read, with every text as it is.
_FOR_PROGRAMS = {"bill_pipeline/publishing/output.py", "bill_pipeline/sandbox/ledger_import.py"}


@of_each(named(PRODUCT))
def test_text_for_spreadsheets_goes_through_the_guard(path: Path) -> None:
    """Vendors choose the words: no cell may run them."""
    text = path.read_text()
    if name_of(path) != "bill_pipeline/exports/xlsx.py":
        assert not re.search(r"\bWorkbook\(|WriteOnlyCell\(|\.create_sheet\(|xlsxwriter", text), (
            "make it by exports.xlsx.fixed_workbook and new_sheet"
        )
    if re.search(r"csv\.(writer|DictWriter)\(", text) and name_of(path) not in _FOR_PROGRAMS:
        assert re.search(r"\bguarded(_row)?\b", text), "write texts by exports.spreadsheets.guarded"


#: They hold a list of words or an empty client, which always fit into memory.
_SMALL = {
    "bill_pipeline/dagster/raw_columns.py", "bill_pipeline/registry/client_files.py",
    "bill_pipeline/publishing/tables.py", "bill_pipeline/publishing/versions.py",
    "bill_pipeline/sandbox/ledger_rows.py",  # the path of a file of invented books
}  # fmt: skip


@of_each(named(PRODUCT))
def test_what_does_not_fit_into_memory_is_put_where_nobody_else_reads(path: Path) -> None:
    text = path.read_text()
    if name_of(path) not in _SMALL and re.search(r'duckdb\.connect\((":memory:")?\)', text):
        assert "temp_directory" in text, "DuckDB spills into the folder one happens to be in"
    if name_of(path) != "bill_pipeline/runtime/private_folder.py" and "dagster/" not in name_of(
        path
    ):
        assert not re.search(r"tempfile\.(TemporaryDirectory|gettempdir)", text), "PrivateFolder"


@of_each(named(PRODUCT))
def test_every_sqlite_file_says_that_it_is_damaged(path: Path) -> None:
    if path.name == "budget.py":
        return  # it looks at the whole file when it opens it
    opened = re.findall(r"sqlite3\.connect\((.*?)\)\n", path.read_text(), re.DOTALL)
    assert all("factory=SqliteFile" in each for each in opened)


#: Declared and imported nowhere, with the reason; a name in brackets is that of an extra or group.
NOT_IMPORTED = {
    "tzdata": "data: zoneinfo reads it where the system has no time zones",
    "dagster-postgres": "plugin: dagster.yaml names its storages",
    "duckdb-extension-ducklake": "extension: DuckDB loads it",
    "duckdb-extension-httpfs": "extension: DuckDB loads it",
    "duckdb-extension-postgres-scanner": "extension: DuckDB loads it",
    "beancount": "command: tests have it check our journals",
    "beanquery": "command: tests ask our journals by it",
    "editables": "plugin: hatchling installs the checkout by it",
    "hatchling": "command: builds the wheel",
    "mypy": "command: make types",
    "polars": "data: an example of docs/analysts.md that a test runs",
    "pytest-xdist": "plugin: pytest -n",
    "ruff": "command: make lint",
    "types-pyyaml": "data: types for mypy",
    "uv": "command: make install, make lock",
}
#: The module of a distribution that is not named after it.
MODULES_OF = {"graphql-core": "graphql", "pyyaml": "yaml", "scikit-learn": "sklearn"}
#: Imported without being declared: parts of what is.
PARTS_OF = {"markupsafe": "jinja2"}


def declared() -> tuple[set[str], set[str]]:
    """The distributions that the product needs, and those that its developers need besides."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    needed = [*project["project"]["dependencies"], *(name for extra in extras for name in extra)]
    found = [re.findall(r"^[\w.-]+", name)[0] for name in needed]
    developers = [re.findall(r"^[\w.-]+", name)[0] for name in project["dependency-groups"]["dev"]]
    return set(found), set(developers)


def imported_roots(paths: Iterable[Path]) -> set[str]:
    return {module.split(".")[0] for path in paths for module in imported_modules(path)}


@pytest.mark.slow
def test_what_is_declared_is_used_and_what_is_used_is_declared() -> None:
    needed, developers = declared()
    ours = imported_roots(PRODUCT)
    others = imported_roots(
        p for f in ("tests", ".ci", "benchmarks") for p in (ROOT / f).rglob("*.py")
    )
    module = {name: MODULES_OF.get(name, name.replace("-", "_")) for name in needed | developers}
    unused = {name for name in needed if module[name] not in ours}
    unused |= {name for name in developers if module[name] not in ours | others}
    assert unused == NOT_IMPORTED.keys()
    assert {reason.partition(":")[0] for reason in NOT_IMPORTED.values()} <= {
        "plugin", "command", "data", "extension",
    }  # fmt: skip
    known = {module[name] for name in needed} | {"bill_pipeline", "models"}
    assert ours - known - set(sys.stdlib_module_names) == PARTS_OF.keys()
    assert {*PARTS_OF.values()} <= needed


def test_decisions_are_written_by_one_helper() -> None:
    """Beside it: undoing copies rows as they are, and a batch is no decision."""
    beside = {"decisions/rows.py", "actions/party_answers.py", "pipeline/batches.py"}
    writers = {
        str(path.relative_to(ROOT / "bill_pipeline"))
        for path in PRODUCT
        if path.is_relative_to(ROOT / "bill_pipeline")
        and re.search(r"(into|update|delete from)\s+decisions\.", path.read_text())
    }
    assert writers == beside
