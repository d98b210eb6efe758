"""`hostd script`: run and check Lua scripts here, without a daemon."""

from __future__ import annotations

import click

from hostd.cli.complaints import exit_code
from hostd.cli.completing import complete_files
from hostd.cli.document_kinds import require_script
from hostd.cli.inputs import file_label, json_argument, read_text
from hostd.cli.lazy import Noun
from hostd.cli.printing import Printer, warn
from hostd.cli.run_views import value_text
from hostd.cli.session import local
from hostd.cli.tables import clean
from hostd.errors.base import HostdError, Violation, invalid


@click.group(cls=Noun)
def script() -> None:
    """Run and check Lua scripts, without a daemon."""


@script.command(name="run")
@click.argument("file", metavar="FILE", shell_complete=complete_files)
@click.option("--input", "input_text", metavar="JSON", default="null", help="JSON text, @FILE, or -; else null.")
@click.option("--limit", "limits", multiple=True, metavar="NAME=N", help="Such as cpu_ms=500; may be repeated.")
@local
def run_script(out: Printer, file: str, input_text: str, limits: tuple[str, ...]) -> int:
    """Run the script in FILE in a locked-down process and print its result; what it logs goes to standard error.

    A failure prints its reason: SCRIPT_INVALID, SCRIPT_ERROR or SCRIPT_LIMIT.
    """
    from hostd.cli.local_scripts import run_lua

    value, source = json_argument(input_text, "--input"), read_text(file)
    require_script(file, source)
    result, logs = run_lua(source, value, name=file_label(file), limits=_limits(limits))
    for level, message in logs:
        warn(f"{level}: {clean(message)}")
    if isinstance(result, HostdError):
        raise result
    out.one(result.value, lambda value: value_text(value))
    return 0


def _limits(items: tuple[str, ...]) -> dict[str, int]:
    limits = {}
    for item in items:
        name, _, number = item.partition("=")
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            raise invalid("ARGUMENT_INVALID", f"--limit: {item[:80]!r} is not NAME=N with a whole number")
        limits[name] = int(number)
    return limits


@script.command(name="validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_files)
@local
def validate_script(out: Printer, files: tuple[str, ...]) -> int:
    """Compile the scripts in FILES and run nothing; prints FILE:LINE:COL .: REASON message for each that is wrong."""
    from hostd.cli.complaints import violation_line
    from hostd.cli.local_scripts import check_lua

    sources = {file_label(file): read_text(file) for file in files}
    for file, source in sources.items():
        require_script(file, source)
    found: list[Violation] = check_lua(sources)
    out.many([fault._asdict() for fault in found], lambda _: "\n".join(map(violation_line, found)))
    return exit_code(invalid("SCRIPT_INVALID", "")) if found else 0
