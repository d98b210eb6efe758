"""Examples that `--help`, manual pages and the reference show."""

from __future__ import annotations

import itertools
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from hostd.cli.examples import EXAMPLES
from hostd.cli.main import root

PAGE = Path(__file__).parents[3] / "docs/reference/cli.md"
LINES = [(path, line) for path, lines in EXAMPLES.items() for line in lines]


@pytest.mark.parametrize(("path", "line"), LINES, ids=[line[:60] for _, line in LINES])
def test_each_is_a_command_with_its_options(path: str, line: str) -> None:
    """What stands there can be parsed, every command of a pipe, and one of them is the command that it is of."""
    words = shlex.split(line)
    parts = [list(part) for pipe, part in itertools.groupby(words, lambda word: word == "|") if not pipe]
    ours = [part[1:] for part in parts if part[0] == "hostd"]

    assert any(part[: len(path.split())] == path.split() for part in ours)
    for part in ours:
        command: click.Command = root
        context = click.Context(root, info_name="hostd")
        while isinstance(command, click.Group):
            name = part.pop(0)
            found = command.get_command(context, name)
            assert found is not None, name
            command = found
        command.make_context(command.name, part, parent=context)


def test_help_man_and_lists_show_them(hostd: Any) -> None:
    """In the help they stand in front of the options, a line each, never broken."""
    shown = hostd("runs", "list", "--help").out
    assert shown.index(EXAMPLES["runs list"][1]) < shown.index("Options:")
    assert EXAMPLES["runs cancel"][1] in hostd("runs", "cancel", "--help").out
    assert ".SH EXAMPLES\n.nf\nhostd runs logs" in hostd("man", "runs", "logs").out


def test_the_reference_shows_these_and_no_others() -> None:
    """So that each block of the page has been parsed."""
    blocks = PAGE.read_text(encoding="utf-8").split("```sh\n")[1:]
    assert {line for block in blocks for line in block.partition("```")[0].splitlines()} == {line for _, line in LINES}
