"""Marked values: what a document's text becomes before anything is known of its meaning.

A node is one of JSON's types with the place it stands at. Plain scalars keep their source text, because keys that hold
text take what was written (`version: 1.10` is "1.10", not a number).
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

from hostd.values.json_text import JsonValue, parse_json

NodeKind: TypeAlias = Literal["map", "list", "text", "number", "flag", "null"]

MAX_DEPTH = 64
MAX_NODES = 100_000

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS: dict[str, tuple[NodeKind, JsonValue]] = {
    "null": ("null", None),
    "": ("null", None),
    "true": ("flag", True),
    "false": ("flag", False),
}


class Node:
    """A value with its place. Lines and columns count from 1; 0 means the value never stood in a text.

    `value` is a dict of nodes (map), a list of nodes (list) or a scalar of JSON. `size` counts the nodes below and with
    this one, `height` the levels below it.
    """

    __slots__ = ("column", "height", "key_marks", "kind", "lead", "line", "plain", "size", "source", "value")

    def __init__(self, kind: NodeKind, value: Any, *, line: int = 0, column: int = 0, source: str = "") -> None:
        self.kind: NodeKind = kind
        self.value = value
        self.line = line
        self.column = column
        self.source = source
        self.plain = False
        self.lead = -1  # columns before the text itself: 0 plain, 1 in quotes, -1 unknown
        self.key_marks: dict[str, tuple[int, int]] = {}
        self.size = 1
        self.height = 0

    def adopt(self, child: Node) -> None:
        """Count a child that was put into this node."""
        self.size += child.size
        self.height = max(self.height, child.height + 1)

    def as_text(self) -> str | None:
        """Return the text of a scalar as it was written, and make the node a text; None when it is no text.

        null stays null: an empty value is more often a mistake than an empty text.
        """
        if self.kind in ("number", "flag") and self.source:
            self.kind, self.value = "text", self.source
        return self.value if self.kind == "text" else None


def plain_scalar(text: str, *, line: int, column: int) -> Node:
    """Return the node of an unquoted scalar: null, true, false, a number of JSON, else text.

    Raises:
        HostdError: NUMBER_OUT_OF_RANGE.
    """
    word = _WORDS.get(text)
    if word is not None:
        node = Node(word[0], word[1], line=line, column=column, source=text)
    elif text[:1] in "-0123456789" and _NUMBER.fullmatch(text):
        node = Node("number", parse_json(text), line=line, column=column, source=text)
    else:
        node = Node("text", text, line=line, column=column, source=text)
    node.plain = True
    node.lead = 0
    return node


def node_from_value(value: JsonValue) -> Node:
    """Return unmarked nodes for a JSON value that is known to be sound (a stored document)."""
    if value is None:
        return Node("null", None)
    if isinstance(value, bool):
        return Node("flag", value)
    if isinstance(value, str):
        return Node("text", value)
    if isinstance(value, list):
        return Node("list", [node_from_value(item) for item in value])
    if isinstance(value, dict):
        return Node("map", {key: node_from_value(item) for key, item in value.items()})
    return Node("number", value)


def value_of(node: Node) -> Any:
    """Return the JSON value of a node: fresh dicts and lists."""
    if node.kind == "map":
        return {key: value_of(child) for key, child in node.value.items()}
    if node.kind == "list":
        return [value_of(child) for child in node.value]
    return node.value


def copy_of(node: Node) -> Node:
    """Return a deep copy: what an alias stands for."""
    value: Any = node.value
    if node.kind == "map":
        value = {key: copy_of(child) for key, child in node.value.items()}
    elif node.kind == "list":
        value = [copy_of(child) for child in node.value]
    copy = Node(node.kind, value, line=node.line, column=node.column, source=node.source)
    copy.lead = node.lead
    copy.plain, copy.key_marks = node.plain, node.key_marks
    copy.size, copy.height = node.size, node.height
    return copy
