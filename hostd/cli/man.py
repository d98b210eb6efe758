"""`hostd man`: manual pages, a page for each command, written from what `--help` says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from hostd.cli.completing import complete_commands
from hostd.cli.examples import examples_of
from hostd.cli.lazy import Verb
from hostd.cli.printing import say
from hostd.errors.base import invalid
from hostd.values.version import VERSION

SECTION = "1"


@click.command(cls=Verb)
@click.argument("command", nargs=-1, metavar="[COMMAND...]", shell_complete=complete_commands)
@click.option("--dir", "folder", metavar="DIR", help="Write the page of every command into DIR/man1, for MANPATH.")
def man(command: tuple[str, ...], folder: str | None) -> None:
    """Print the manual page of COMMAND, or write those of all into a folder."""
    root = click.get_current_context().find_root().command
    if folder is not None:
        _write_all(root, Path(folder) / f"man{SECTION}")
        return
    path: tuple[str, ...] = ("hostd",)
    found = root
    for word in command:
        inner = found.get_command(click.Context(found), word) if isinstance(found, click.Group) else None
        if inner is None:
            raise invalid("ARGUMENT_INVALID", f"there is no command {' '.join((*path, word))[:200]!r}")
        path, found = (*path, word), inner
    say(page(path, found).rstrip("\n"))


def _write_all(root: click.Command, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, command in pages(root, ("hostd",)):
            (folder / f"{'-'.join(path)}.{SECTION}").write_text(page(path, command), encoding="utf-8")
    except OSError as error:
        raise invalid("ARGUMENT_INVALID", f"{folder} cannot be written: {error.strerror}") from None


def pages(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield a command and all below it, with their paths."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from pages(inner, (*path, name))


def page(path: tuple[str, ...], command: click.Command) -> str:
    """Return the page of a command in the language of man."""
    context = click.Context(command, info_name=" ".join(path))
    name = "-".join(path)
    first, *rest = _paragraphs(command.help or "")
    usage = " ".join([" ".join(path), *command.collect_usage_pieces(context)])
    lines = [
        f'.TH "{_escaped(name.upper())}" "{SECTION}" "" "hostd {VERSION}" "hostd manual"',
        ".SH NAME",
        f"{_escaped(name)} \\- {_escaped(first.rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {_escaped(usage)}",
        ".SH DESCRIPTION",
        *(line for part in (first, *rest, *_paragraphs(command.epilog or "")) if part for line in (".PP", _text(part))),
        *_examples(path),
        *_options(command, context),
        *_commands(command, context, path),
        *_see_also(path),
    ]
    return "\n".join(lines) + "\n"


def _examples(path: tuple[str, ...]) -> Iterator[str]:
    examples = examples_of(" ".join(path))
    if examples:
        yield from (".SH EXAMPLES", ".nf", *map(_text, examples), ".fi")


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    options = (param for param in command.params if isinstance(param, click.Option))
    records = [record for param in options if (record := param.get_help_record(context)) is not None]
    if records:
        yield ".SH OPTIONS"
    for names, text in records:
        yield from (".TP", f"\\fB{_escaped(names)}\\fR", _text(text))


def _commands(command: click.Command, context: click.Context, path: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(command, click.Group):
        return
    yield ".SH COMMANDS"
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None:
            below = _escaped("-".join((*path, name)))
            yield from (".TP", f"\\fB{below}\\fR({SECTION})", _text(inner.get_short_help_str(200)))


def _see_also(path: tuple[str, ...]) -> Iterator[str]:
    if len(path) > 1:
        yield from (".SH SEE ALSO", f"\\fB{_escaped('-'.join(path[:-1]))}\\fR({SECTION})")


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.replace("\b", "").split()) for part in re.split(r"\n\s*\n", text.strip())]


def _text(text: str) -> str:
    """Return a line of text; one that begins like a request of man's does not."""
    escaped = _escaped(" ".join(text.split()))
    return f"\\&{escaped}" if escaped[:1] in ".'" else escaped


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-")
