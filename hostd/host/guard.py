"""The fence around plugins (`hostd.plugin.guard`), its faults as the failures that records keep."""

from __future__ import annotations

from typing import Any, NamedTuple

from hostd.model.records import Failure
from hostd.plugin import guard
from hostd.plugin.guard import LOAD_ERRORS as LOAD_ERRORS
from hostd.plugin.guard import MESSAGE_CHARS_MAX as MESSAGE_CHARS_MAX
from hostd.plugin.guard import PLUGIN_ERRORS as PLUGIN_ERRORS
from hostd.plugin.guard import TriggerNext as TriggerNext
from hostd.plugin.guard import TriggerVerdict as TriggerVerdict
from hostd.plugin.guard import plugin_traceback as plugin_traceback
from hostd.plugin.guard import verdict_of as verdict_of


class Fault(NamedTuple):
    """What an attempt's exception means. `traceback` is empty where the action failed in its own words."""

    failure: Failure
    retry_after_ms: int | None = None
    traceback: str = ""


def fault_of(error: BaseException) -> Fault:
    """Return what an exception of an action's `run` (or of rendering and parsing for it) means."""
    return _recorded(guard.fault_of(error))


def output_of(value: Any) -> bytes | Fault:
    """Return an action's return value as JSON text in journal form, or why it is none (never retryable)."""
    output = guard.output_of(value)
    return output if isinstance(output, bytes) else _recorded(output)


def _recorded(fault: guard.Fault) -> Fault:
    failure = Failure(fault.reason, fault.message, fault.code, fault.retryable, fault.details)
    return Fault(failure, fault.retry_after_ms, fault.traceback)
