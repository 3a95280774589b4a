"""README, SECURITY and ``docs/`` name only what there is, and no page repeats another.

What a page names in backquotes is looked for: a file or folder in the tree, a table in
``transforms/``, a command and its options in ``--help``, a setting in ``Settings``. Links lead to
files and headings that exist. The changelog, which also names what is gone, is held to its links.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import click
import pytest

from bill_pipeline.cli import COMMANDS, main
from bill_pipeline.settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "models" / "README.md", *DOCS]
#: What a reader makes or finds in a home, and BILL's addresses: not in the tree.
ELSEWHERE = re.compile(
    r"^(data|dist|dlt|dagster|clients|published|lake|statements|FOLDER|Bulk|List|Crud)/"
)
MADE = {"aging.sql", "question.sql", "ledger.sql", "answers.csv", "aging.csv", "beliefs.md"}
#: Folders that a page may leave out where it names a file.
FOLDERS = ("", "docs", "bill_pipeline", "models", "transforms", "tests", "tests/sandbox")
FILE = r"\.(py|sql|md|yaml|csv|ddl|html)$"
FILES = {path.name for top in ("bill_pipeline", "models", "transforms", "tests", "benchmarks")
         for path in (ROOT / top).rglob("*") if re.search(FILE, path.name)}  # fmt: skip
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
#: The history of earlier releases names what is no more.
HISTORY = ROOT / "CHANGELOG.md"


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them from its headings."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in found}


@pytest.mark.parametrize("page", [*PAGES, HISTORY], ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"(?:\]\(|src=\")([^)\"\s]+)", text):
        if not target.startswith(("http://", "https://")):
            path, _hash, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            assert file.exists(), target
            assert not anchor or anchor in headings(file), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_path_exists(page: Path) -> None:
    for named in re.findall(r"(?<![\w<>/.:$-])\w[\w./*-]*", " ".join(quoted(page))):
        path = named.rstrip("/.")
        if not ELSEWHERE.match(named) and named not in MADE:
            if "/" in named and re.search(rf"{FILE}|/$", named):
                assert any(list((ROOT / folder).glob(path)) for folder in FOLDERS), named
            elif re.search(r"\w\.(py|sql)$", named):
                assert named in FILES, named


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_table_story_and_test_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    tables = re.findall(r"\b(staging|categorized|ledger|reports)\.(?!sql|duckdb)(\w+)`", text)
    assert not [f"{schema}/{name}" for schema, name in tables if f"{name}.sql" not in FILES]
    source = (ROOT / "bill_pipeline/decisions").glob("*.py")
    made = "".join(path.read_text(encoding="utf-8") for path in source)
    for name in re.findall(r"`decisions\.(\w+)", text):
        assert f"decisions.{name} " in made, f"decisions.{name}"
    for name in re.findall(r"`(test_\w+)`", text):
        assert any(f"def {name}(" in path.read_text(encoding="utf-8") for path in TESTS), name
    stories = {path.name.partition("_")[0] for path in (ROOT / "tests/stories").glob("*.yaml")}
    for numbers in re.findall(r"(?:stor(?:y|ies)) `?((?:\d+(?:, | to | and )?)+)", text):
        assert set(re.findall(r"\d+", numbers)) <= stories, numbers


def quoted(page: Path) -> list[str]:
    """What stands in backquotes, and lines of shell blocks."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:console|sh|)\n(.*?)```", text, re.S)
    rest = re.sub(r"```.*?```", "", text, flags=re.S)
    return re.findall(r"`([^`\n]*(?:\n[^`\n]+)?)`", rest) + [
        line for block in blocks for line in re.sub(r"\\\n\s*", "", block).splitlines()
    ]


def commands_in(page: Path) -> list[list[str]]:
    """Words after ``bill-pipeline`` wherever a page shows the command."""
    found = []
    for each in quoted(page):
        for line in re.findall(r"bill-pipeline ([a-z].*)", " ".join(each.split())):
            words = re.sub(r"\s#.*|\s─.*|\$\(.*|\"[^\"]*\"?", " ", line).split()
            found.append(words)
    return found


def options_of(command: click.Command) -> set[str]:
    return {name for each in command.params for name in (*each.opts, *each.secondary_opts)}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_and_option_is_in_its_help(page: Path) -> None:
    for name, *words in commands_in(page):
        assert name in COMMANDS, f"bill-pipeline {name}"
        command = main.get_command(click.Context(main), name)
        assert command is not None
        known = options_of(command) | {"--help"}
        while isinstance(command, click.Group):
            below = words[0] if words and words[0] in command.commands else None
            if below is None:
                known |= {o for each in command.commands.values() for o in options_of(each)}
                break
            command, words = command.commands[below], words[1:]
            known |= options_of(command)
        for word in words:
            if re.match(r"--[a-z]", word):
                option = re.split(r"[=.,;:)\]|]", word)[0]
                assert option in known, f"bill-pipeline {name} {option}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_setting_exists(page: Path) -> None:
    known = {f"BILL_PIPELINE_{name.upper()}" for name in Settings.model_fields}
    for named in re.findall(r"BILL_PIPELINE_[A-Z_]+[A-Z]", page.read_text(encoding="utf-8")):
        assert named in known, named


def test_every_page_is_on_the_map() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [page.name for page in DOCS if f"(docs/{page.name})" not in readme]


def test_no_page_repeats_another() -> None:
    """Two pages with the same sentence: one of them grows old. Generated pages quote the SQL."""
    places: dict[str, set[str]] = defaultdict(set)
    for page in PAGES:
        if page.name not in {"schema.md", "questions.md", "real-books.md", "model-figures.md"}:
            text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
            for sentence in re.split(r"(?<=[.;:|])\s+|\n\n|\n(?=[*-] )", text):
                words = " ".join(sentence.split()).strip("*-| .;:")
                if len(words.split()) >= 9:
                    places[words].add(name_of(page))
    assert not {words: where for words, where in places.items() if len(where) > 1}
