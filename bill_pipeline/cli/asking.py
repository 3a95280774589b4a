"""Ask the person at the command line, and end where nobody answers.

What is piped in may have no end and no sense: a question is asked a few times, never for ever.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from bill_pipeline.settings import LONGEST_TEXT

#: Wrong answers to one question.
MOST_TRIES = 5


def ask(question: str, *, hidden: bool = False) -> str:
    """What the person says, which may be nothing; ``hidden``: it is not shown as it is typed.

    Raises click.Abort at the end of the input and where it cannot be read.
    """
    try:
        is_piped = not (sys.stdin and sys.stdin.isatty())
        if is_piped and not (hidden and _has_terminal()):
            click.echo(f"{question}: ", nl=False)
            # One line, and no longer than anybody types: a device may have no second one.
            text = sys.stdin.readline(LONGEST_TEXT + 1) if sys.stdin else ""
            click.echo()
            if not text or len(text) > LONGEST_TEXT:
                raise click.Abort
            return text.rstrip("\r\n")
        # With a default click takes an empty answer; without one it asks until there is another.
        said: str = click.prompt(question, hide_input=hidden, default="", show_default=False)
    except (OSError, ValueError, RuntimeError) as error:  # no text, a folder, a closed stream
        raise click.Abort from error
    return said


def _has_terminal() -> bool:
    """Whether a password can be asked for although something else is piped in."""
    with contextlib.suppress(OSError), Path("/dev/tty").open("rb"):
        return True
    return False


def ask_new_password(question: str) -> str:
    """A password that was typed the same twice. Raises click.Abort."""
    for _ in range(MOST_TRIES):
        password = ask(question, hidden=True)
        if password and ask("The same again", hidden=True) == password:
            return password
        click.echo("Nothing was typed, or not the same twice.")
    raise click.Abort


def require_yes(question: str) -> None:
    """Raises click.Abort unless the person says yes."""
    for _ in range(MOST_TRIES):
        said = ask(f"{question} [y/N]").strip().lower()
        if said in ("y", "yes"):
            return
        if said in ("", "n", "no"):
            break
        click.echo("Say y or n.")
    raise click.Abort
