"""Commands that are imported when somebody asks for them, so that `hostd --help` stays quick."""

from __future__ import annotations

import importlib
import os
from typing import Any, NamedTuple

import click

SENTENCE_CHARS = 200  # of a command's line in a list, which is wrapped and not cut


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
        """Find the command that is named, a noun in singular or plural; for another word, name what may be meant."""
        name = args[0]
        if name not in self.entries and not name.startswith("-"):
            own = self._in_other_number(name)
            if own is not None:
                args = [own, *args[1:]]
            elif not ctx.resilient_parsing:
                raise no_such_command(ctx, args)
        return super().resolve_command(ctx, args)

    def _in_other_number(self, name: str) -> str | None:
        """Return the noun for its plural or singular: `workflows`, `dead-letter`. `run` is a command of its own."""
        return next((each for each in (f"{name}s", name.removesuffix("s")) if each in self.entries), None)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items()])


class Verb(click.Command):
    """A command that does something. Its help shows examples."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, and how it is called."""
        from hostd.cli.examples import examples_of

        super().format_help_text(ctx, formatter)
        if examples := examples_of(ctx.command_path):
            with formatter.section("Examples"):
                for line in examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class Noun(click.Group):
    """A group of verbs. Its list shows whole sentences, and for a word that is no verb it names what may be meant."""

    command_class = Verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that is named."""
        if args[0] not in self.commands and not ctx.resilient_parsing and not args[0].startswith("-"):
            raise no_such_command(ctx, args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs."""
        with formatter.section("Commands"):
            names = self.list_commands(ctx)
            formatter.write_dl([(name, self.commands[name].get_short_help_str(SENTENCE_CHARS)) for name in names])


def no_such_command(ctx: click.Context, args: list[str]) -> click.UsageError:
    """Return the error of a word that is no command, with what may have been meant by it and what is behind it."""
    from hostd.cli.meant import meant

    root = ctx.find_root()
    inside = [ctx.info_name or ""] if ctx.parent is not None else []
    lines = meant([*inside, *args], verbs_by_noun(root))
    hint = " or ".join(f"`{root.info_name} {line}`" for line in lines)
    return click.UsageError(f"No such command {args[0][:80]!r}." + (f" Did you mean {hint}?" if hint else ""), ctx)


def verbs_by_noun(root: click.Context) -> dict[str, list[str]]:
    """Return the verbs of every group; of a command that is none, nothing. Imports all of them."""
    group = root.command
    if not isinstance(group, click.Group):
        return {}
    commands = {name: group.get_command(root, name) for name in group.list_commands(root)}
    return {
        name: command.list_commands(root) if isinstance(command, click.Group) else []
        for name, command in commands.items()
    }


def refuse_no_file(ctx: click.Context, args: list[str]) -> None:
    """Raise UsageError where `hostd run` is given a word that names no file: a verb of `runs`, or a workflow."""
    word = args[0]
    if not word or word.startswith("-") or "." in word or os.sep in word or os.path.exists(word):
        return
    from hostd.cli.meant import meant_by_run

    hint = f"`{ctx.info_name} {meant_by_run(args, verbs_by_noun(ctx))}`"
    raise click.UsageError(f"`hostd run` takes a file, and {word[:80]!r} is none here. Did you mean {hint}?", ctx)
