"""Expressions and templates of one document: compiled once, their roots and steps checked against where they stand."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from hostd.definition import roots
from hostd.definition.expressions.expression import compile_expression
from hostd.definition.expressions.template import KEY_IS_PLAIN, compile_template, has_expression
from hostd.definition.fit import Part
from hostd.definition.mistakes import MAX_MISTAKES, Mistakes, child_path
from hostd.definition.nodes import Node, value_of
from hostd.errors.base import HostdError

EXPRESSIONS_MAX = 10_000
EXPRESSION_CHARS_MAX = 256 * 1024
"""In one document: compiling takes time and memory for each, far more than reading it does."""

_Compile = Callable[[frozenset[str]], Any]


def _text_mark(node: Node) -> tuple[int, int]:
    """Return where a text begins, (0, 0) when the places inside it cannot be told (blocks, folded lines)."""
    if node.lead < 0 or "\n" in node.value:
        return 0, 0
    return node.line, node.column + node.lead


def _condition(node: Node, path: str, allowed: frozenset[str]) -> Any:
    line, column = _text_mark(node)
    return compile_expression(node.value, roots=allowed, line=line, column=column, path=path)


def _template(node: Node, path: str, allowed: frozenset[str]) -> Any:
    mark = _text_mark(node) if node.kind == "text" else (0, 0)
    return compile_template(value_of(node), roots=allowed, path=path, mark=lambda _: mark)


class StepRead(msgspec.Struct):
    """`steps.<id>` read by an expression."""

    step_id: str
    node: Node
    path: str


class Formulas:
    """Compiles what one document holds, and gathers what it reads.

    Args:
        trusted: the document was compiled before; only compile, look for no mistakes.
    """

    def __init__(self, mistakes: Mistakes, *, trusted: bool = False) -> None:
        self.mistakes = mistakes
        self.trusted = trusted
        self.env_names: set[str] = set()
        self.secret_names: set[str] = set()
        self.reads: list[StepRead] = []
        self._left, self._chars_left = EXPRESSIONS_MAX, EXPRESSION_CHARS_MAX

    def condition(self, part: Part | None, allowed: frozenset[str], *, status: bool = False) -> Any:
        """Return the Expression of an `if`, None when there is none or it is faulty."""
        if part is None:
            return None
        if not self.trusted and not self._affordable([str(part.node.value)], part.node, part.path):
            return None
        compile_with = functools.partial(_condition, part.node, part.path)
        expression = self._compiled(compile_with, part.node, part.path, allowed)
        if expression is not None:
            self._gather(expression, part.node, part.path, status=status)
        return expression

    def template(self, part: Part | None, allowed: frozenset[str]) -> Any:
        """Return the Template of a value, None when there is none or it is faulty; each faulty text is a mistake."""
        if part is None:
            return None
        if self.trusted:
            whole = _template(part.node, part.path, allowed)
            self._gather(whole, part.node, part.path)
            return whole
        before = len(self.mistakes.found)
        self._refuse_keys(part.node, part.path)
        for leaf, path in templated_leaves(part.node, part.path):
            if not self._affordable(_expressions_in(leaf.value), leaf, path):
                return None
            template = self._compiled(functools.partial(_template, leaf, path), leaf, path, allowed)
            if template is not None:
                self._gather(template, leaf, path)
        return _template(part.node, part.path, allowed) if len(self.mistakes.found) == before else None

    def nothing(self) -> Any:
        """Return the Template of no options at all."""
        return compile_template({})

    def _affordable(self, written: list[str], node: Node, path: str) -> bool:
        """Count expressions; past the bounds, say so once and compile none of the rest; nor when nobody reads on."""
        within = self._left >= 0 and self._chars_left >= 0
        self._left -= len(written)
        self._chars_left -= sum(map(len, written))
        if self._left >= 0 and self._chars_left >= 0:
            return len(self.mistakes.found) <= MAX_MISTAKES
        if within:
            most = f"{EXPRESSIONS_MAX} expressions of {EXPRESSION_CHARS_MAX} characters"
            message = f"the document holds more than {most} together"
            self.mistakes.add(path, "VALUE_INVALID", message, "pass data through the run's input", node=node)
        return False

    def _compiled(self, compile_with: _Compile, node: Node, path: str, allowed: frozenset[str]) -> Any:
        """Return what compiles; None after recording why it does not, a root that has its place elsewhere by name."""
        try:
            return compile_with(allowed)
        except HostdError as error:
            refused = error
        try:
            elsewhere = compile_with(roots.ALL)
        except HostdError:
            self._refuse(refused, node, path)
            return None
        read = set(elsewhere.reads_roots) | ({"secrets"} if getattr(elsewhere, "secrets", ()) else set())
        for root in sorted(read - allowed):
            self._refuse_root(root, node, path)
        return None

    def _gather(self, compiled: Any, node: Node, path: str, *, status: bool = False) -> None:
        self.env_names |= compiled.reads_env
        self.secret_names |= getattr(compiled, "secrets", frozenset())
        if self.trusted:
            return
        if not status:
            self._refuse_status(compiled, node, path)
        self.reads += [StepRead(step_id, node, path) for step_id in sorted(compiled.reads_steps)]

    def _refuse_keys(self, node: Node, path: str) -> None:
        for holder, key, at in templated_keys(node, path):
            self.mistakes.add(at, "EXPRESSION_INVALID", *KEY_IS_PLAIN, mark=holder.key_marks.get(key))

    def _refuse_root(self, root: str, node: Node, path: str) -> None:
        if root in roots.LATER:
            message = f"`{root}` belongs to {roots.LATER[root]}, which this version of hostd does not build yet"
            self.mistakes.add(path, "NOT_YET_SUPPORTED", message, node=node)
            return
        message = f"`{root}` has no value here; it can be read {roots.WHERE[root]}"
        hint = "write failure" if root == "error" and path.startswith("handlers.") else ""
        self.mistakes.add(path, "EXPRESSION_INVALID", message, hint, node=node)

    def _refuse_status(self, compiled: Any, node: Node, path: str) -> None:
        for name in sorted(compiled.uses_status):
            message = f"`{name}()` has a meaning in the `if` of a step only"
            self.mistakes.add(path, "EXPRESSION_INVALID", message, "read steps.<id>.result", node=node)

    def _refuse(self, error: HostdError, node: Node, path: str) -> None:
        for fault in error.violations:
            mark = (fault.line, fault.column) if fault.line else (node.line, node.column)
            self.mistakes.add(path, fault.reason, fault.message, fault.suggestion, mark=mark)
        if not error.violations:
            self.mistakes.add(path, error.reason, error.message, node=node)

    def unknown_step(self, read: StepRead, known: dict[str, int]) -> None:
        """Record that an expression reads a step that is not there."""
        self.mistakes.add(
            read.path,
            "NEED_UNKNOWN",
            f"there is no step {read.step_id}",
            self.mistakes.did_you_mean(read.step_id, known),
            node=read.node,
        )


def _expressions_in(text: str) -> list[str]:
    return [piece.partition("}}")[0] for piece in text.split("${{")[1:]]


def templated_leaves(node: Node, path: str) -> Iterator[tuple[Node, str]]:
    """Yield the texts that hold an expression, with their paths, in document order."""
    for current, at in _nodes(node, path):
        if current.kind == "text" and has_expression(current.value):
            yield current, at


def templated_keys(node: Node, path: str) -> Iterator[tuple[Node, str, str]]:
    """Yield the keys that hold an expression, with their map and their path, in document order."""
    for current, at in _nodes(node, path):
        if current.kind == "map":
            yield from ((current, key, child_path(at, key)) for key in current.value if has_expression(key))


def _nodes(node: Node, path: str) -> Iterator[tuple[Node, str]]:
    stack = [(node, path)]
    while stack:
        current, at = stack.pop()
        yield current, at
        if current.kind == "map":
            stack += [(child, child_path(at, key)) for key, child in reversed(current.value.items())]
        elif current.kind == "list":
            stack += [(child, child_path(at, index)) for index, child in reversed(list(enumerate(current.value)))]
