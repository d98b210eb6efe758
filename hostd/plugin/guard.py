"""The fence around plugins: whatever they raise becomes a typed outcome, with a traceback cut to their own frames."""

from __future__ import annotations

import asyncio
import enum
from types import TracebackType
from typing import Any, NamedTuple

from hostd.errors.base import HostdError, Kind
from hostd.errors.reasons import REASONS
from hostd.plugin.errors import ActionError, EndOfTrigger, NotConnected, PermanentFailure, RetryLater
from hostd.values.json_text import dump_json
from hostd.values.limits import OUTPUT_BYTES_MAX

MESSAGE_CHARS_MAX = 2_000
CODE_CHARS_MAX = 200
DETAILS_BYTES_MAX = 16 * 1024
TRACEBACK_FRAMES_MAX = 20
TRACEBACK_CHARS_MAX = 8_000
RETRYABLE_KINDS = frozenset({Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.TIMEOUT, Kind.CONFLICT})
PLUGIN_ERRORS: tuple[type[BaseException], ...] = (Exception, SystemExit)
"""What the fence stops. KeyboardInterrupt, CancelledError and GeneratorExit belong to the host and pass."""

LOAD_ERRORS: tuple[type[BaseException], ...] = (*PLUGIN_ERRORS, asyncio.CancelledError)
"""What the fence stops while a plugin is imported and registers: nothing of ours can be cancelled then."""

_OURS = (
    "/hostd/host/",
    "/hostd/plugin/process/",
    "/hostd/plugin/loading.py",
    "/hostd/plugin/life.py",
    "/hostd/plugin/function.py",
    "/concurrent/futures/",
    "/hostd/runtime/",
    "/hostd/aio.py",
    "/pluggy/",
    "<frozen importlib",
    "/importlib/",
    "/asyncio/",
)


class Fault(NamedTuple):
    """Why something of a plugin failed. `details` is JSON text of an object, or empty.

    `traceback` is empty where the plugin failed in its own words, or hostd in its.
    """

    reason: str
    message: str
    code: str = ""
    retryable: bool = False
    details: bytes = b""
    retry_after_ms: int | None = None
    traceback: str = ""


def fault_of(error: BaseException) -> Fault:
    """Return what an exception of an action's `run` (or of rendering and parsing for it) means.

    ActionError becomes ACTION_FAILED with the action's code; an error of hostd keeps its reason; anything else is
    ACTION_RAISED, which is retryable.
    """
    if isinstance(error, ActionError):
        return _in_its_words(error)
    if isinstance(error, HostdError) and error.reason in REASONS and error.kind is not Kind.BUG:
        return fault_of_host(error)
    message = f"{type(error).__name__}: {_text_of(error)}"[:MESSAGE_CHARS_MAX]
    return Fault("ACTION_RAISED", message, retryable=True, traceback=plugin_traceback(error))


def fault_of_host(error: HostdError) -> Fault:
    """Return an error of hostd's own as a fault, with its violations in the details."""
    return Fault(
        error.reason,
        error.message[:MESSAGE_CHARS_MAX],
        retryable=error.kind in RETRYABLE_KINDS,
        details=_hosts_details(error),
        retry_after_ms=_ms(error.retry_after_s),
    )


def _hosts_details(error: HostdError) -> bytes:
    details: dict[str, Any] = dict(error.details)
    if error.violations:
        details["violations"] = [{"path": fault.path, "message": fault.message} for fault in error.violations[:20]]
    return dump_json(details) if details else b""


def _in_its_words(error: ActionError) -> Fault:
    try:
        details = dump_json(error.details) if error.details else b""
    except HostdError as fault:
        details = dump_json({"details_dropped": fault.message})
    if len(details) > DETAILS_BYTES_MAX:
        details = dump_json({"details_dropped": f"{len(details)} bytes; at most {DETAILS_BYTES_MAX} are kept"})
    return Fault(
        "ACTION_FAILED",
        str(error.message)[:MESSAGE_CHARS_MAX],
        str(error.code)[:CODE_CHARS_MAX],
        bool(error.retryable),
        details,
        _ms(error.retry_after_s),
    )


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(min(seconds, 366 * 86_400.0) * 1000)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except PLUGIN_ERRORS:
        return "(its text cannot be read)"


def output_of(value: Any) -> bytes | Fault:
    """Return an action's return value as JSON text in journal form, or why it is none (never retryable)."""
    if value is None:
        return b"null"
    try:
        text = dump_json(value)
    except HostdError as error:
        return Fault(error.reason, f"the action returned something that cannot be recorded: {error.message}")
    except RecursionError:
        return Fault("PAYLOAD_INVALID", "the action returned a value that contains itself")
    if len(text) > OUTPUT_BYTES_MAX:
        return Fault("OUTPUT_TOO_LARGE", f"the output has {len(text)} bytes; at most {OUTPUT_BYTES_MAX} are kept")
    return text


def plugin_traceback(error: BaseException) -> str:
    """Return an exception's traceback from the first frame of the plugin on, bounded."""
    import traceback  # read only when something has gone wrong

    cut = _first_foreign(error.__traceback__)
    try:
        lines = traceback.TracebackException(type(error), error, cut, limit=-TRACEBACK_FRAMES_MAX).format()
        text = "".join(lines)
    except PLUGIN_ERRORS:
        text = f"{type(error).__name__}: (its traceback cannot be read)"
    return text if len(text) <= TRACEBACK_CHARS_MAX else "...\n" + text[-TRACEBACK_CHARS_MAX:]


def _first_foreign(tb: TracebackType | None) -> TracebackType | None:
    """Return the first frame that is not ours; None where all are, as when a plugin's syntax is wrong."""
    at = tb
    while at is not None:
        name = at.tb_frame.f_code.co_filename.replace("\\", "/")
        if not any(ours in name for ours in _OURS):
            return at
        at = at.tb_next
    return None


class TriggerNext(enum.Enum):
    """What the host does after a trigger's `run` has ended."""

    RESTART = "restart with back-off"
    LATER = "restart after a given time"
    RECONNECT = "restart with back-off, not counted as a crash"
    ENDED = "nothing more to come"
    FAILED = "starting again cannot help"


class TriggerVerdict(NamedTuple):
    """What a trigger's exception means; `message` is for its status."""

    next: TriggerNext
    message: str = ""
    after_s: float | None = None
    traceback: str = ""


def verdict_of(error: BaseException | None) -> TriggerVerdict:
    """Return what the end of a trigger's `run` means; None is a plain return."""
    if error is None:
        return TriggerVerdict(TriggerNext.ENDED, "the trigger returned: nothing more to come")
    message = _text_of(error)[:MESSAGE_CHARS_MAX]
    if isinstance(error, RetryLater):
        following = TriggerNext.RESTART if error.after_s is None else TriggerNext.LATER
        return TriggerVerdict(following, message, error.after_s)
    if isinstance(error, NotConnected):
        return TriggerVerdict(TriggerNext.RECONNECT, message or "not connected")
    if isinstance(error, EndOfTrigger):
        return TriggerVerdict(TriggerNext.ENDED, message or "nothing more to come")
    if isinstance(error, PermanentFailure):
        return TriggerVerdict(TriggerNext.FAILED, message or "the trigger failed for good")
    if isinstance(error, HostdError) and error.kind is not Kind.BUG:
        lasting = error.kind not in RETRYABLE_KINDS
        following = TriggerNext.FAILED if lasting else TriggerNext.RESTART
        return TriggerVerdict(following, f"{error.reason}: {error.message}"[:MESSAGE_CHARS_MAX], error.retry_after_s)
    return TriggerVerdict(TriggerNext.RESTART, f"{type(error).__name__}: {message}", traceback=plugin_traceback(error))
