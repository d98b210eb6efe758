"""A syntax tree to closures. Everything that can be known before there are values is decided here, once."""

from __future__ import annotations

import difflib
from typing import Any

from hostd.definition.expressions.forms import compile_chain, compile_choice, compile_default, compile_has
from hostd.definition.expressions.functions.catalogue import FUNCTIONS, NAMESPACES, unknown_function
from hostd.definition.expressions.functions.forms import MACROS, STATUS
from hostd.definition.expressions.functions.patterns import compile_pattern
from hostd.definition.expressions.functions.registry import Function
from hostd.definition.expressions.limits import MAX_NODES, Evaluation
from hostd.definition.expressions.macros import compile_macro
from hostd.definition.expressions.names import STEP_FIELDS, Names, Reads
from hostd.definition.expressions.operators import ABSENT, BINARY, Operator, find_key, index, negate
from hostd.definition.expressions.paths import Run, read_keys, read_root, read_slot, read_step, read_whole_step
from hostd.definition.expressions.problems import Mistake, Problem
from hostd.definition.expressions.syntax import (
    Binary,
    Call,
    Chain,
    Choice,
    Index,
    ListOf,
    Literal,
    MapOf,
    Name,
    Node,
    Select,
    Unary,
)

_SECRETS_ARE_WRITTEN = "write it as a whole field, ${{ secrets.name }}, or joined to text: Bearer ${{ secrets.name }}"


class Compiler:
    """Compiles one expression.

    After `compile`: `cost` is what an evaluation is charged at its start (one a node; macros charge their bodies for
    each item), `levels` how many slots macro variables need, `reads` what it reads.
    """

    def __init__(self, source: str, names: Names) -> None:
        self.source = source
        self.names = names
        self.reads = Reads()
        self.cost = 0
        self.levels = 0
        self._nodes = 0
        self._locals: list[str] = []

    def compile(self, node: Node) -> Run:
        """Return the closure of a node. Raises Mistake."""
        self.cost += 1
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise Mistake(node.start, f"the expression has more than {MAX_NODES} nodes", "split it")
        run: Run = _COMPILE[type(node)](self, node)
        return run

    def text(self, node: Node) -> str:
        """Return how a node is written, for messages: one line, not long."""
        text = " ".join(self.source[node.start : node.end].split())
        return text if len(text) <= 120 else text[:117] + "..."

    def bind(self, name: Node) -> tuple[str, int]:
        """Return a macro's variable and the slot it will have. Raises Mistake."""
        if not isinstance(name, Name):
            raise Mistake(name.start, "a macro's variable is a plain name", "write list.map(x, x * 2)")
        return name.name, len(self._locals)

    def compile_within(self, variable: str, node: Node) -> tuple[Run, int]:
        """Return a macro's body, in which the variable has a value, and what one pass of it costs."""
        before = self.cost
        self._locals.append(variable)
        self.levels = max(self.levels, len(self._locals))
        body = self.compile(node)
        self._locals.pop()
        cost, self.cost = self.cost - before, before
        return body, cost

    def literal(self, node: Literal) -> Run:
        value = node.value
        return lambda evaluation: value

    def name(self, node: Name) -> Run:
        if self.is_local(node):
            return read_slot(len(self._locals) - 1 - self._locals[::-1].index(node.name))
        if node.name == "secrets":
            raise Mistake(
                node.start, "a secret may be a whole field or joined to text, nothing else", _SECRETS_ARE_WRITTEN
            )
        self.names.check(node.name, node.start)
        self.reads.roots.add(node.name)
        if not self.names.plain and node.name in ("steps", "env"):
            example = "steps.<id>.output" if node.name == "steps" else "env.NAME"
            raise Mistake(
                node.start,
                f"`{node.name}` cannot be used as a value: what is read must be known beforehand",
                f"write {example}",
            )
        return read_root(node.name)

    def is_local(self, name: Name) -> bool:
        """Say whether a name is that of a macro's variable where it stands."""
        return not name.absolute and name.name in self._locals

    def member(self, node: Node) -> Run:
        """Compile `a.b.c` and `a['b'].c`: all keys that are known go into one closure."""
        keys: list[str] = []
        base = node
        while (known := _known_key(base)) is not None:
            keys.append(known[1])
            base = known[0]
            self.cost += 1
        keys.reverse()
        if isinstance(base, Name) and not self.is_local(base) and not self.names.plain:
            if base.name == "steps":
                return self._step_path(node, base, keys)
            if base.name == "env" and "env" in (self.names.roots or ()):
                self.reads.env.add(keys[0])
                self.reads.roots.add("env")
                return read_keys(read_root("env"), tuple(keys), whole=self.text(node))
        if not keys:
            return self._index(node)
        return read_keys(self.compile(base), tuple(keys), whole=self.text(node))

    def _step_path(self, node: Node, base: Name, keys: list[str]) -> Run:
        if not keys:
            raise Mistake(
                node.start, "a step is named by its id; it must be known beforehand", "write steps.<id>.output"
            )
        self.names.check("steps", base.start)
        self.reads.roots.add("steps")
        self.reads.steps.add(keys[0])
        if len(keys) == 1:
            return read_whole_step(keys[0])
        step_id, field, *rest = keys
        if field not in STEP_FIELDS:
            near = difflib.get_close_matches(field[:80], STEP_FIELDS, n=1, cutoff=0.7)
            meant = near[0] if near else "output" if field in ("value", "data") else f"output.{field}"
            raise Mistake(
                base.start,
                f"a step has no field `{field}`; there are {', '.join(STEP_FIELDS)}",
                f"write steps.{step_id}.{meant}",
            )
        read = read_step(step_id, field)
        if not rest:
            return read
        return read_keys(
            read, tuple(rest), whole=self.text(node), step_id=step_id if field in ("output", "error") else ""
        )

    def _index(self, node: Node) -> Run:
        if not isinstance(node, Index):
            raise Mistake(node.start, "it cannot be read")
        of, key, where = self.compile(node.of), self.compile(node.key), self.text(node)

        def run(evaluation: Evaluation) -> Any:
            try:
                return index(of(evaluation), key(evaluation))
            except Problem as problem:
                problem.where = problem.where or where
                raise

        return run

    def list_of(self, node: ListOf) -> Run:
        items = [self.compile(item) for item in node.items]
        count = len(items)

        def run(evaluation: Evaluation) -> Any:
            evaluation.make_items(count)
            return [item(evaluation) for item in items]

        return run

    def map_of(self, node: MapOf) -> Run:
        entries = [(self.compile(key), self.compile(value)) for key, value in node.entries]
        known = [key.value for key, _ in node.entries if isinstance(key, Literal)]
        for place, (key, _) in enumerate(node.entries):
            if isinstance(key, Literal) and type(key.value) is str and known.count(key.value) > 1 and place:
                raise Mistake(key.start, f"the key {self.text(key)} stands twice", "keep one of them")
        where = self.text(node)

        def run(evaluation: Evaluation) -> Any:
            evaluation.make_items(4 * len(entries))
            made: dict[Any, Any] = {}
            for key_of, value_of in entries:
                key = key_of(evaluation)
                if type(key) not in (str, int, bool):
                    raise Problem("a key of a map is a text", where)
                if find_key(made, key) is not ABSENT or key in made:
                    raise Problem(f"a key stands twice: {str(key)[:60]}", where)
                made[key] = value_of(evaluation)
            return made

        return run

    def unary(self, node: Unary) -> Run:
        of, where = self.compile(node.of), self.text(node)
        if node.operator == "-":

            def run_minus(evaluation: Evaluation) -> Any:
                try:
                    return negate(of(evaluation))
                except Problem as problem:
                    problem.where = problem.where or where
                    raise

            return run_minus

        def run(evaluation: Evaluation) -> bool:
            value = of(evaluation)
            if value is True or value is False:
                return not value
            raise Problem("`!` takes true or false; write a comparison, such as x == null", where)

        return run

    def binary(self, node: Binary) -> Run:
        left, right = self.compile(node.left), self.compile(node.right)
        return _apply(BINARY[node.operator], left, right, self.text(node))

    def chain(self, node: Chain) -> Run:
        parts = [(self.compile(part), self.text(part)) for part in node.parts]
        return compile_chain(parts, until=node.operator == "||")

    def choice(self, node: Choice) -> Run:
        parts = [self.compile(part) for part in (node.test, node.then, node.otherwise)]
        return compile_choice(parts[0], parts[1], parts[2], self.text(node.test))

    def call(self, node: Call) -> Run:
        name, target = node.name, node.target
        if isinstance(target, Name) and target.name in NAMESPACES and not self.is_local(target):
            name, target = f"{target.name}.{name}", None
        function = FUNCTIONS.get(name)
        if function is None:
            raise Mistake(node.name_start, *unknown_function(name))
        args = (target, *node.args) if target is not None else node.args
        self._check_count(node, function, args)
        if name in MACROS:
            return compile_macro(self, node, args)
        if name == "default":
            return compile_default(self.compile(args[0]), self.compile(args[1]))
        if name == "has":
            return self._has(args[0])
        if name in STATUS:
            self.reads.status.add(name)
            return lambda evaluation: evaluation.scope.status(name)
        return self._function(node, function, args)

    def _check_count(self, node: Call, function: Function, args: tuple[Node, ...]) -> None:
        if not function.accepts(len(args)):
            given = f"{len(args)} are given" if len(args) != 1 else "1 is given"
            raise Mistake(
                node.name_start, f"`{function.name}` takes {function.counts()}, and {given}", f"write {function.usage}"
            )

    def _has(self, of: Node) -> Run:
        if not isinstance(of, Select):
            raise Mistake(of.start, "has takes a path that ends in a key", "write has(x.key), or 'key' in x")
        if isinstance(of.of, Name) and not self.is_local(of.of) and not self.names.plain:
            if of.of.name in ("steps", "secrets"):
                raise Mistake(of.start, f"has cannot ask about {of.of.name}: what is there is known beforehand")
            if of.of.name == "env":
                return self._has_env(of)
        return compile_has(self.compile(of.of), of.field, self.text(of))

    def _has_env(self, of: Select) -> Run:
        self.names.check("env", of.start)
        self.reads.env.add(of.field)
        self.reads.roots.add("env")
        return compile_has(read_root("env"), of.field, self.text(of))

    def _function(self, node: Call, function: Function, args: tuple[Node, ...]) -> Run:
        runs = [self.compile(arg) for arg in args]
        self._check_pattern(function, args)
        where, call = self.text(node), function.call

        def run(evaluation: Evaluation) -> Any:
            try:
                return call(evaluation, [arg(evaluation) for arg in runs])
            except Problem as problem:
                problem.where = problem.where or where
                raise

        return run

    def _check_pattern(self, function: Function, args: tuple[Node, ...]) -> None:
        """Compile a pattern that is written out, so that a mistake in it is found at registration."""
        if function.name.partition(".")[0] not in ("matches", "regex") or not isinstance(args[1], Literal):
            return
        pattern = args[1].value
        if type(pattern) is str:
            try:
                compile_pattern(pattern)
            except Problem as problem:
                raise Mistake(args[1].start, problem.message) from None


def _known_key(node: Node) -> tuple[Node, str] | None:
    """Return what a member is read from and its key, when the key is written out."""
    if isinstance(node, Select):
        return node.of, node.field
    if isinstance(node, Index) and isinstance(node.key, Literal) and type(node.key.value) is str:
        return node.of, node.key.value
    return None


def _apply(operator: Operator, left: Run, right: Run, where: str) -> Run:
    def run(evaluation: Evaluation) -> Any:
        try:
            return operator(evaluation, left(evaluation), right(evaluation))
        except Problem as problem:
            problem.where = problem.where or where
            raise

    return run


_COMPILE: dict[type, Any] = {
    Literal: Compiler.literal,
    Name: Compiler.name,
    Select: Compiler.member,
    Index: Compiler.member,
    Call: Compiler.call,
    ListOf: Compiler.list_of,
    MapOf: Compiler.map_of,
    Unary: Compiler.unary,
    Binary: Compiler.binary,
    Chain: Compiler.chain,
    Choice: Compiler.choice,
}
