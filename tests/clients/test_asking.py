"""Questions of the command line end, whatever is piped into them."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import bill_pipeline
from bill_pipeline.cli import asking, main
from bill_pipeline.cli.asking import ask, ask_new_password, require_yes
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from tests.console.console_browser import connect_invented_client

PACKAGE = Path(bill_pipeline.__file__).parent


class Endless(io.RawIOBase):
    """A stream of ``piece``, again and again."""

    def __init__(self, piece: bytes) -> None:
        self.left, self.piece = b"", piece

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        while len(self.left) < len(buffer):
            self.left += self.piece * 1000
        size = len(buffer)
        buffer[:], self.left = self.left[:size], self.left[size:]
        return size


def closed() -> io.TextIOWrapper:
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    return stream


PIPED: dict[str, Callable[[], io.TextIOWrapper | None]] = {
    "nothing": lambda: io.TextIOWrapper(io.BytesIO()),
    "no text": lambda: io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00\n" * 9), "utf-8"),
    "no stream": lambda: None,
    "a closed stream": closed,
    "an endless line": lambda: io.TextIOWrapper(io.BufferedReader(Endless(b"\0")), "utf-8"),
    "endless lines": lambda: io.TextIOWrapper(io.BufferedReader(Endless(b"perhaps\n")), "utf-8"),
    "endless bytes": lambda: io.TextIOWrapper(io.BufferedReader(Endless(b"\xff\n")), "utf-8"),
}


@pytest.mark.parametrize("piped", PIPED)
def test_a_question_ends_whatever_is_piped_in(piped: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_has_terminal", lambda: False)
    monkeypatch.setattr(sys, "stdin", PIPED[piped]())
    with pytest.raises(click.Abort):
        require_yes("Delete it?")
    if piped != "endless lines":
        monkeypatch.setattr(sys, "stdin", PIPED[piped]())
        with pytest.raises(click.Abort):
            ask_new_password("Password")


def test_what_is_piped_in_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("rent\n\nperhaps\nyes\n"))
    assert ask("Account") == "rent"
    assert ask("Account") == ""
    require_yes("Delete it?")


@pytest.mark.parametrize("said", ["", "n\n", "perhaps\n" * 9])
def test_a_purge_that_nobody_agreed_to_deletes_nothing(said: str, tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    connect_invented_client(home, "acme")
    words = ["disconnect", "acme", "--purge", "--home", str(home.path)]
    assert CliRunner().invoke(main, words, input=said).exit_code == 1
    assert Registry(home).names() == ["acme"]


def test_every_question_is_asked_there() -> None:
    for path in PACKAGE.rglob("*.py"):
        asks = re.search(r"click\.(prompt|confirm)\(|confirmation_option|prompt=", path.read_text())
        assert asks is None or path.name == "asking.py", path
