"""What a text tells people to run can be run: its commands and options are those of ``--help``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bill_pipeline.cli import main

ROOT = Path(__file__).parent.parent
#: What stands in a text for what is only known when it is shown: a name, a day, an option's value.
SHOWN_LATER = "VALUE"
#: Up to the end of the code or of the line; not where the product is spoken of.
_TOLD = re.compile(r"(?<!that runs )(?<!what )bill-pipeline (?!look-alike|\(|VALUE)([^`<\n…#]+)")
_OPTION = re.compile(r"(?<!\S)--?[a-z][\w-]*")


def texts_of_python(path: Path) -> Iterator[str]:
    """Every text in the code, docstrings too, with ``SHOWN_LATER`` where an f-string has a hole."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else SHOWN_LATER
                for part in node.values
            )
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner
        ):
            yield node.value


def remedies() -> dict[str, str]:
    """What people are told to run → the file that tells them."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "bill_pipeline").rglob("*.py")):
        if not path.is_relative_to(ROOT / "bill_pipeline" / "sandbox"):
            for text in texts_of_python(path):
                found |= dict.fromkeys(_TOLD.findall(text), path.name)
    for path in sorted((ROOT / "bill_pipeline" / "console" / "templates").rglob("*.html")):
        text = re.sub(r"{{.*?}}", SHOWN_LATER, path.read_text(encoding="utf-8"))
        found |= dict.fromkeys(_TOLD.findall(text), path.name)
    for path in sorted((ROOT / "transforms").rglob("*.sql")):
        found |= dict.fromkeys(_TOLD.findall(path.read_text(encoding="utf-8")), path.name)
    return found


def unknown(command: click.Command, told: str) -> str:
    """What ``command`` does not know of what is ``told`` after it; nothing if it knows it all."""
    context = click.Context(command)
    first, _space, rest = told.strip().partition(" ")
    if isinstance(command, click.Group) and not first.startswith("-"):
        inner = command.get_command(context, first.strip(".,:;()'\""))
        return unknown(inner, rest) if inner else f"no command {first!r}"
    known = {
        name for each in command.get_params(context) for name in (*each.opts, *each.secondary_opts)
    }
    return ", ".join(f"no option {o}" for o in _OPTION.findall(told) if o not in known)


REMEDIES = remedies()


@pytest.mark.parametrize("told", sorted(REMEDIES))
def test_every_command_that_a_text_names_is_one_that_help_knows(told: str) -> None:
    assert not unknown(main, told), REMEDIES[told]


def test_what_help_does_not_know_is_found() -> None:
    assert len(REMEDIES) > 50
    assert unknown(main, "snyc acme --full") == "no command 'snyc'"
    assert unknown(main, "sync acme --fully") == "no option --fully"
    assert unknown(main, "rules lst acme") == "no command 'lst'"
