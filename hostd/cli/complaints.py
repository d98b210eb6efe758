"""What a person reads when a command fails: reason, sentence, every fault, and what to do. Never a traceback."""

from __future__ import annotations

from hostd.cli.printing import tell
from hostd.cli.tables import clean
from hostd.errors.base import HostdError, Violation
from hostd.errors.codes import CODES
from hostd.errors.reasons import REASONS


def complaint(error: HostdError) -> str:
    """Return the lines for standard error."""
    alone = error.violations[0] if _says_it_all(error) else None
    own = f"{alone.reason}: " if alone is not None and alone.reason not in ("", error.reason) else ""
    lines = [f"error: {error.reason}: {own}{clean(_sentence(error))}"]
    faults = () if alone is not None else error.violations
    lines += [f"  {violation_line(fault)}" for fault in faults]
    if left_out := error.details.get("violations_left_out"):
        lines.append(f"  and {clean(left_out)} more")
    page = REASONS.get(error.reason)
    listed = error.reason != "ARGUMENT_INVALID" or error.violations  # its fix is: correct the field named
    if page is not None and listed and not _tells(error.message, page.fix):
        lines.append(f"fix: {page.fix}")
    return "\n".join(lines)


def _tells(message: str, fix: str) -> bool:
    """Say whether a message tells the fix already, as a sentence of its own or behind a semicolon."""
    return fix.rstrip(".").lower() in message.lower()


def complain(error: HostdError, *, about: str = "") -> None:
    """Write the lines of an error to standard error; with what it is about in front, where others go on."""
    name = f"{clean(about)}: " if about else ""
    tell(f"{name}{complaint(error)}")


def exit_code(error: HostdError) -> int:
    """Return the exit code of an error, from the one table."""
    return CODES[error.kind].exit


def fix_of(reason: str | None) -> str | None:
    """Return what to do about a reason; None where there is nothing to say that its message does not."""
    page = REASONS.get(reason or "")
    return None if page is None or page.fix.startswith("See ") else page.fix


def violation_line(fault: Violation) -> str:
    """Return `FILE:LINE:COL path: REASON message (suggestion)`, without a place where there is none.

    Where nobody said which file, `-` stands for what was given.
    """
    place = f"{fault.file or '-'}:{fault.line}:{fault.column} " if fault.file or fault.line else ""
    suggestion = f" ({fault.suggestion})" if fault.suggestion else ""
    reason = f"{fault.reason} " if fault.reason else ""
    message = " ".join(fault.message.split())
    return clean(f"{place}{fault.path or '.'}: {reason}{message}{suggestion}")


def _says_it_all(error: HostdError) -> bool:
    """Say whether the sentence is the one fault itself, with its place: a second line would say it again."""
    if len(error.violations) != 1:
        return False
    fault = error.violations[0]
    at = f"{fault.file}:{fault.line}" if fault.file else f"line {fault.line}"
    place = not fault.line or at in error.message
    return place and all(part in error.message for part in (fault.path, fault.message, fault.suggestion))


def _sentence(error: HostdError) -> str:
    ident = error.details.get("id", "")
    return f"{error.message} (id {ident})" if ident and ident not in error.message else error.message
