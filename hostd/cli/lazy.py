"""Commands that are imported when somebody asks for them, so that `hostd --help` stays quick."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import click

HINTS_MAX = 3


class Entry(NamedTuple):
    """Where a command is (`module:name`), and its line in the list of commands."""

    target: str
    help: str


class LazyGroup(click.Group):
    """A group whose commands are a table of Entry."""

    def __init__(self, *args: Any, entries: dict[str, Entry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order, which is the order a person meets them in."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, _, name = entry.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is named; for a slip, name the nearest."""
        name = args[0]
        if name not in self.entries and not ctx.resilient_parsing and not name.startswith("-"):
            raise click.UsageError(f"No such command {name[:80]!r}.{self._hint(ctx, name[:80])}", ctx)
        return super().resolve_command(ctx, args)

    def _hint(self, ctx: click.Context, name: str) -> str:
        """Return the command that may have been meant: the nearest, else those of the name in groups."""
        from difflib import get_close_matches

        if near := get_close_matches(name, self.entries, n=1):
            return f" Did you mean {near[0]!r}?"
        groups = [
            (word, command) for word in self.entries if isinstance(command := self.get_command(ctx, word), click.Group)
        ]
        found = [f"`{ctx.command_path} {word} {name}`" for word, group in groups if name in group.list_commands(ctx)]
        return f" Did you mean {' or '.join(found[:HINTS_MAX])}?" if found else ""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items()])
