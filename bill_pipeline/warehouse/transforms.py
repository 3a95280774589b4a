"""Read ``transforms/**/*.sql``: what each table is and what it reads.

A file's own comments and its own ``select`` are the only declaration: header, column comments,
upstream tables and build order come from here and are written down nowhere else. Running the SQL
is ``warehouse``'s work; nothing here opens a database.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import TopologicalSorter
from pathlib import Path

import sqlglot
from sqlglot import exp

from bill_pipeline.errors import PipelineError

#: Beside the package in a checkout and in an installed wheel alike.
FOLDER = Path(__file__).resolve().parents[2] / "transforms"
#: The chart of accounts that fills the roles a client's own chart leaves open.
STANDARD_CHART = FOLDER.parent / "models" / "chart_of_accounts.csv"
#: What SQL calls by ``plain_text`` and ``plain_number``.
TEXT_FUNCTIONS = (
    STANDARD_CHART.with_name("normalize.py"),
    Path(__file__).parents[1] / "plain_text.py",
)
#: The layers that SQL builds, in the order in which data flows.
SCHEMAS = ("staging", "categorized", "ledger", "reports")
PUBLISHED_BY_DEFAULT = {"ledger", "reports"}
MATERIALIZATIONS = {"table", "view", "append", "temporary"}
_HEADER_KEYS = {
    "grain", "key", "owner", "materialize", "published", "macro", "history", "moment", "totals",
    "table", "severity", "archive", "columns", "follows", "whole", "named",
}  # fmt: skip
_COMMENT_OR_TEXT = re.compile(r"--[^\n]*|('(?:[^']|'')*')")
_HEADER_LINE = re.compile(r"--\s?(?:(?P<name>[a-z]+):\s*(?P<value>.*)|(?P<text>.*))$")


class TransformError(PipelineError):
    """A SQL file breaks the house's form; the message names the file and what to change."""


@dataclass(frozen=True)
class Column:
    """One output column; ``description`` is the trailing comment, here or in the file named by
    ``columns:``."""

    name: str
    description: str


@dataclass(frozen=True)
class Macro:
    """The table macro offered to analysts: ``parameters`` are variables the SQL reads."""

    name: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Transform:
    """One table: one SQL file, its address and everything its comments say.

    ``history`` names append tables of which the file reads what *earlier* builds wrote; they are
    not upstream, or the journal would wait for itself. ``moment`` names the column that holds when
    the table was built: by itself it makes the table another one only on another day. ``totals``
    are the columns whose sum over all rows means something. ``is_archive``: it holds documents of
    all BILL lists, and its column ``list`` says of which a row is.

    ``follows`` names the column that holds the id of the document a row belongs to: rows of a
    document follow from its own and linked documents' rows in tables that follow documents too.
    ``whole`` names those of them that the file reads as a whole; ``*``: it reads all so.
    ``named`` is the file of ``transforms/scope`` that finds the documents naming a new row's key,
    or a column that holds their ids.
    """

    schema: str
    name: str
    sql: str
    path: Path
    summary: str
    grain: str
    key_columns: tuple[str, ...]
    owner: str
    materialize: str
    is_published: bool
    macro: Macro | None
    history: tuple[str, ...]
    moment: str | None
    totals: tuple[str, ...]
    is_archive: bool
    follows: str | None
    whole: tuple[str, ...]
    named: str | None
    columns: tuple[Column, ...]
    upstream: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.schema}.{self.name}"

    @cached_property
    def code_version(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()[:16]

    @cached_property
    def rule(self) -> str:
        """The SQL without comments and layout: what changes when other rows come out."""
        return " ".join(_COMMENT_OR_TEXT.sub(lambda found: found[1] or "", self.sql).split())


@dataclass(frozen=True)
class Check:
    """A claim about one table; its SQL returns the rows that break it."""

    name: str
    table: str
    severity: str
    summary: str
    sql: str
    path: Path
    #: It looks at documents one by one: at the rows of one it finds what it finds at all rows.
    follows: bool = False
    whole: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"checks.{self.name}"

    @property
    def code_version(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()[:16]


def read_header(sql: str) -> tuple[str, dict[str, str]]:
    """(summary, facts) of a file's leading comment lines; the summary ends at ``--`` alone."""
    summary: list[str] = []
    facts: dict[str, str] = {}
    in_summary = True
    for line in sql.splitlines():
        match = _HEADER_LINE.match(line)
        if match is None:
            break
        if match["name"] in _HEADER_KEYS:
            facts[match["name"]] = match["value"].strip()
            in_summary = False
        elif in_summary and line.strip() != "--":
            summary.append(line.removeprefix("--").strip())
        else:
            in_summary = False
    return " ".join(summary), facts


def read_transform(path: Path) -> Transform:
    """The transform in ``path``. Raises TransformError when the file breaks the house's form."""
    sql = path.read_text(encoding="utf-8")
    summary, facts = read_header(sql)
    if missing := [name for name in ("grain", "key", "owner") if name not in facts]:
        raise TransformError(f"{path}: the header lacks {', '.join(missing)}.")
    materialize = facts.get("materialize", "table")
    if not summary or materialize not in MATERIALIZATIONS:
        raise TransformError(f"{path}: say what the table is, and materialize as one of "
                             f"{', '.join(sorted(MATERIALIZATIONS))}.")  # fmt: skip
    select = parse(path, sql)
    schema = path.parent.name
    history = names_in(facts.get("history", ""))
    said_there = _columns_of(facts["columns"]) if "columns" in facts else ()
    columns = tuple(_columns(path, select, said_there))
    totals = names_in(facts.get("totals", ""))
    if unknown := set(totals) - {column.name for column in columns}:
        raise TransformError(f"{path}: there is no column {', '.join(sorted(unknown))} to add up.")
    published = facts.get("published", "yes" if schema in PUBLISHED_BY_DEFAULT else "no")
    return Transform(
        schema=schema,
        name=path.stem,
        sql=sql,
        path=path,
        summary=summary,
        grain=facts["grain"],
        key_columns=names_in(facts["key"]),
        owner=facts["owner"],
        materialize=materialize,
        is_published=published != "no",
        macro=_macro(facts.get("macro")),
        history=history,
        moment=facts.get("moment"),
        totals=totals,
        is_archive=facts.get("archive") == "yes",
        follows=facts.get("follows"),
        whole=names_in(facts.get("whole", "")),
        named=facts.get("named"),
        columns=columns,
        upstream=tuple(t for t in _tables(select) if t not in history),
    )


def read_check(path: Path) -> Check:
    """The check in ``path``. Raises TransformError without a table or a known severity."""
    sql = path.read_text(encoding="utf-8")
    summary, facts = read_header(sql)
    if facts.get("severity") not in {"error", "warn"} or "table" not in facts:
        raise TransformError(f"{path}: a check needs `-- table:` and `-- severity: error|warn`.")
    return Check(
        path.stem, facts["table"], facts["severity"], summary, sql, path,
        follows="follows" in facts, whole=names_in(facts.get("whole", "")),
        upstream=tuple(_tables(_parse(path, sql))),
    )  # fmt: skip


@cache
def load_transforms() -> dict[str, Transform]:
    """Every transform by its key ``schema.name``; read once per process."""
    paths = (path for schema in SCHEMAS for path in sorted((FOLDER / schema).glob("*.sql")))
    return {transform.key: transform for transform in map(read_transform, paths)}


@cache
def load_checks() -> dict[str, Check]:
    """Every check by its name, which is a sentence that is true when it passes."""
    return {
        check.name: check for check in map(read_check, sorted((FOLDER / "checks").glob("*.sql")))
    }


def in_build_order(transforms: Iterable[Transform]) -> list[Transform]:
    """``transforms`` so that each comes after what it reads; the same order on every machine.

    Those that append follow each other: nothing else is built meanwhile.
    """
    by_key = {transform.key: transform for transform in transforms}
    graph: TopologicalSorter[str] = TopologicalSorter()
    for key in sorted(by_key):
        graph.add(key, *(up for up in by_key[key].upstream if up in by_key))
    ordered = [by_key[key] for key in graph.static_order()]
    after: set[str] = set()
    for transform in ordered:
        if transform.materialize == "append" or not after.isdisjoint(transform.upstream):
            after.add(transform.key)
    appending = [t for t in ordered if t.materialize == "append"]
    before = [t for t in ordered if t.key not in after]
    return before + appending + [t for t in ordered if t not in before and t not in appending]


def with_ancestors(keys: Iterable[str]) -> set[str]:
    """``keys`` and every transform they read, directly or not."""
    transforms = load_transforms()
    found: set[str] = set()
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key in transforms and key not in found:
            found.add(key)
            waiting += transforms[key].upstream
    return found


@cache
def shared_code() -> str:
    """Changes with the functions and files that SQL reads besides tables."""
    digest = hashlib.sha256((FOLDER / "functions.sql").read_bytes())
    for path in (STANDARD_CHART, *TEXT_FUNCTIONS):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def parse(path: Path, sql: str) -> exp.Query:
    """The one query of a file, to be read and not to be changed. Raises TransformError."""
    return _parse(path, sql)


def _parse(path: Path, sql: str) -> exp.Query:
    try:
        select = sqlglot.parse_one(sql, dialect="duckdb")
    except sqlglot.errors.ParseError as error:
        raise TransformError(f"{path}: {error}") from error
    if not isinstance(select, exp.Query):
        raise TransformError(f"{path}: the file must be one select.")
    return select


@cache
def _columns_of(key: str) -> tuple[Column, ...]:
    return read_transform(FOLDER / f"{key.replace('.', '/')}.sql").columns


def _columns(path: Path, select: exp.Query, said_there: Iterable[Column]) -> Iterable[Column]:
    """The columns of ``select``; ``said_there`` explains those without a comment, and a star."""
    words = {column.name: column for column in said_there}
    for projection in select.selects:
        name, comments = projection.alias_or_name, list(projection.comments or [])
        if isinstance(projection.this, exp.Expression):
            comments += projection.this.comments or []
        if projection.is_star and words:
            yield from words.values()
        elif comments and not projection.is_star:
            yield Column(name, " ".join(c.strip() for c in comments))
        elif name in words:
            yield words[name]
        else:
            raise TransformError(f"{path}: column {name!r} has no trailing comment.")


def _tables(select: exp.Query) -> list[str]:
    ctes = {cte.alias for cte in select.find_all(exp.CTE)}
    return sorted(
        {
            address_of(table)
            for table in select.find_all(exp.Table)
            if isinstance(table.this, exp.Identifier) and (table.db or table.name not in ctes)
        }
    )


def address_of(table: exp.Table) -> str:
    return f"{table.db}.{table.name}" if table.db else table.name


def names_in(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _macro(text: str | None) -> Macro | None:
    if not text:
        return None
    match = re.fullmatch(r"([a-z0-9_]+)\(([a-z_, ]*)\)", text)
    if match is None:
        raise TransformError(f"A macro is written name(parameter, …), not {text!r}.")
    return Macro(match[1], names_in(match[2]))
