"""The syntax tree. Offsets are characters of the source: `start` inclusive, `end` exclusive; a leaf has depth 1."""

from __future__ import annotations

from typing import Any

import msgspec


class Node(msgspec.Struct, frozen=True, gc=False):
    """A part of an expression."""

    start: int
    end: int
    depth: int


class Literal(Node, frozen=True, gc=False):
    """null, true, false, a number or a text."""

    value: Any


class Name(Node, frozen=True, gc=False):
    """A root, or a macro's variable; `.name` is always the root."""

    name: str
    absolute: bool = False


class Select(Node, frozen=True, gc=False):
    """`of.field`."""

    of: Node
    field: str


class Index(Node, frozen=True, gc=False):
    """`of[key]`."""

    of: Node
    key: Node


class Call(Node, frozen=True, gc=False):
    """`name(args)`, or `target.name(args)`. `name_start` is where the name stands."""

    target: Node | None
    name: str
    args: tuple[Node, ...]
    name_start: int


class ListOf(Node, frozen=True, gc=False):
    """`[items]`."""

    items: tuple[Node, ...]


class MapOf(Node, frozen=True, gc=False):
    """`{key: value}`."""

    entries: tuple[tuple[Node, Node], ...]


class Unary(Node, frozen=True, gc=False):
    """`!of` or `-of`."""

    operator: str
    of: Node


class Binary(Node, frozen=True, gc=False):
    """Two sides and an operator that reads both."""

    operator: str
    left: Node
    right: Node


class Chain(Node, frozen=True, gc=False):
    """`a && b && c` or `a || b || c`: flat, because order does not matter to what it means."""

    operator: str
    parts: tuple[Node, ...]


class Choice(Node, frozen=True, gc=False):
    """`test ? then : otherwise`."""

    test: Node
    then: Node
    otherwise: Node
