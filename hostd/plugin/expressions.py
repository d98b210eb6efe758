"""hostd's expression language for plugins: evaluated by the host, and option types that are checked at registration.

An option that holds an expression is annotated, and wrong ones are refused when the document is registered:

    ItemExpression = Annotated[str, expression_of("item", "index")]

    class KeepOptions(Options):
        where: ItemExpression = Field(description="Which items stay.", code=True)

`code=True` keeps the workflow's own `${{ }}` out of it: values are passed beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import AfterValidator, ValidationInfo

from hostd.errors.base import HostdError
from hostd.values.json_text import JsonValue

EVALUATE_SCOPES_MAX = 1_000
EVALUATE_NODES_MAX = 20_000
CONTEXT_KEY = "expressions"


class ExpressionBudget:
    """What may still be spent; shared by all expressions it is given to. One evaluation never takes more than 2,000."""

    __slots__ = ("nodes_left",)

    def __init__(self, nodes: int) -> None:
        self.nodes_left = nodes


class Expression(Protocol):
    """A compiled expression; may be called any number of times."""

    def __call__(self, scope: Mapping[str, JsonValue], budget: ExpressionBudget | None = None) -> JsonValue:
        """Return the value where names have these values. A part of the scope may be handed back as it is, uncopied.

        Raises:
            HostdError: EXPRESSION_FAILED, naming the path; EXPRESSION_LIMIT past 2,000 nodes, 64 KiB or the budget.
        """
        ...


class Expressions(Protocol):
    """The language of `if:` and `${{ }}`."""

    def compile(self, source: str, *names: str) -> Expression:
        """Return a compiled expression that may read these names.

        Only where the plugin runs in the daemon; one in a process of its own asks `evaluate`.

        Raises:
            HostdError: EXPRESSION_INVALID with the place and the fix; HOST_CALL_UNKNOWN in another process.
        """
        ...

    def compile_text(self, text: str, *names: str) -> Expression:
        """Return a text with `{{ expression }}` in it, compiled; it gives text. Raises as `compile`."""
        ...

    async def evaluate(self, source: str, scopes: Sequence[Mapping[str, JsonValue]]) -> list[JsonValue]:
        """Return the value of an expression for each scope, at most 1,000 and 20,000 nodes together.

        Works wherever the plugin runs. The names are those of each scope.

        Raises:
            HostdError: EXPRESSION_INVALID, EXPRESSION_FAILED, EXPRESSION_LIMIT.
        """
        ...


def expression_of(*names: str) -> AfterValidator:
    """Return what makes `Annotated[str, ...]` an expression over these names."""

    def check(source: str, info: ValidationInfo) -> str:
        return _checked(info, "compile", source, names)

    return AfterValidator(check)


def text_of_expressions(*names: str) -> AfterValidator:
    """Return what makes `Annotated[str, ...]` a text with `{{ expression }}` in it, over these names."""

    def check(text: str, info: ValidationInfo) -> str:
        return _checked(info, "compile_text", text, names)

    return AfterValidator(check)


def tree_of_expressions(*names: str) -> AfterValidator:
    """Return what makes a JSON value a tree whose every text is an expression over these names."""

    def check(tree: Any, info: ValidationInfo) -> Any:
        for source in texts_in(tree):
            _checked(info, "compile", source, names)
        return tree

    return AfterValidator(check)


def texts_in(tree: Any) -> list[str]:
    """Return the texts of a JSON value, keys left out."""
    waiting, found = [tree], []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return found


def _checked(info: ValidationInfo, how: str, source: str, names: tuple[str, ...]) -> str:
    """Compile where the host gave its language along; elsewhere the attempt finds out."""
    language = info.context.get(CONTEXT_KEY) if isinstance(info.context, Mapping) else None
    if language is not None:
        try:
            getattr(language, how)(source, *names)
        except HostdError as error:
            raise ValueError(error.message) from None
    return source
