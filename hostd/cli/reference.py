"""The reference page of the command line, made from the commands themselves: `make docs` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from hostd.cli.examples import examples_of
from hostd.cli.main import root
from hostd.cli.session import CONNECTION_NAMES, OUTPUT_NAMES

HEAD = """\
# Command line

`hostd COMMAND --help` prints what stands here. Commands that talk to a daemon take the connection options; the others
work by themselves.

Output is text for people: tables fit the terminal; with `-o wide` they have all columns and cut nothing. `-o json`
prints a resource as one line of JSON and a list as JSON lines, `-o yaml` the same as YAML, `-o name` one name a line,
for pipes: `hostd runs list -o name | hostd runs cancel -`. `--quiet` leaves out notes, progress and tables: names and
errors stay. Colours and drawings are for terminals; `--no-color` or `NO_COLOR`, and `--no-unicode`, turn them off.

Field names are those of the protos, integers are numbers, enums have no prefix, times are RFC 3339, a payload is the
JSON value it holds, or `{"$blob": digest, "size_bytes": n}` past 32 KiB (`hostd runs blob DIGEST` reads it). Values are
given as JSON text, as `@FILE`, or as `-` for standard input.

Exit codes: 0 success; 1 a run that FAILED; 12 and 9 one that was CANCELED or TIMED_OUT; for errors the code of their
kind ([Errors](errors.md)); 130 after Ctrl-C. Errors go to standard error: `error: REASON: sentence`, a line for each
fault, and what to do. With `HOSTD_DEBUG=1` a traceback stands before it. A name that is
not there is answered with the nearest one that is; words of other tools (`hostd get runs`, `hostd runs rm`) with the
command. A noun may stand in singular or plural: `hostd workflows list`. Only `run FILE` is a command of its own beside
`runs`.

Lists of runs take a filter (`--filter`): comparisons of a field with a text in quotes (`==`, `!=`, `<`, `<=`, `>`,
`>=`, `in [...]`, `.startsWith("...")`), joined by `&&`, `||`, `!` and parentheses. Fields are `workflow`, `version`,
`state`, `key`, `labels.NAME` (or `labels["NAME"]`), `trigger`, `parent`, `reason`, `create_time` and `end_time`;
states are words, times RFC 3339 texts:
`state == "FAILED" && labels.team == "a" && create_time > "2026-01-31T00:00:00Z"`.

The token comes from `HOSTD_TOKEN`, the file that `HOSTD_TOKEN_FILE` names, or the data folder's `token`. That of a
folder nobody named is only sent to an address of this machine.
"""


def cli_reference() -> str:
    """Return the page."""
    shared = (("Connection options", CONNECTION_NAMES), ("Output options", OUTPUT_NAMES))
    sections = [HEAD, *(f"## {title}\n\n{_options(root, only=names)}" for title, names in shared)]
    for path, command in _commands(root, ("hostd",)):
        sections.append(_section(path, command))
    return "\n".join(sections)


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        elif command is not None:
            yield (*path, name), command


def _section(path: tuple[str, ...], command: click.Command) -> str:
    context = click.Context(command, info_name=" ".join(path))
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    texts = [_paragraphs(text) for text in (command.help, command.epilog) if text]
    remote = any(param.name == "address" for param in command.params)
    prints = any(param.name == "output" for param in command.params)
    if remote or prints:
        texts.append("Takes the connection and output options." if remote else "Takes the output options.")
    if examples := examples_of(" ".join(path)):
        texts.append("\n".join(["```sh", *examples, "```"]))
    return (
        "\n".join(
            [f"## {' '.join(path)}\n", f"`{usage}`\n", *(f"{text}\n" for text in texts), _options(command)]
        ).rstrip()
        + "\n"
    )


def _paragraphs(text: str) -> str:
    """Return help text as Markdown: its lines joined, placeholders and braces as they are."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))


def _options(command: click.Command, *, only: tuple[str, ...] = ()) -> str:
    """Return the table of options: those that are named, else those that are the command's own."""
    context = click.Context(command)
    names = {param.name for param in command.params}
    shared = (*(CONNECTION_NAMES if "address" in names else ()), *(OUTPUT_NAMES if "output" in names else ()))
    rows = [
        param.get_help_record(context)
        for param in command.params
        if isinstance(param, click.Option) and (param.name in only if only else param.name not in shared)
    ]
    lines = [f"| `{_cell(names)}` | {_cell(text)} |" for names, text in filter(None, rows)]
    return "\n".join(["| option | meaning |", "|---|---|", *lines, ""]) if lines else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
