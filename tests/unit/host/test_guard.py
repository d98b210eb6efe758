"""The fence: whatever a plugin raises or returns becomes a typed outcome."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hostd.errors.base import HostdError, Kind, Violation
from hostd.host.guard import Fault, TriggerNext, fault_of, output_of, verdict_of
from hostd.plugin import ActionError, EndOfTrigger, NotConnected, PermanentFailure, RetryLater
from hostd.values.limits import OUTPUT_BYTES_MAX


def caught(error: BaseException) -> BaseException:
    """Return an exception as it is after it was raised."""
    try:
        raise error
    except BaseException as raised:
        return raised


def test_an_action_error_keeps_the_actions_words() -> None:
    """Code, retryable, retry_after and details arrive; there is no traceback, for nothing is broken."""
    error = ActionError("card declined", code="CARD_DECLINED", retryable=True, retry_after="1m", details={"n": 1})
    fault = fault_of(caught(error))
    assert fault.failure.reason == "ACTION_FAILED"
    assert (fault.failure.code, fault.failure.retryable, fault.retry_after_ms) == ("CARD_DECLINED", True, 60_000)
    assert json.loads(fault.failure.details) == {"n": 1}
    assert fault.traceback == ""


def test_anything_else_is_a_bug_and_retryable() -> None:
    """ACTION_RAISED with type and traceback, also for SystemExit and an exception without readable text."""

    class Unreadable(Exception):
        def __str__(self) -> str:
            raise ValueError

    for error, words in (
        (KeyError("x"), "KeyError: 'x'"),
        (SystemExit(3), "SystemExit: 3"),
        (Unreadable(), "Unreadable:"),
    ):
        fault = fault_of(caught(error))
        assert (fault.failure.reason, fault.failure.retryable) == ("ACTION_RAISED", True)
        assert words in fault.failure.message
        assert "test_guard.py" in fault.traceback


def test_errors_of_the_host_keep_their_reason() -> None:
    """A missing secret is SECRET_MISSING; a reason hostd does not have is a bug of whoever made it up."""
    missing = HostdError(Kind.MISSING, "SECRET_MISSING", "no secret x", violations=(Violation("a", "R", "m"),))
    fault = fault_of(caught(missing))
    assert (fault.failure.reason, fault.failure.retryable) == ("SECRET_MISSING", False)
    assert json.loads(fault.failure.details)["violations"] == [{"path": "a", "message": "m"}]
    assert fault_of(caught(HostdError(Kind.MISSING, "MY_OWN", "x"))).failure.reason == "ACTION_RAISED"
    full = HostdError(Kind.EXHAUSTED, "INTAKE_FULL", "full", retry_after_s=2)
    assert fault_of(caught(full)).retry_after_ms == 2_000


def test_failures_are_bounded() -> None:
    """A message of megabytes, details of megabytes or details that are no JSON do not reach the journal."""
    big = fault_of(caught(ActionError("m" * 10**6, code="c" * 10**6, details={"x": "y" * 10**6}))).failure
    assert len(big.message) + len(big.code) + len(big.details) < 3_000
    odd: dict[str, Any] = {"x": object()}
    assert b"details_dropped" in fault_of(caught(ActionError("m", details=odd))).failure.details
    deep: Any = None

    def recurse(n: int) -> None:
        recurse(n + 1)

    try:
        recurse(0)
    except RecursionError as error:
        deep = fault_of(error)
    assert len(deep.traceback) < 9_000


def test_outputs_are_json_or_a_failure() -> None:
    """The number rule holds on the way out; what is no JSON value is a failure that a retry cannot mend."""
    assert output_of(None) == b"null"
    assert output_of({"a": (1, 2.0)}) == b'{"a":[1,2]}'
    cycle: list[Any] = []
    cycle.append(cycle)
    for value, reason in (
        (float("nan"), "NUMBER_OUT_OF_RANGE"),
        (2**70, "NUMBER_OUT_OF_RANGE"),
        ({1: 2}, "PAYLOAD_INVALID"),
        (object(), "PAYLOAD_INVALID"),
        ("\ud800", "PAYLOAD_INVALID"),
        (cycle, "PAYLOAD_INVALID"),
        ("x" * OUTPUT_BYTES_MAX, "OUTPUT_TOO_LARGE"),
    ):
        fault = output_of(value)
        assert isinstance(fault, Fault), value
        assert (fault.failure.reason, fault.failure.retryable) == (reason, False)


@pytest.mark.parametrize(
    "error, following",
    [
        (None, TriggerNext.ENDED),
        (RetryLater("5s"), TriggerNext.LATER),
        (RetryLater(), TriggerNext.RESTART),
        (NotConnected("broker gone"), TriggerNext.RECONNECT),
        (EndOfTrigger(), TriggerNext.ENDED),
        (PermanentFailure("wrong password"), TriggerNext.FAILED),
        (ValueError("bug"), TriggerNext.RESTART),
        (HostdError(Kind.EXISTS, "PATH_TAKEN", "taken"), TriggerNext.FAILED),
        (HostdError(Kind.UNAVAILABLE, "JOURNAL_BUSY", "busy"), TriggerNext.RESTART),
    ],
)
def test_a_triggers_end_steers_the_host(error: Any, following: TriggerNext) -> None:
    """Each way to end says what happens next."""
    verdict = verdict_of(None if error is None else caught(error))
    assert verdict.next is following
    assert verdict.message
    assert (verdict.after_s == 5) is (following is TriggerNext.LATER)
