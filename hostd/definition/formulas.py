"""Expressions and templates of one document: compiled once, their roots and steps checked against where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from hostd.definition import roots
from hostd.definition.expressions.compile import compile_expression, compile_template
from hostd.definition.fit import Part
from hostd.definition.mistakes import Mistakes, child_path
from hostd.definition.nodes import Node, value_of
from hostd.errors.base import HostdError


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

    def condition(self, part: Part | None, allowed: frozenset[str], *, status: bool = False) -> Any:
        """Return the Expression of an `if`, None when there is none or it is faulty."""
        if part is None:
            return None
        try:
            expression = compile_expression(part.value, roots=roots.ALL)
        except HostdError as error:
            self._refuse(error, part.node, part.path)
            return None
        self._gather(expression, part.node, part.path, allowed, status=status)
        return expression

    def template(self, part: Part | None, allowed: frozenset[str]) -> Any:
        """Return the Template of a value, None when there is none or it is faulty."""
        return None if part is None else self.template_of(part.node, part.path, allowed)

    def template_of(self, node: Node, path: str, allowed: frozenset[str]) -> Any:
        """Return the Template of a node, None when it is faulty; each faulty text is a mistake of its own."""
        before = len(self.mistakes.found)
        for leaf, leaf_path in templated_leaves(node, path):
            self._check_leaf(leaf, leaf_path, allowed)
        if len(self.mistakes.found) > before:
            return None
        try:
            return compile_template(value_of(node), roots=roots.ALL)
        except HostdError as error:
            self._refuse(error, node, path)
            return None

    def nothing(self) -> Any:
        """Return the Template of no options at all."""
        return compile_template({}, roots=roots.ALL)

    def _check_leaf(self, leaf: Node, path: str, allowed: frozenset[str]) -> None:
        try:
            template = compile_template(leaf.value, roots=roots.ALL)
        except HostdError as error:
            self._refuse(error, leaf, path)
            return
        self._gather(template, leaf, path, allowed)

    def _gather(self, compiled: Any, node: Node, path: str, allowed: frozenset[str], *, status: bool = False) -> None:
        self.env_names |= getattr(compiled, "reads_env", frozenset())
        self.secret_names |= getattr(compiled, "secrets", frozenset())
        if self.trusted:
            return
        for root in sorted(compiled.reads_roots - allowed):
            self._refuse_root(root, node, path)
        if not status:
            self._refuse_status(compiled, node, path)
        if "steps" in allowed:
            self.reads += [StepRead(step_id, node, path) for step_id in sorted(compiled.reads_steps)]

    def _refuse_root(self, root: str, node: Node, path: str) -> None:
        if root in roots.LATER:
            message = f"`{root}` belongs to {roots.LATER[root]}, which this version of hostd does not build yet"
            self.mistakes.add(path, "NOT_YET_SUPPORTED", message, node=node)
            return
        where = roots.WHERE.get(root, "nowhere here")
        self.mistakes.add(path, "EXPRESSION_INVALID", f"`{root}` has no value here; it can be read {where}", node=node)

    def _refuse_status(self, compiled: Any, node: Node, path: str) -> None:
        for name in sorted(getattr(compiled, "uses_status", frozenset())):
            message = f"`{name}()` has a meaning in the `if` of a step only"
            self.mistakes.add(path, "EXPRESSION_INVALID", message, "read steps.<id>.result", node=node)

    def _refuse(self, error: HostdError, node: Node, path: str) -> None:
        if error.violations:
            for fault in error.violations:
                self.mistakes.add(path, fault.reason, fault.message, fault.suggestion, node=node)
            return
        self.mistakes.add(path, error.reason, error.message, error.details.get("suggestion", ""), node=node)

    def unknown_step(self, read: StepRead, known: dict[str, int]) -> None:
        """Record that an expression reads a step that is not there."""
        self.mistakes.add(
            read.path,
            "NEED_UNKNOWN",
            f"there is no step {read.step_id}",
            self.mistakes.did_you_mean(read.step_id, known),
            node=read.node,
        )


def templated_leaves(node: Node, path: str) -> Iterator[tuple[Node, str]]:
    """Yield the texts that hold `${{`, with their paths, in document order."""
    stack = [(node, path)]
    while stack:
        current, at = stack.pop()
        if current.kind == "map":
            stack += [(child, child_path(at, key)) for key, child in reversed(current.value.items())]
        elif current.kind == "list":
            stack += [(child, child_path(at, index)) for index, child in reversed(list(enumerate(current.value)))]
        elif current.kind == "text" and "${{" in current.value:
            yield current, at
