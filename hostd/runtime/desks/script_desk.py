"""Scripts and expressions on their own, as the doors ask for them; bounded as in a step."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from hostd.aio import Clock
from hostd.definition.expressions.plain import PlainScope, evaluate_plain
from hostd.definition.expressions.template import compile_template, has_expression
from hostd.errors.base import invalid
from hostd.lua.call import ScriptFailure
from hostd.model.records import Failure
from hostd.model.views import ScriptView
from hostd.runtime.attempts.scripts import Scripts
from hostd.values.json_text import dump_json, parse_json


class ScriptDesk:
    """Compiling and running what a caller sends."""

    def __init__(self, *, scripts: Scripts, clock: Clock) -> None:
        self._scripts = scripts
        self._clock = clock

    async def validate(self, source: str) -> ScriptView:
        """Compile a script; a fault is an answer."""
        failure = await self._scripts.validate(source)
        if failure is None:
            return ScriptView()
        return ScriptView(failure=_failure(failure), line=failure.line)

    async def evaluate(self, source: str, input_json: bytes, *, limits: Mapping[str, int]) -> ScriptView:
        """Run a script without capabilities. Raises ARGUMENT_INVALID, OPTION_INVALID, SCRIPTS_UNAVAILABLE and kin."""
        result = await self._scripts.evaluate(
            source, input_json or b"null", limits=limits, time_ms=self._clock.wall_ms()
        )
        failure = result.failure
        return ScriptView(
            output=result.output if failure is None else None,
            failure=_failure(failure) if failure is not None else None,
            line=failure.line if failure is not None else 0,
            logs=tuple(result.logs),
            cpu_ms=result.usage.cpu_ms,
            wall_ms=result.usage.wall_ms,
            memory_bytes=result.usage.memory_bytes,
        )

    async def expression(self, text: str, context_json: bytes) -> bytes:
        """Return an expression's value as JSON text. Raises EXPRESSION_*, PAYLOAD_INVALID."""
        return await asyncio.to_thread(_evaluate, text, context_json, self._clock.wall_ms())


def _evaluate(text: str, context_json: bytes, now_ms: int) -> bytes:
    context: Any = parse_json(context_json or b"{}")
    if not has_expression(text):
        return dump_json(evaluate_plain(text, context, now_ms=now_ms))
    if not isinstance(context, dict):
        raise invalid("PAYLOAD_INVALID", "the context is not a JSON object of names and their values")
    return dump_json(compile_template(text).render(PlainScope(context, now_ms=now_ms)))


def _failure(failure: ScriptFailure) -> Failure:
    details: dict[str, str | int] = {}
    if failure.limit:
        details["limit"] = failure.limit
    if failure.line:
        details["line"] = failure.line
    return Failure(
        failure.reason.value,
        failure.message,
        failure.code,
        failure.retryable,
        dump_json(details) if details else b"",
    )
