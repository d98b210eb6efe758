"""Tokens to a syntax tree: a Pratt parser of CEL's grammar that says what to write instead."""

from __future__ import annotations

from typing import Final

from hostd.definition.expressions.lexer import Token
from hostd.definition.expressions.limits import MAX_DEPTH, MAX_NESTING
from hostd.definition.expressions.problems import Mistake
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
from hostd.values.json_text import INT_MAX

_POWERS: Final = {
    "?": 1,
    "||": 2,
    "&&": 3,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 4),
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
_WORDS: Final = {"true": True, "false": False, "null": None}
_RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_MEANT: Final = {
    "and": "write &&",
    "or": "write ||",
    "not": "write !",
    "is": "write ==",
    "if": "write test ? a : b",
    "then": "write test ? a : b",
    "else": "write test ? a : b",
    "div": "write intdiv(a, b)",
    "mod": "write %",
    "matches": "write x.matches('pattern')",
    "contains": "write x.contains(y)",
    "like": "write x.matches('pattern')",
}


def parse(tokens: list[Token]) -> Node:
    """Return the tree of a whole expression. Raises Mistake."""
    parser = _Parser(tokens)
    if parser.token.kind == "end":
        raise Mistake(parser.token.start, "the expression is empty", "write a value, such as input.name")
    node = parser.expression(0)
    if parser.token.kind != "end":
        raise parser.unexpected()
    return node


def _depth(*below: Node) -> int:
    return 1 + max((node.depth for node in below), default=0)


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.nesting = 0
        self.token = tokens[0]

    def step(self) -> Token:
        """Return the token and go to the next."""
        token = self.token
        self.at += 1
        self.token = self.tokens[self.at]
        return token

    def is_op(self, operator: str) -> bool:
        return self.token.kind == "op" and self.token.value == operator

    def expect(self, operator: str, opened: Token) -> Token:
        if self.is_op(operator):
            return self.step()
        if self.token.kind == "end":
            raise Mistake(opened.start, f"`{opened.value}` is not closed", f"end it with `{operator}`")
        raise self.unexpected()

    def unexpected(self) -> Mistake:
        token = self.token
        if token.kind == "end":
            return Mistake(token.start, "the expression ends too early", "something must follow")
        if token.kind == "op":
            return Mistake(token.start, f"`{token.value}` cannot stand here", self._meant_operator(token))
        if token.kind == "literal":
            return Mistake(token.start, "a value cannot stand here", "put an operator before it")
        return Mistake(
            token.start, f"`{token.value}` cannot stand here", _MEANT.get(token.value, "put an operator before it")
        )

    def _meant_operator(self, token: Token) -> str:
        before = self.tokens[self.at - 1] if self.at else None
        pair = f"{before.value}{token.value}" if before and before.kind == "op" and before.end == token.start else ""
        return {
            "??": "write default(x, y)",
            "?:": "write default(x, y), or test ? a : b",
            "?.": "write default(x.y, z)",
            ".?": "write default(x.y, z)",
            "[?": "write default(x[y], z)",
            "**": "write pow(x, y)",
            "<>": "write !=",
            "++": "write x + 1",
            "=>": "write >=",
        }.get(pair, "")

    def expression(self, power: int) -> Node:
        """Return the longest expression whose operators bind tighter than `power`."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise Mistake(self.token.start, f"the expression is nested deeper than {MAX_NESTING}", "split it")
        left = self._unary()
        while (binds := self._binds()) > power:
            left = self._continue(left, binds)
            if left.depth > MAX_DEPTH:
                raise Mistake(left.start, f"the expression is deeper than {MAX_DEPTH} levels", "split it")
        self.nesting -= 1
        return left

    def _binds(self) -> int:
        token = self.token
        if token.kind == "op" or (token.kind == "name" and token.value == "in"):
            return _POWERS.get(token.value, 0)
        return 0

    def _continue(self, left: Node, binds: int) -> Node:
        operator = self.step()
        if operator.value == "?":
            return self._choice(left, operator)
        right = self.expression(binds)
        if operator.value not in ("&&", "||"):
            return Binary(left.start, right.end, _depth(left, right), operator.value, left, right)
        same = isinstance(left, Chain) and left.operator == operator.value and self._is_bare(left)
        parts = (*left.parts, right) if same and isinstance(left, Chain) else (left, right)
        return Chain(left.start, right.end, _depth(*parts), operator.value, parts)

    def _is_bare(self, chain: Chain) -> bool:
        return chain.start == chain.parts[0].start

    def _choice(self, test: Node, mark: Token) -> Node:
        then = self.expression(1)
        if not self.is_op(":"):
            if self.token.kind == "end":
                raise Mistake(mark.start, "`?` has no `:`", "write test ? a : b, or default(x, y)")
            raise self.unexpected()
        self.step()
        otherwise = self.expression(0)
        return Choice(test.start, otherwise.end, _depth(test, then, otherwise), test, then, otherwise)

    def _unary(self) -> Node:
        token = self.token
        if token.kind == "op" and token.value in ("!", "-"):
            return self._prefixed(token)
        return self._members(self._primary())

    def _prefixed(self, token: Token) -> Node:
        count = 0
        while self.is_op(token.value):
            last = self.step()
            count += 1
            if count > MAX_NESTING:
                raise Mistake(token.start, f"more than {MAX_NESTING} `{token.value}` in a row")
        if token.value == "-" and self.token.kind == "literal" and type(self.token.value) in (int, float):
            number = self.step()
            literal: Node = Literal(last.start, number.end, 1, -number.value)
            node, count = self._members(literal), count - 1
        else:
            node = self._members(self._primary(signed=True))
        for _ in range(count):
            node = Unary(token.start, node.end, _depth(node), token.value, node)
        return node

    def _primary(self, *, signed: bool = False) -> Node:
        token = self.token
        if token.kind == "literal":
            if type(token.value) is int and token.value > INT_MAX:
                raise Mistake(token.start, f"{token.value} is not within 64 bits", "write it as a text")
            self.step()
            return Literal(token.start, token.end, 1, token.value)
        if token.kind == "name":
            return self._named()
        if self.is_op("."):
            self.step()
            if self.token.kind == "name":
                named = self._named()
                return Name(named.start, named.end, 1, named.name, True) if isinstance(named, Name) else named
        elif self.is_op("("):
            return self._grouped()
        elif self.is_op("["):
            return self._list()
        elif self.is_op("{"):
            return self._map()
        elif signed and token.kind == "op" and token.value in ("!", "-"):
            raise Mistake(token.start, "`!` and `-` cannot stand in a row", "use brackets: !(-x)")
        raise self.unexpected()

    def _grouped(self) -> Node:
        opened = self.step()
        inner = self.expression(0)
        closed = self.expect(")", opened)
        return _moved(inner, opened.start, closed.end)

    def _named(self) -> Node:
        token = self.step()
        name = token.value
        if name in _WORDS:
            return Literal(token.start, token.end, 1, _WORDS[name])
        if name in _RESERVED or name in ("in", "not"):
            raise Mistake(token.start, f"`{name}` is a reserved word", _MEANT.get(name, ""))
        if self.is_op("("):
            return self._call(None, token)
        return Name(token.start, token.end, 1, name)

    def _call(self, target: Node | None, name: Token) -> Node:
        opened = self.step()
        args = self._items(")", opened, trailing=False)
        end = self.tokens[self.at - 1].end
        start = target.start if target else name.start
        below = (target, *args) if target else args
        return Call(start, end, _depth(*below), target, name.value, args, name.start)

    def _items(self, closing: str, opened: Token, *, trailing: bool) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self.is_op(closing):
            items.append(self.expression(0))
            if not self.is_op(","):
                break
            comma = self.step()
            if self.is_op(closing) and not trailing:
                raise Mistake(comma.start, "`,` has nothing behind it", "remove it")
        self.expect(closing, opened)
        return tuple(items)

    def _list(self) -> Node:
        opened = self.step()
        items = self._items("]", opened, trailing=True)
        return ListOf(opened.start, self.tokens[self.at - 1].end, _depth(*items), items)

    def _map(self) -> Node:
        opened = self.step()
        entries: list[tuple[Node, Node]] = []
        while not self.is_op("}"):
            entries.append(self._entry())
            if not self.is_op(","):
                break
            self.step()
        closed = self.expect("}", opened)
        return MapOf(opened.start, closed.end, _depth(*(node for entry in entries for node in entry)), tuple(entries))

    def _entry(self) -> tuple[Node, Node]:
        key = self.expression(0)
        if not self.is_op(":"):
            if self.token.kind == "op" and self.token.value in (",", "}"):
                raise Mistake(self.token.start, "an entry of a map has a key and a value", "write {'key': value}")
            raise self.unexpected()
        self.step()
        return key, self.expression(0)

    def _members(self, node: Node) -> Node:
        while self.token.kind == "op" and self.token.value in (".", "[", "{"):
            operator = self.token.value
            if operator == "{":
                if isinstance(node, Name | Select):
                    raise Mistake(self.token.start, "messages do not exist here", "write a map: {'key': value}")
                raise self.unexpected()
            node = self._selected(node) if operator == "." else self._indexed(node)
            if node.depth > MAX_DEPTH:
                raise Mistake(node.start, f"the expression is deeper than {MAX_DEPTH} levels", "split it")
        return node

    def _selected(self, node: Node) -> Node:
        self.step()
        token = self.token
        if token.kind not in ("name", "escaped"):
            if token.kind == "literal" and type(token.value) in (int, float):
                raise Mistake(token.start, "items are read with brackets", "write x[0]")
            raise self.unexpected()
        if token.value in _WORDS or token.value == "in":
            raise Mistake(token.start, f"`{token.value}` is a reserved word", f"write x['{token.value}']")
        self.step()
        if token.kind == "name" and self.is_op("("):
            return self._call(node, token)
        return Select(node.start, token.end, _depth(node), node, token.value)

    def _indexed(self, node: Node) -> Node:
        opened = self.step()
        key = self.expression(0)
        closed = self.expect("]", opened)
        return Index(node.start, closed.end, _depth(node, key), node, key)


def _moved(node: Node, start: int, end: int) -> Node:
    """Return the node with its brackets, so that errors show them."""
    fields = {name: getattr(node, name) for name in node.__struct_fields__}
    return type(node)(**{**fields, "start": start, "end": end})
