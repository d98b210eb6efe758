"""One expression, compiled: the door to the language."""

from __future__ import annotations

from typing import Any

from hostd.definition.expressions.compiler import Compiler
from hostd.definition.expressions.leaving import leave
from hostd.definition.expressions.lexer import tokenize
from hostd.definition.expressions.limits import MAX_NODES, MAX_SOURCE_CHARS, Evaluation
from hostd.definition.expressions.names import Names
from hostd.definition.expressions.parser import parse
from hostd.definition.expressions.paths import Run
from hostd.definition.expressions.problems import Mistake, Problem, TooMuch
from hostd.definition.expressions.syntax import Call, Choice, Index, ListOf, Literal, MapOf, Name, Node, Select
from hostd.definition.plan import Budget, Scope
from hostd.errors.base import HostdError, Kind, Violation

_SHOWN_CHARS = 200


class CompiledExpression:
    """An `Expression` of definition.plan. May be evaluated any number of times, for any scopes.

    `reads_env` holds the names after `env.`; `path` is the field it stands in, for errors and random values.
    """

    __slots__ = (
        "_cost",
        "_levels",
        "_passed_on",
        "_run",
        "_seed_path",
        "path",
        "reads_env",
        "reads_roots",
        "reads_steps",
        "source",
        "uses_status",
    )

    def __init__(self, source: str, node: Node, run: Run, compiler: Compiler, path: str, place: int) -> None:
        self.source = source
        self.path = path
        self._run = run
        self._seed_path = f"{path}#{place}" if place else path
        self._cost = compiler.cost
        self._levels = compiler.levels
        self._passed_on = _is_passed_on(node)
        self.uses_status = frozenset(compiler.reads.status)
        self.reads_steps = frozenset(compiler.reads.steps)
        self.reads_roots = frozenset(compiler.reads.roots)
        self.reads_env = frozenset(compiler.reads.env)

    def __repr__(self) -> str:
        return f"CompiledExpression({self.source!r})"

    def evaluate(self, scope: Scope, budget: Budget | None = None) -> Any:
        """Return the value as JSON types; a value that is passed on whole is the scope's own, not a copy.

        Raises:
            HostdError: EXPRESSION_FAILED, naming the path, or EXPRESSION_LIMIT.
            BlobNeeded: a value it looks into lies in a blob.
        """
        nodes = MAX_NODES if budget is None or budget.nodes_left > MAX_NODES else budget.nodes_left
        evaluation = Evaluation(scope, nodes - self._cost, self._levels, self._seed_path)
        try:
            if evaluation.nodes_left < 0:
                evaluation.charge(0)
            value = self._run(evaluation)
            kind = type(value)
            if kind is bool or kind is int or value is None:
                return value
            if self._passed_on and (kind is dict or kind is list or kind is str):
                return value
            return leave(value)
        except Problem as problem:
            raise self._failed(problem) from None
        except TooMuch as error:
            raise self._limit(error.message) from None
        except RecursionError:
            raise self._limit("it is nested too deep for where it is evaluated") from None
        finally:
            if budget is not None:
                budget.nodes_left -= nodes - max(0, evaluation.nodes_left)

    def _failed(self, problem: Problem) -> HostdError:
        where = problem.where or self.source[:_SHOWN_CHARS]
        return HostdError(
            Kind.INVALID,
            "EXPRESSION_FAILED",
            f"{self._place()}`{where}`: {problem.message}",
            details=self._details() | {"path": where},
        )

    def _limit(self, message: str) -> HostdError:
        source = " ".join(self.source.split())
        shown = source if len(source) <= 80 else source[:77] + "..."
        return HostdError(
            Kind.EXHAUSTED,
            "EXPRESSION_LIMIT",
            f"{self._place()}`{shown}`: {message}; a lua.script step has larger limits",
            details=self._details(),
        )

    def _place(self) -> str:
        return f"{self.path}: " if self.path else ""

    def _details(self) -> dict[str, str]:
        details = {"expression": self.source[:_SHOWN_CHARS]}
        return details | {"field": self.path} if self.path else details


def compile_expression(
    source: str, *, roots: frozenset[str] | None = None, line: int = 0, column: int = 0, path: str = ""
) -> CompiledExpression:
    """Return the compiled form of an expression, bare or in `${{ }}`.

    Args:
        roots: names that have a value where it stands, with `steps` and `env` read by name only; None = the names are
            those of a plain context, and may be anything.
        line, column: where the source begins, from 1, for errors; 0 = unknown.
        path: the field it stands in, such as `steps.post.if`.

    Raises:
        HostdError: EXPRESSION_INVALID with one violation that holds the place and what to write instead.
    """
    try:
        node = parse(_tokens(source))
        return compile_node(source, node, names=Names(roots), path=path)
    except Mistake as mistake:
        raise invalid_expression([violation(mistake, source, line=line, column=column, path=path)]) from None


def compile_node(source: str, node: Node, *, names: Names, path: str, place: int = 0) -> CompiledExpression:
    """Return the compiled form of a tree whose offsets are those of the source. Raises Mistake.

    Args:
        place: which expression of its field it is; each draws random values of its own.
    """
    compiler = Compiler(source, names)
    run = compiler.compile(node)
    return CompiledExpression(source[node.start : node.end], node, run, compiler, path, place)


def _tokens(source: str) -> Any:
    if len(source) > MAX_SOURCE_CHARS:
        raise Mistake(0, f"the expression is longer than {MAX_SOURCE_CHARS} characters", "split it")
    lead = len(source) - len(source.lstrip())
    if not source.startswith("${{", lead):
        return tokenize(source)
    tokens = tokenize(source, lead + 3, in_template=True)
    end = tokens[-1].end
    if source[end:].strip():
        raise Mistake(end, "there is text behind }}", "write the whole condition without ${{ }}")
    return tokens


def violation(mistake: Mistake, source: str, *, line: int, column: int, path: str) -> Violation:
    """Return a mistake with its place. The source begins at (line, column) and its lines follow each other."""
    offset = min(mistake.offset, len(source))
    before = source[:offset]
    newlines = before.count("\n")
    shown_line = line + newlines if line else 0
    shown_column = offset - before.rfind("\n") if newlines or not column else column + offset
    return Violation(path, mistake.reason, mistake.message, mistake.suggestion, "", shown_line, shown_column)


def invalid_expression(found: list[Violation]) -> HostdError:
    """Return the error of sources that cannot be compiled."""
    first = found[0]
    place = f"{first.path}: " if first.path else ""
    fix = f" ({first.suggestion})" if first.suggestion else ""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    message = f"{place}at {_at(first)}: {first.message}{fix}{more}"
    return HostdError(Kind.INVALID, first.reason, message, violations=tuple(found))


def _at(fault: Violation) -> str:
    return f"line {fault.line}, column {fault.column}" if fault.line else f"character {fault.column}"


def _is_constant(node: Node) -> bool:
    """Say whether the node is written out and leaves as it is: no floats, which may be ints, and no keys but texts."""
    if isinstance(node, ListOf):
        return all(_is_constant(item) for item in node.items)
    if isinstance(node, MapOf):
        return all(
            isinstance(key, Literal) and type(key.value) is str and _is_constant(value) for key, value in node.entries
        )
    return isinstance(node, Literal) and type(node.value) is not float


def _is_passed_on(node: Node) -> bool:
    """Say whether the result is a value of the scope as it is: nothing was made, so nothing is measured or copied."""
    if isinstance(node, Name) or _is_constant(node):
        return True
    if isinstance(node, Select | Index):
        return _is_passed_on(node.of)
    if isinstance(node, Choice):
        return _is_passed_on(node.then) and _is_passed_on(node.otherwise)
    if isinstance(node, Call) and node.name == "default":
        args = (node.target, *node.args) if node.target else node.args
        return all(_is_passed_on(arg) for arg in args)
    return False
