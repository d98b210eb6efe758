"""`transform.apply`: a list of operations on a value."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hostd.plugin import Action, ActionContext, ActionError, HostdError, JsonValue
from hostd_builtin.transform import items, lists
from hostd_builtin.transform.codes import CODES
from hostd_builtin.transform.options import OPERATIONS, ApplyOptions, Operation
from hostd_builtin.transform.paths import change_path, parse_path
from hostd_builtin.transform.work import FULL_NODES, QUICK_NODES, TooMuchWork, Work

_ROOMS = (items, lists)
_DOERS: dict[str, Callable[[Work, Operation, JsonValue], JsonValue]] = {
    name: next(getattr(room, f"apply_{name}") for room in _ROOMS if hasattr(room, f"apply_{name}"))
    for name in OPERATIONS
}


class Apply(Action[ApplyOptions]):
    """Does operations on a value, one after the other, and returns what they make of it."""

    id, since, stability, effects, executors = "transform.apply", "0.1", "stable", "none", ("inline",)
    codes = CODES
    max_in_flight = 4  # those that go on in a thread; what is done at once needs no place

    async def run(self, ctx: ActionContext, options: ApplyOptions) -> JsonValue:
        """Try it with what takes a few milliseconds; what needs more is done in a thread, from the beginning.

        Raises:
            ActionError: MISSING, WRONG_KIND, CONVERSION, DATE_INVALID, ZONE_UNKNOWN, OUT_OF_RANGE, TOO_LARGE,
                TOO_MUCH_WORK, EXPRESSION_INVALID, EXPRESSION_FAILED, EXPRESSION_LIMIT, each with the operation's place.
        """
        try:
            return transform(ctx, options, QUICK_NODES)
        except TooMuchWork:
            pass
        try:
            return await asyncio.to_thread(transform, ctx, options, FULL_NODES)
        except TooMuchWork:
            message = f"the operations need more than {FULL_NODES} nodes; work on fewer items at once"
            raise ActionError(message, code="TOO_MUCH_WORK") from None


def transform(ctx: ActionContext, options: ApplyOptions, nodes: int) -> JsonValue:
    """Return what the operations make of the value. Raises ActionError, and TooMuchWork past so many nodes."""
    work = Work(ctx.expressions, options.vars, nodes, lambda: ctx.cancel.requested)
    value: JsonValue = options.input
    for place, op in enumerate(options.operations):
        value = _done(work, op, value, f"operations[{place}].{op.name}")
    return value


def _done(work: Work, op: Operation, value: JsonValue, place: str) -> JsonValue:
    def change(part: JsonValue) -> JsonValue:
        if op.if_ is not None and not work.holds(op.if_, item=part, index=0, value=value):
            return part
        work.charge(1)
        return _DOERS[op.name](work, op, part)

    try:
        return change_path(value, parse_path(op.at), change, op.at)
    except ActionError as error:
        message = f"{place}: {error.message}"
        retryable = error.retryable
        details = {"operation": place, **error.details}
        raise ActionError(message, code=error.code, retryable=retryable, details=details) from None
    except HostdError as error:
        raise ActionError(f"{place}: {error.message}", code=error.reason, details={"operation": place}) from None
