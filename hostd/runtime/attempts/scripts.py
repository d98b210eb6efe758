"""Lua scripts: as steps, and on their own for the control plane and the CLI."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hostd.definition.capabilities import CAPABILITIES
from hostd.errors.base import HostdError, Kind, invalid
from hostd.host.folders.lua_actions import LuaOptions
from hostd.host.guard import PLUGIN_ERRORS
from hostd.lua.call import ScriptCall, ScriptFailure, ScriptResult
from hostd.lua.limits import DEFAULT_LIMITS, LIMIT_ROWS, ScriptLimits
from hostd.lua.ports import HostCalls, NoHostCalls, ScriptCallError
from hostd.lua.script import LuaPool
from hostd.plugin import ActionError
from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.attempts.called_actions import CalledActions
from hostd.runtime.attempts.ports import Contexts
from hostd.runtime.attempts.requests import Numbered
from hostd.runtime.ports import Actions, Arrivals
from hostd.values.json_text import dump_json, parse_json

SINGLE_SCRIPTS = ("", "scripts")
"""The share of what the control plane runs and compiles on its own; no workflow's name is taken for it."""

FAILURE_KINDS = {"SCRIPT_INVALID": Kind.INVALID, "SCRIPT_ERROR": Kind.STATE, "SCRIPT_LIMIT": Kind.EXHAUSTED}


class ScriptStepError(ActionError):
    """A script's failure, with a reason of its own."""

    def __init__(self, failure: ScriptFailure) -> None:
        details: dict[str, Any] = {}
        if failure.limit:
            details["limit"] = failure.limit
        if failure.line:
            details["line"] = failure.line
        super().__init__(failure.message, code=failure.code, retryable=failure.retryable, details=details)
        self.reason = failure.reason.value


class Scripts:
    """Runs scripts in the pool; capabilities are granted per workflow and used through the actions they are."""

    def __init__(
        self,
        *,
        pool: LuaPool,
        actions: Callable[[], Actions],
        contexts: Contexts,
        arrivals: Arrivals,
        granted: frozenset[str] = frozenset(CAPABILITIES),
        limits: ScriptLimits = DEFAULT_LIMITS,
    ) -> None:
        self._pool = pool
        self._actions = actions
        self._contexts = contexts
        self._arrivals = arrivals
        self._granted = granted
        self._limits = limits
        self.ends: Counter[str] = Counter()  # scripts that ended, by outcome

    async def run_step(self, attempt: Attempt, options: Any) -> bytes:
        """Return a script step's result as JSON text. Raises ScriptStepError, HostdError."""
        if isinstance(options, LuaOptions):  # of an action that is a script
            options = options.script_call()
            capabilities = options.capabilities
        else:
            capabilities = frozenset(attempt.plan.permissions)
        call = ScriptCall(
            source=options.script,
            input=dump_json(options.input),
            chunk_name=attempt.step.id,
            ctx={
                "workflow": attempt.plan.workflow,
                "run": attempt.run_id,
                "step": attempt.step.id,
                "attempt": attempt.number,
            },
            limits=self._lowered(options.limits.given() if options.limits is not None else {}),
            time_ms=attempt.ready_at_ms,
            seed=hashlib.blake2b(attempt.idempotency_key.encode(), digest_size=16).digest(),
            capabilities=capabilities & self._granted,
            share=(attempt.namespace, attempt.plan.workflow),
        )
        called = CalledActions(self._actions, self._arrivals, wait_s=call.limits.wall_ms / 1000)
        result = await self._run(call, StepCalls(attempt, called, self._contexts))
        for level, message in result.logs:
            getattr(attempt.context.log, "warning" if level == "warn" else level)(message)
        if result.failure is not None:
            raise ScriptStepError(result.failure)
        return result.output or b"null"

    def _lowered(self, given: Mapping[str, int]) -> ScriptLimits:
        """Return the operator's limits, lowered where a script asks for less. Raises OPTION_INVALID for more."""
        for name, value in given.items():
            highest = getattr(self._limits, name)
            if value > highest:
                raise invalid("OPTION_INVALID", f"limits.{name} is above the operator's {highest}")
        return msgspec.structs.replace(self._limits, **given) if given else self._limits

    async def evaluate(
        self, source: str, input_json: bytes, *, limits: Mapping[str, int], time_ms: int, name: str = "script"
    ) -> ScriptResult:
        """Run a script on its own, without capabilities."""
        unknown = sorted(set(limits) - set(LIMIT_ROWS))
        if unknown:
            raise invalid("ARGUMENT_INVALID", f"there is no limit {unknown[0]}; there are {', '.join(LIMIT_ROWS)}")
        call = ScriptCall(
            source=source,
            input=input_json,
            chunk_name=name,
            limits=self._lowered(limits),
            time_ms=time_ms,
            share=SINGLE_SCRIPTS,
        )
        return await self._run(call, NoHostCalls())

    async def _run(self, call: ScriptCall, host: HostCalls) -> ScriptResult:
        result = await self._pool.run(call, host)
        self.ends["SUCCEEDED" if result.failure is None else result.failure.reason.value] += 1
        return result

    def workers(self) -> dict[str, int]:
        """Return how many processes there are, by state."""
        return self._pool.workers()

    async def validate(self, source: str, name: str = "script") -> ScriptFailure | None:
        """Return why a source does not compile, None when it does."""
        return await self._pool.validate(source, name, share=SINGLE_SCRIPTS)

    def isolation(self) -> dict[str, Any]:
        """Return what locks scripts in."""
        return self._pool.isolation_report()


class StepCalls:
    """Answers one script's host calls: each capability is the action of the same name, run as part of the attempt.

    Each call has an idempotency key of its own, from the step's and its number: the same when the script runs again,
    so what is repeated then is published once, and a server that heeds the key takes a request once.
    """

    def __init__(self, attempt: Attempt, called: CalledActions, contexts: Contexts) -> None:
        self._attempt = attempt
        self._called = called
        self._contexts = contexts
        self._count = 0

    async def call(self, name: str, argument: bytes) -> bytes:
        """Run the action a capability names. Raises ScriptCallError with what a step would fail with."""
        self._count += 1
        entry = await self._called.entry(name)
        try:
            if not entry.life.ready:
                await entry.life.prepare()
            given = parse_json(argument)
            options = entry.parse(given if given is not None else {})
            return dump_json(await entry.instance.run(Numbered(self._attempt.context, self._count), options))
        except PLUGIN_ERRORS as error:  # the fence
            failure, _ = self._contexts.failure(error, self._attempt)
            code = failure.code or failure.reason
            raise ScriptCallError(failure.message, code=code, retryable=failure.retryable) from None


def script_error(failure: ScriptFailure) -> HostdError:
    """Return a script's failure as an error of the control plane."""
    details = {"code": failure.code, "limit": failure.limit, "line": str(failure.line or "")}
    return HostdError(
        FAILURE_KINDS[failure.reason.value],
        failure.reason.value,
        failure.message,
        details={name: value for name, value in details.items() if value},
    )
