"""What a person reads when a command fails: reason, sentence, every fault, and what to do. Never a traceback."""

from __future__ import annotations

import sys

from hostd.cli.tables import clean
from hostd.errors.base import HostdError, Violation
from hostd.errors.codes import CODES
from hostd.errors.reasons import REASONS


def complaint(error: HostdError) -> str:
    """Return the lines for standard error."""
    lines = [f"error: {error.reason}: {clean(_sentence(error))}"]
    lines += [f"  {violation_line(fault)}" for fault in error.violations]
    if left_out := error.details.get("violations_left_out"):
        lines.append(f"  and {clean(left_out)} more")
    page = REASONS.get(error.reason)
    listed = error.reason != "ARGUMENT_INVALID" or error.violations  # its fix is: see the listed fields
    if page is not None and listed and page.fix not in error.message:
        lines.append(f"fix: {page.fix}")
    return "\n".join(lines)


def complain(error: HostdError, *, about: str = "") -> None:
    """Write the lines of an error to standard error; with what it is about in front, where others go on."""
    name = f"{clean(about)}: " if about else ""
    sys.stderr.write(f"{name}{complaint(error)}\n")
    sys.stderr.flush()


def exit_code(error: HostdError) -> int:
    """Return the exit code of an error, from the one table."""
    return CODES[error.kind].exit


def violation_line(fault: Violation) -> str:
    """Return `FILE:LINE:COL path: REASON message (suggestion)`, without a place where there is none.

    Where nobody said which file, `-` stands for what was given.
    """
    place = f"{fault.file or '-'}:{fault.line}:{fault.column} " if fault.file or fault.line else ""
    suggestion = f" ({fault.suggestion})" if fault.suggestion else ""
    reason = f"{fault.reason} " if fault.reason else ""
    message = " ".join(fault.message.split())
    return clean(f"{place}{fault.path or '.'}: {reason}{message}{suggestion}")


def _sentence(error: HostdError) -> str:
    ident = error.details.get("id", "")
    return f"{error.message} (id {ident})" if ident and ident not in error.message else error.message
