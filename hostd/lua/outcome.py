"""What a worker's last frame means. Whatever it holds came from a process that a script may have taken over."""

from __future__ import annotations

import json
import os
import re
import signal

import msgspec

from hostd.errors.base import HostdError
from hostd.lua.call import FailureReason, ScriptFailure, ScriptLost
from hostd.lua.limits import LIMIT_ROWS, ScriptLimits
from hostd.values.json_text import parse_json

LEVELS = frozenset({"debug", "info", "warn", "error"})
_MESSAGE_CHARS, _CODE_CHARS = 2_000, 64
_KEYS = {row.breach: key for key, row in LIMIT_ROWS.items() if row.breach}
_BREACHES = frozenset(row.breach for row in LIMIT_ROWS.values() if row.breach) | {"table"}
_CRASH_SIGNALS = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGSYS})


class RogueWorker(Exception):
    """A worker answered with something the prelude never says."""


def limit_failure(name: str, message: str = "") -> ScriptFailure:
    """Return the failure for a breach."""
    text = message or f"the script passed its limit {name!r}"
    return ScriptFailure(reason=FailureReason.SCRIPT_LIMIT, message=text, limit=name)


def with_value(failure: ScriptFailure, limits: ScriptLimits) -> ScriptFailure:
    """Return a breach that says how much is allowed, where there is a number to it."""
    key = _KEYS.get(failure.limit)
    if key is None or not failure.message.endswith(repr(failure.limit)):
        return failure
    unit = {"ms": "ms", "bytes": "bytes"}.get(key.rpartition("_")[2], "")
    value = f"{getattr(limits, key)} {unit}".strip()
    what = LIMIT_ROWS[key].what.partition(";")[0]
    return msgspec.structs.replace(failure, message=f"{failure.message}: {value}, {what}")


def breach(name: bytes) -> ScriptFailure:
    """Return the failure for a breach that the worker names. Raises RogueWorker for a name that is none."""
    text = _text(name, 32)
    if text not in _BREACHES:
        raise RogueWorker
    return limit_failure(text)


def invalid_failure(message: bytes, chunk: str) -> ScriptFailure:
    """Return the failure for a source that does not compile."""
    text = _text(message, _MESSAGE_CHARS)
    told = text + next((f"; write {words}" for sign, words in _OTHER_TONGUES.items() if text.endswith(sign)), "")
    return ScriptFailure(reason=FailureReason.SCRIPT_INVALID, message=told, line=_line(text, chunk))


# What a source that is written as in another language ends the compiler's message with, and how Lua writes it.
_OTHER_TONGUES = {
    "near '!'": "`~=` for `!=`, and `not x` for `!x`",
    "near '&'": "`and` for `&&`",
    "near '|'": "`or` for `||`",
    "'then' expected near '='": "`==` to compare",
    "'then' expected near '{'": "`then ... end` for the braces",
    "'do' expected near '{'": "`do ... end` for the braces",
}


# What scripts elsewhere have, and not here.
_NIL = re.compile(r"attempt to (?:call|index) a nil value \((?:global|field) '(\w+)'\)$")
_ELSEWHERE = {
    **dict.fromkeys(
        ("io", "debug", "package", "require", "load", "loadstring", "loadfile", "dofile", "collectgarbage"), ""
    ),
    **dict.fromkeys(("clock", "execute", "exit", "getenv", "popen", "remove", "rename", "tmpname"), "os."),
}


def _absent(text: str) -> str:
    """Return a word on what a script took for granted, where its error's message ends with that."""
    found = _NIL.search(text)
    if found is None or found[1] not in _ELSEWHERE:
        return ""
    return f"; scripts here have no `{_ELSEWHERE[found[1]]}{found[1]}`: docs/reference/lua.md lists what there is"


def error_failure(parts: list[bytes], chunk: str) -> ScriptFailure:
    """Return the failure for an error nobody caught.

    Retryable unless the script or the failing host call said no: another attempt may get another answer from outside.
    """
    if len(parts) != 3:
        raise RogueWorker
    text = _text(parts[0], _MESSAGE_CHARS)
    return ScriptFailure(
        reason=FailureReason.SCRIPT_ERROR,
        message=text + _absent(text),
        code=_text(parts[1], _CODE_CHARS),
        retryable=parts[2] != b"0",
        line=_line(text, chunk),
    )


def checked_output(data: bytes, max_bytes: int) -> bytes:
    """Return the result's JSON text once it is known to be that. Raises RogueWorker."""
    if len(data) > max_bytes:
        raise RogueWorker
    try:
        parse_json(data)
    except HostdError:
        raise RogueWorker from None
    return data


def read_lines(data: bytes) -> list[tuple[str, str]]:
    """Return log lines. Raises RogueWorker."""
    if data == b"[]":
        return []
    try:
        lines = json.loads(data)
        if all(level in LEVELS and type(text) is str for level, text in lines):
            return [(level, text) for level, text in lines]
    except (ValueError, TypeError, RecursionError):
        pass
    raise RogueWorker


def death(status: int | None) -> ScriptFailure:
    """Return the failure for a worker that ended by itself in the middle of a run.

    Args:
        status: its wait status, or None when nobody knows.

    Raises:
        ScriptLost: the script is not to blame: somebody killed the worker, or the zygote is gone.
    """
    if status is None:
        raise ScriptLost("its parent process ended")
    if not os.WIFSIGNALED(status):
        return limit_failure(
            "crash", f"the script ended its worker process (exit code {os.waitstatus_to_exitcode(status)})"
        )
    number = os.WTERMSIG(status)
    if number == signal.SIGPROF:
        return limit_failure("cpu")
    if number in _CRASH_SIGNALS:
        return limit_failure("crash", f"the script crashed its worker process ({signal.Signals(number).name})")
    raise ScriptLost(f"signal {number}")


def _text(data: bytes, max_chars: int) -> str:
    return data[: max_chars * 4].decode("utf-8", "replace")[:max_chars]


def _line(text: str, chunk: str) -> int:
    found = re.match(re.escape(chunk) + r":(\d{1,9}):", text)
    return int(found[1]) if found else 0
