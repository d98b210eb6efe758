"""The daemon's own log: one event a record, `noun_verb key=value`, as text for people or JSON for programs.

The standard library does it; the rooms call `logging.getLogger("hostd.<room>")` with `"run_ended run_id=%s state=%s"`.
In text an event begins with its time in column 0 and every further line (a traceback) is indented, so nothing that came
from outside can pass for an event. In JSON an event is exactly one line.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Protocol, TextIO

from hostd.telemetry.log_rate import RateBound

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
VALUE_CHARS_MAX = 8_192
TRACE_CHARS_MAX = 32_768
EVENT = re.compile(r"([a-zA-Z][a-zA-Z0-9_]{0,79})((?: [a-z_][a-z0-9_.]*=%(?:\.[0-9])?[srdif])*)(\n%s)?")
_FIELD = re.compile(r" ([a-z_][a-z0-9_.]*)=%(?:\.([0-9]))?([srdif])")
_BARE = re.compile(r"[^\s\"'=\\\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_HIDDEN = re.compile(r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")  # and what turns text round
_CONTROL = re.compile(rf"[\x00-\x08\x0b-\x1f{_HIDDEN.pattern[1:]}")


Hide = Callable[[str], str]
"""Takes secrets out of a text; called from any thread."""

_hiders: tuple[Hide, ...] = ()
_scope: contextvars.ContextVar[tuple[tuple[str, str], ...]] = contextvars.ContextVar("hostd_log_scope", default=())


class Bearer(Protocol):
    """Whose events they are: asked for its fields only where one is written."""

    def log_fields(self) -> dict[str, str | int]: ...


log_bearer: contextvars.ContextVar[Bearer | None] = contextvars.ContextVar("hostd_log_bearer", default=None)
"""The attempt in whose course an event is written. Setting it costs tens of nanoseconds; a scope is made at once."""


@contextlib.contextmanager
def log_scope(**fields: str) -> Iterator[None]:
    """Add fields (run_id, step, trigger ...) to every event of this task while inside, third-party ones too."""
    token = _scope.set(_scope.get() + tuple(fields.items()))
    try:
        yield
    finally:
        _scope.reset(token)


@contextlib.contextmanager
def bearing(bearer: Bearer) -> Iterator[None]:
    """Let every event of this task be a bearer's while inside."""
    token = log_bearer.set(bearer)
    try:
        yield
    finally:
        log_bearer.reset(token)


def add_log_fields(**fields: str) -> None:
    """Add fields to every event of the task that calls this, to its end; for tasks that serve one call."""
    _scope.set(_scope.get() + tuple(fields.items()))


def configure_logs(*, level: str = "info", style: str = "text", stream: TextIO | None = None) -> None:
    """Send every log record of the process to one stream in one form. May be called again, also to change its mind.

    Args:
        level: debug, info, warning or error; others than hostd's loggers start at warning unless it is debug.
        style: text or json.
        stream: standard error when not given.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    handler.addFilter(RateBound(handler))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.captureWarnings(True)
    set_log_level(level)


def hide_in_logs(hide: Hide) -> None:
    """Have every text of every event pass through a function, which takes the secrets of one host out of it."""
    global _hiders
    _hiders = (*_hiders, hide)


def hide_no_more(hide: Hide) -> None:
    """The host is closed. A function that is not known is fine."""
    global _hiders
    _hiders = tuple(one for one in _hiders if one != hide)


def _hide(text: str) -> str:
    for hide in _hiders:
        text = hide(text)
    return text


def set_log_level(level: str) -> None:
    """Change the least severe level written, at once.

    Raises:
        ValueError: not one of LEVELS.
    """
    if level not in LEVELS:
        raise ValueError(f"{level[:20]!r} is not a log level: {', '.join(LEVELS)}")
    logging.getLogger("hostd").setLevel(LEVELS[level])
    logging.getLogger().setLevel(LEVELS[level] if level in ("debug", "error") else logging.WARNING)


class TextFormatter(logging.Formatter):
    """`2026-11-21T11:15:30.123Z info    hostd.runtime run_ended run_id=... state=SUCCEEDED`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one event; further lines are indented."""
        event, fields = event_of(record)
        pairs = "".join(f" {name}={_text(value)}" for name, value in fields.items())
        head, *rest = _safe(event).split("\n")
        line = f"{_time(record)} {record.levelname.lower():<7} {record.name} {head}{pairs}"
        return "\n    ".join([line, *rest, *trace_of(record)])


class JsonFormatter(logging.Formatter):
    """`{"at": ..., "level": ..., "logger": ..., "event": "run_ended", "run_id": ...}`; `trace` holds a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        event, fields = event_of(record)
        line: dict[str, Any] = {"at": _time(record), "level": record.levelname.lower(), "logger": record.name}
        line["event"] = event
        for name, value in fields.items():
            line[f"{name}_" if name in line else name] = value
        if trace := trace_of(record):
            line["trace"] = "\n".join(trace)
        return _HIDDEN.sub(_as_json, json.dumps(line, ensure_ascii=False, default=str))


def event_of(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """Return an event's name and fields; a record that is not written `noun_verb key=%s` is one text without fields."""
    scope = _scope_fields()
    template, arguments = record.msg, record.args
    shape = EVENT.fullmatch(template) if isinstance(template, str) else None
    if shape is None or not isinstance(arguments, tuple | None):
        return _cut(_message(record), VALUE_CHARS_MAX), scope
    names, given = _FIELD.findall(shape[2]), (arguments or ())[: -1 if shape[3] else None]
    if len(names) != len(given) or len(arguments or ()) - len(given) != bool(shape[3]):
        return _cut(_message(record), VALUE_CHARS_MAX), scope
    values = zip(names, given, strict=True)
    return shape[1], scope | {name: _value(value, conversion, digits) for (name, digits, conversion), value in values}


def _scope_fields() -> dict[str, Any]:
    bearer = log_bearer.get()
    scope: dict[str, Any] = bearer.log_fields() if bearer is not None else {}
    scope.update(_scope.get())
    return {name: _value(value, "s", "") for name, value in scope.items()} if scope else scope


def _message(record: logging.LogRecord) -> str:
    try:
        return _hide(record.getMessage())
    except (
        TypeError,
        ValueError,
        KeyError,
    ):  # arguments that do not fit: a mistake at the call must not lose the event
        return _hide(f"{record.msg} {record.args!r}")


def _value(value: Any, conversion: str, digits: str) -> Any:
    if digits and isinstance(value, float):
        return round(value, int(digits)) if digits != "0" else round(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return _cut(_hide(repr(value) if conversion == "r" else str(value)), VALUE_CHARS_MAX)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text) - limit} more)"


def _text(value: Any) -> str:
    text = str(value)
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=not text.isprintable())


def _safe(text: str) -> str:
    """Escape control characters but line feed and tab, and those that hide or turn round what stands beside them."""
    return _CONTROL.sub(_as_text, text)


def _as_text(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def _as_json(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def trace_of(record: logging.LogRecord) -> list[str]:
    """Return the lines of a record's traceback, cut in the middle past 32 KiB; none without one.

    It is that of the exception, or the text behind an event that is written `noun_verb key=%s\\n%s`.
    """
    text = _hide(_behind(record))
    if not text:
        return []
    if len(text) > TRACE_CHARS_MAX:
        half = TRACE_CHARS_MAX // 2
        text = f"{text[:half]}\n... ({len(text) - TRACE_CHARS_MAX} characters)\n{text[-half:]}"
    return _safe(text).rstrip().split("\n")


def _behind(record: logging.LogRecord) -> str:
    if record.exc_info and record.exc_info[1] is not None:
        return "".join(traceback.format_exception(record.exc_info[1]))
    template, arguments = record.msg, record.args
    if not isinstance(template, str) or not isinstance(arguments, tuple) or not template.endswith("\n%s"):
        return ""
    shape = EVENT.fullmatch(template)
    fits = shape is not None and len(_FIELD.findall(shape[2])) + 1 == len(arguments)
    return str(arguments[-1]) if fits else ""


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
