"""What is done with documents and expressions here, without a daemon: run, validate, schema, expr."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hostd.cli.complaints import complain, complaint, exit_code, fix_of, violation_line
from hostd.cli.completing import complete_files
from hostd.cli.document_kinds import require_document
from hostd.cli.given_path import GIVEN_PATH
from hostd.cli.inputs import file_label, json_argument, read_file
from hostd.cli.lazy import Verb
from hostd.cli.outcomes import EXIT_FAILED, OUTCOME_EXITS
from hostd.cli.printing import Printer, warn, write
from hostd.cli.session import local
from hostd.cli.tables import clean, fields
from hostd.errors.base import HostdError, Kind, Violation, invalid
from hostd.errors.codes import CODES

LOG_LEVELS = ("debug", "info", "warning", "error")
EXIT_INVALID = CODES[Kind.INVALID].exit
_KNOWN_HERE = (
    "only built-in and installed plugins are known here: `--plugins DIR` serves those in the folders of DIR, "
    "`hostd dev` and `hostd runs start` have those of a daemon"
)
_VALIDATED_WITH = (
    "only built-in and installed plugins are known here: `--plugins DIR` knows those in the folders of DIR, "
    "`hostd workflow validate` asks the daemon, with all of its own"
)
UNKNOWN_HERE = ("ACTION_UNKNOWN", "TRIGGER_UNKNOWN")


@click.command(cls=Verb)
@click.argument("file", metavar="FILE", shell_complete=complete_files)
@click.option("--input", "input_text", metavar="JSON", default="{}", help="JSON text, @FILE, or - for standard input.")
@click.option("--config", "config_file", metavar="FILE", type=GIVEN_PATH,
              help="Configuration; else as for `hostd serve`. Ports and storage have no effect.")  # fmt: skip
@click.option("--log-level", type=click.Choice(LOG_LEVELS), default="warning",
              show_default=True, help="Least severe level written to standard error.")  # fmt: skip
@click.option("--plugins", metavar="DIR", type=GIVEN_PATH,
              help="Serve the plugins in the folders of DIR, too, each in a process of its own.")  # fmt: skip
@local
def run(
    out: Printer, file: str, input_text: str, config_file: Path | None, log_level: str, plugins: Path | None
) -> int:
    """Run the workflow in FILE in this process: a journal in memory, no triggers, no daemon.

    Prints {"state", "output", "failure"}. Exit codes: 0 SUCCEEDED, 1 FAILED, 12 CANCELED, 9 TIMED_OUT.
    """
    from hostd.cli.local_run import run_here

    value = json_argument(input_text, "--input")
    data = read_file(file)
    require_document(file, data.decode("utf-8", "replace"))
    flags = {"plugins.dir": str(_folder(plugins).absolute())} if plugins is not None else {}
    try:
        ended = run_here(data, value, file=file_label(file), config_file=config_file, log_level=log_level, flags=flags)
    except HostdError as error:
        if not _is_unknown_here(error):
            raise
        complain(error)
        none = f"none of the plugins in {plugins} has it: `hostd plugin doctor FOLDER`"
        warn(_KNOWN_HERE if plugins is None else none)
        return exit_code(error)
    out.one(ended, _ended)
    return OUTCOME_EXITS.get(ended["state"], EXIT_FAILED)


def _is_unknown_here(error: HostdError) -> bool:
    """Say whether actions are not known, and nobody has said yet where they may be."""
    unknown = [fault for fault in error.violations if fault.reason == "ACTION_UNKNOWN"]
    return bool(unknown) and not any("may provide it" in fault.message for fault in unknown)


def _ended(ended: dict[str, Any]) -> str:
    failure = ended["failure"]
    pairs = [("state", ended["state"]), ("output", ended["output"])]
    if failure:
        pairs += [("step", failure["step"]), ("reason", failure["reason"]), ("code", failure.get("code"))]
        pairs += [("message", failure["message"]), ("fix", fix_of(failure["reason"]))]
    return fields(pairs)


@click.command(cls=Verb)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_files)
@click.option("--plugins", metavar="DIR", type=GIVEN_PATH,
              help="Know what plugins in the folders of DIR serve, too: each is started, and asked.")  # fmt: skip
@local
def validate(out: Printer, files: tuple[str, ...], plugins: Path | None) -> int:
    """Check the documents of FILES (- is standard input) with the built-in plugins; exit with 2 if one has mistakes.

    Case files, hostd.yaml, manifests of plugins and Lua scripts are known by their names and keys, and checked as such.

    Prints FILE:LINE:COL path: REASON message (suggestion), one line a mistake, all of them.
    """
    from hostd.cli.document_kinds import kind_of
    from hostd.cli.local_files import check_file

    known = _known(plugins)
    found: list[Violation] = []
    code = 0
    for file in files:
        try:
            data = read_file(file)
            kind = kind_of(file, data.decode("utf-8", "replace"))
            faults, warnings = check_file(kind, data, name=file, label=file_label(file), known=known)
        except HostdError as error:
            warn(complaint(error))
            code = EXIT_INVALID
            continue
        found += faults
        for warning in warnings:
            warn(f"{file_label(file)}: warning: {clean(warning)}")
    out.many([fault._asdict() for fault in found], lambda _: "\n".join(map(violation_line, found)))
    if any(fault.reason in UNKNOWN_HERE for fault in found):
        warn(_VALIDATED_WITH if plugins is None else f"the plugins in {plugins} that load do not have it either")
    return EXIT_INVALID if found else code


def _known(plugins: Path | None) -> Any:
    """Return what documents may use, and say which plugins do not load; None for what is known anyway."""
    if plugins is None:
        return None
    from hostd.cli.local_documents import known_with

    known = known_with(_folder(plugins))
    for missing in known.missing:
        warn(f"{clean(missing)}; `hostd plugin doctor FOLDER` says more")
    return known


def _folder(plugins: Path) -> Path:
    if not plugins.is_dir():
        raise invalid("ARGUMENT_INVALID", f"--plugins: there is no folder {plugins}")
    if (plugins / "hostd-plugin.yaml").exists():
        above = plugins.absolute().parent
        raise invalid("ARGUMENT_INVALID", f"--plugins: {plugins} is a plugin; name the folder that it lies in, {above}")
    return plugins


@click.command(cls=Verb)
@click.argument("what", metavar="WHAT", type=click.Choice(["workflow", "trigger", "tests"]))
def schema(what: str) -> None:
    """Print the JSON Schema of workflow or trigger documents, or of case files (`tests`), for editors."""
    from hostd.cli.local_documents import schema_text

    write(schema_text(what))


@click.command(cls=Verb)
@click.argument("expression", metavar="EXPR")
@click.option(
    "--context",
    "context_file",
    metavar="FILE",
    shell_complete=complete_files,
    help="JSON object: a value for each root. Or -.",
)
def expr(expression: str, context_file: str | None) -> None:
    """Evaluate EXPR, bare or as text with ${{ }}, and print its value as JSON."""
    from hostd.cli.local_run import evaluate
    from hostd.values.json_text import dump_json

    context = json_argument(f"@{context_file}", "--context") if context_file else {}
    write(dump_json(evaluate(expression, context)) + b"\n")
