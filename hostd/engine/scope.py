"""What expressions see of a run: the roots of definition.md, values parsed only where somebody looks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from hostd.definition.plan import BlobNeeded
from hostd.engine.codes import (
    RUN_CANCELED,
    RUN_FINAL,
    RUN_SUCCEEDED,
    RUN_TIMED_OUT,
    STEP_FAILED,
    STEP_FINAL,
    STEP_SUCCEEDED,
)
from hostd.engine.state import STOP_CANCEL, STOP_TIMEOUT, Run
from hostd.model.payload import Value
from hostd.model.records import Failure
from hostd.model.states import RunState, StepState
from hostd.values.json_text import parse_json
from hostd.values.times import format_time_ms


def failure_value(failure: Failure, *, attempt: int, step: str | None = None) -> dict[str, Any]:
    """Return a failure as expressions see it: reason, code, message, retryable, details, attempt.

    Args:
        step: its id, empty for a failure of the run itself; None leaves the field out.
    """
    value: dict[str, Any] = {
        "reason": failure.reason,
        "code": failure.code,
        "message": failure.message,
        "retryable": failure.retryable,
        "details": parse_json(failure.details) if failure.details else {},
        "attempt": attempt,
    }
    if step is not None:
        value["step"] = step
    return value


def failures_of(run: Run) -> list[dict[str, Any]]:
    """Return `failures` as expressions and clients see them, in record order; the first is `failure`.

    A failed handler stands there as HANDLER_FAILED; a failure of the run itself (a timeout, a wall, `output`) has an
    empty `step`.
    """
    values = [_step_failure(run, step) for step in run.failures]
    if run.own_failure >= 0:
        own = failure_value(Failure(run.reason, run.message), attempt=0, step="")
        values.insert(run.own_failure, own)
    return values


def _step_failure(run: Run, step: int) -> dict[str, Any]:
    failure = run.step_failures[step]
    plan = run.plan.steps[step]
    if plan.handler:
        failure = replace(failure, reason="HANDLER_FAILED", message=f"{failure.reason}: {failure.message}")
    return failure_value(failure, attempt=run.attempts(step), step=plan.id)


class RunScope:
    """Scope (definition.plan.Scope) over a run, seen from one step; step -1 is the run itself (`output`).

    `parsed` caches values that were looked into; scopes over the same state may share it.
    """

    __slots__ = ("_blobs", "_error", "_parsed", "_run", "_step", "now_ms")

    def __init__(
        self,
        run: Run,
        step: int,
        now_ms: int,
        blobs: Mapping[bytes, bytes],
        error: dict[str, Any] | None = None,
        *,
        parsed: dict[Any, Any] | None = None,
    ) -> None:
        self._run = run
        self._step = step
        self._blobs = blobs
        self._error = error
        self._parsed: dict[Any, Any] = {} if parsed is None else parsed
        self.now_ms = now_ms

    def root(self, name: str) -> Any:
        """Return a root's value. Raises LookupError where it has none here."""
        run = self._run
        if name == "input":
            return self._value("input", run.input)
        if name == "vars":
            return self._value("vars", run.vars)
        if name == "env":
            return run.env
        if name == "run":
            return self._run_root()
        if name == "failures":
            return failures_of(run)
        if name == "failure":
            failures = failures_of(run)
            return failures[0] if failures else None
        if name == "error" and self._error is not None:
            return self._error
        raise LookupError(f"`{name}` has no value here")

    def step(self, step_id: str, field: str) -> Any:
        """Return a field of a step that has ended."""
        run = self._run
        index = run.plan.index[step_id]
        state = run.states[index]
        if state < STEP_FINAL:
            raise LookupError(f"step `{step_id}` has not ended; add it to `needs`")
        if field == "output":
            value = run.outputs.get(index)
            return None if value is None else self._value(index, value)
        if field == "state":
            return StepState(state).name
        if field == "result":
            return StepState(run.result(index)).name
        if field == "attempts":
            return run.attempts(index)
        if field == "error":
            failure = run.step_failures.get(index)
            return None if failure is None else failure_value(failure, attempt=run.attempts(index))
        raise LookupError(f"a step has no field `{field}`: output, state, result, error, attempts")

    def why_null(self, step_id: str) -> str:
        """Return why a step's output or error is null."""
        state = StepState(self._run.states[self._run.plan.index[step_id]])
        return f"{step_id} was {state.name}" if state != STEP_SUCCEEDED else f"{step_id} SUCCEEDED with null"

    def status(self, name: str) -> bool:
        """Return a status function's answer, seen from the step."""
        run = self._run
        if name == "always":
            return True
        if name == "canceled":
            return run.stop in (STOP_CANCEL, STOP_TIMEOUT) or run.outcome in (RUN_CANCELED, RUN_TIMED_OUT)
        step = run.plan.steps[self._step] if self._step >= 0 else None
        if step is None or step.handler:
            succeeded = run.outcome in (0, RUN_SUCCEEDED)
            return not succeeded and run.outcome != RUN_CANCELED if name == "failed" else succeeded
        needs = step.needs
        if name == "succeeded":
            return all(run.result(need) == STEP_SUCCEEDED for need in needs)
        failed = self._ancestor_failed(needs)
        if name == "failed":
            return failed
        return not failed and (not needs or any(run.result(need) == STEP_SUCCEEDED for need in needs))

    def seed(self, field_path: str) -> bytes:
        """Return what random functions of a field are seeded with: the same whenever it is rendered again."""
        run = self._run
        step = run.plan.steps[self._step].id if self._step >= 0 else ""
        text = "\x00".join((run.lineage, "", step, "0", field_path))
        return hashlib.blake2b(text.encode(), digest_size=16).digest()

    def _ancestor_failed(self, needs: tuple[int, ...]) -> bool:
        run = self._run
        seen: set[int] = set()
        stack = list(needs)
        while stack:
            step = stack.pop()
            if step in seen:
                continue
            seen.add(step)
            if run.result(step) == STEP_FAILED:
                return True
            stack.extend(run.plan.steps[step].needs)
        return False

    def _run_root(self) -> dict[str, Any]:
        run = self._run
        state = run.outcome if run.outcome and not run.state >= RUN_FINAL else run.state
        return {
            "id": run.run_id,
            "key": run.key,
            "workflow": run.plan.workflow,
            "version": run.plan.version,
            "started_at": format_time_ms(run.started_at_ms),
            "state": RunState(state).name,
        }

    def _value(self, name: str | int, value: Value) -> Any:
        cache = self._parsed
        if name in cache:
            return cache[name]
        if not value:
            return {}
        parsed = cache[name] = parse_json(self._text(value))
        return parsed

    def _text(self, value: Value) -> bytes:
        if isinstance(value, bytes):
            return value
        data = self._blobs.get(value.digest)
        if data is None:
            raise BlobNeeded(value.digest)
        return data
