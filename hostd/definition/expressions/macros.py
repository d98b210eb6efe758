"""`all exists exists_one filter map`: a body evaluated for each item of a list, or key of a map."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from hostd.definition.expressions.forms import not_bool
from hostd.definition.expressions.kinds import described
from hostd.definition.expressions.limits import Evaluation
from hostd.definition.expressions.paths import Run
from hostd.definition.expressions.problems import Problem
from hostd.definition.expressions.syntax import Call, Node

Body = Callable[[Evaluation, Any], Any]


class BodyCompiler(Protocol):
    """What macros need of the compiler, which calls them."""

    def compile(self, node: Node) -> Run:
        """Return the closure of a node. Raises Mistake."""
        ...

    def text(self, node: Node) -> str:
        """Return how a node is written, for messages."""
        ...

    def bind(self, name: Node) -> tuple[str, int]:
        """Return a macro's variable and the slot it will have. Raises Mistake."""
        ...

    def compile_within(self, variable: str, node: Node) -> tuple[Run, int]:
        """Return a macro's body, in which the variable has a value, and what one pass of it costs."""
        ...


def compile_macro(compiler: BodyCompiler, node: Call, args: tuple[Node, ...]) -> Run:
    """Return the closure of a macro; `args` begin with what is walked. Raises Mistake."""
    items = _items(compiler.compile(args[0]), compiler.text(args[0]), node.name)
    variable, level = compiler.bind(args[1])
    bodies = [_body(compiler, variable, level, part) for part in args[2:]]
    where = compiler.text(args[2])
    if node.name == "map":
        return _map(items, bodies[-1], _test(bodies[0], where) if len(bodies) == 2 else None)
    test = _test(bodies[0], where)
    if node.name == "filter":
        return _filter(items, test)
    if node.name == "exists_one":
        return _exists_one(items, test)
    return _decide(items, test, until=node.name == "exists")


def _items(of: Run, where: str, name: str) -> Callable[[Evaluation], Iterable[Any]]:
    def run(evaluation: Evaluation) -> Iterable[Any]:
        value = of(evaluation)
        if type(value) is list or type(value) is dict:
            return value
        hint = "; default(x, []) stands for null" if value is None else ""
        raise Problem(f"{name} walks a list or a map, not {described(value)}{hint}", where)

    return run


def _body(compiler: BodyCompiler, variable: str, level: int, node: Node) -> Body:
    body, cost = compiler.compile_within(variable, node)
    cost += 1

    def run(evaluation: Evaluation, item: Any) -> Any:
        evaluation.charge(cost)
        evaluation.slots[level] = item  # type: ignore[index]
        return body(evaluation)

    return run


def _test(body: Body, where: str) -> Body:
    def run(evaluation: Evaluation, item: Any) -> bool:
        value = body(evaluation, item)
        if value is True or value is False:
            return bool(value)
        raise not_bool(value, where)

    return run


def _decide(items: Callable[[Evaluation], Iterable[Any]], test: Body, *, until: bool) -> Run:
    """Return `exists` (until true) or `all` (until false); as in `||` and `&&`, an error counts only undecided."""

    def run(evaluation: Evaluation) -> bool:
        kept: Problem | None = None
        for item in items(evaluation):
            try:
                if bool(test(evaluation, item)) is until:
                    return until
            except Problem as problem:
                kept = kept or problem
        if kept is not None:
            raise kept
        return not until

    return run


def _exists_one(items: Callable[[Evaluation], Iterable[Any]], test: Body) -> Run:
    return lambda evaluation: sum(test(evaluation, item) for item in items(evaluation)) == 1


def _filter(items: Callable[[Evaluation], Iterable[Any]], test: Body) -> Run:
    def run(evaluation: Evaluation) -> list[Any]:
        found: list[Any] = []
        for item in items(evaluation):
            if test(evaluation, item):
                evaluation.make_items(1)
                found.append(item)
        return found

    return run


def _map(items: Callable[[Evaluation], Iterable[Any]], value: Body, test: Body | None) -> Run:
    def run(evaluation: Evaluation) -> list[Any]:
        made: list[Any] = []
        for item in items(evaluation):
            if test is None or test(evaluation, item):
                evaluation.make_items(1)
                made.append(value(evaluation, item))
        return made

    return run
