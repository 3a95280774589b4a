"""SECURITY.md promises nothing that no test holds, and its links lead somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_promise_names_a_test_that_is_there() -> None:
    promised = PAGE.split("## What is promised")[1].split("\n## ")[0]
    rows = [line for line in promised.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    for row in rows:
        held_by = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert held_by, row
        for path, name in held_by:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_page_and_section_it_points_to_is_there() -> None:
    pointed = re.findall(r"\]\((docs/[\w.-]+)#([\w-]+)\)", PAGE)
    assert pointed
    for path, section in pointed:
        titles = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
        assert section in {re.sub(r"[^\w -]", "", t).lower().replace(" ", "-") for t in titles}


def test_the_readme_leads_to_it() -> None:
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
