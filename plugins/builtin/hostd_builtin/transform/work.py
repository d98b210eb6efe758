"""What one `transform.apply` may cost, and the expressions it evaluates: everything it makes goes through here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hostd.plugin import ActionError, Expression, ExpressionBudget, Expressions, HostdError, JsonValue

QUICK_NODES = 3_000  # a few milliseconds (1 to 3 µs a node): what may be done on the daemon's loop
FULL_NODES = 2_000_000
MADE_BYTES_MAX = 64 * 1024 * 1024
ITEMS_MAX = 100_000
NAMES = ("item", "index", "value", "vars")
_SIZED_MAX = 64 * 1024  # what an expression makes is never larger; what is larger is shared with the input


class TooMuchWork(Exception):
    """The account is spent."""


class Work:
    """One attempt's account. Spends at least one node for each item an operation looks at.

    Args:
        stop: says whether the attempt is asked to stop.
    """

    def __init__(
        self, expressions: Expressions, given: Mapping[str, JsonValue], nodes: int, stop: Callable[[], bool]
    ) -> None:
        self._expressions = expressions
        self._vars = dict(given)
        self._budget = ExpressionBudget(nodes)
        self._made_left = MADE_BYTES_MAX
        self._compiled: dict[tuple[str, bool], Expression] = {}
        self._stop = stop

    def charge(self, nodes: int) -> None:
        """Spend. Raises TooMuchWork."""
        self._budget.nodes_left -= nodes
        if self._budget.nodes_left < 0:
            raise TooMuchWork
        if self._stop():
            raise ActionError("stopped before it was done", code="CANCELED", retryable=True)

    def make(self, value: JsonValue) -> JsonValue:
        """Account for a value that was made; return it. Raises ActionError TOO_LARGE past 64 MiB altogether."""
        size, walked = _size(value)
        self._made_left -= size
        if self._made_left < 0:
            message = f"the values that are made pass {MADE_BYTES_MAX} bytes; work on fewer items at once"
            raise ActionError(message, code="TOO_LARGE")
        self.charge(walked // 16)
        return value

    def items(self, value: JsonValue, operation: str) -> list[JsonValue]:
        """Return a list, and spend what looking at it costs. Raises ActionError WRONG_KIND, TOO_LARGE."""
        if not isinstance(value, list):
            raise wrong_kind(operation, "a list", value)
        if len(value) > ITEMS_MAX:
            raise ActionError(f"{operation} works on at most {ITEMS_MAX} items, not {len(value)}", code="TOO_LARGE")
        self.charge(1 + len(value))
        return value

    def evaluate(self, source: str, *, item: JsonValue, index: int, value: JsonValue, text: bool = False) -> JsonValue:
        """Return an expression's value (or a text with `{{ }}` filled in) for an item of a value.

        Raises:
            ActionError: EXPRESSION_INVALID, EXPRESSION_FAILED, EXPRESSION_LIMIT, saying at which item.
            TooMuchWork: the account is spent.
        """
        self.charge(1)
        scope: dict[str, JsonValue] = {"item": item, "index": index, "value": value, "vars": self._vars}
        try:
            return self.make(self._expression(source, text)(scope, self._budget))
        except HostdError as error:
            if error.reason == "EXPRESSION_LIMIT" and self._budget.nodes_left <= 0:
                raise TooMuchWork from None
            message = f"item {index}: {error.message}"
            raise ActionError(message[:2_000], code=error.reason, details={"index": index}) from None

    def tree(self, tree: JsonValue, *, item: JsonValue, index: int, value: JsonValue) -> JsonValue:
        """Return a tree with each text, an expression, replaced by its value."""
        if isinstance(tree, str):
            return self.evaluate(tree, item=item, index=index, value=value)
        if isinstance(tree, dict):
            return {key: self.tree(part, item=item, index=index, value=value) for key, part in tree.items()}
        if isinstance(tree, list):
            return [self.tree(part, item=item, index=index, value=value) for part in tree]
        return tree

    def holds(self, source: str, *, item: JsonValue, index: int, value: JsonValue) -> bool:
        """Return a condition's answer. Raises ActionError WRONG_KIND where it is no bool."""
        answer = self.evaluate(source, item=item, index=index, value=value)
        if not isinstance(answer, bool):
            raise wrong_kind(f"item {index}: the condition {source[:80]!r}", "true or false", answer)
        return answer

    def _expression(self, source: str, text: bool) -> Expression:
        known = self._compiled.get((source, text))
        if known is None:
            compile_it = self._expressions.compile_text if text else self._expressions.compile
            known = self._compiled[source, text] = compile_it(source, *NAMES)
        return known


def wrong_kind(operation: str, wanted: str, value: JsonValue) -> ActionError:
    """Return the failure of a value that an operation cannot work on."""
    return ActionError(f"{operation} takes {wanted}, not {kind_of(value)}", code="WRONG_KIND")


def kind_of(value: JsonValue) -> str:
    """Return what a value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "a text" if isinstance(value, str) else "a list" if isinstance(value, list) else "a map"


def _size(value: JsonValue) -> tuple[int, int]:
    """Return about how many bytes a value holds, and how many values were looked at; it stops looking at 64 KiB."""
    size, walked, waiting = 0, 0, [value]
    while waiting and size < _SIZED_MAX:
        one = waiting.pop()
        walked += 1
        size += 16
        if isinstance(one, str):
            size += len(one)
        elif isinstance(one, list):
            size += 8 * len(one)
            waiting.extend(one if len(one) < _SIZED_MAX // 8 else ())
        elif isinstance(one, dict):
            size += 32 * len(one)
            waiting.extend(one.values() if len(one) < _SIZED_MAX // 32 else ())
    return size, walked
