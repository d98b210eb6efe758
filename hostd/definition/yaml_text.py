"""YAML and JSON text to marked nodes: one pass of ours over the events of PyYAML's C parser.

Only JSON's types come out. Nesting is counted on the events, so no recursion of ours or PyYAML's runs deep; an alias
is a copy and counts as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from hostd.definition.mistakes import Mistakes, child_path, shown
from hostd.definition.nodes import MAX_DEPTH, MAX_NODES, Node, copy_of, plain_scalar
from hostd.definition.yaml_traps import quoted, tag_is_trap
from hostd.errors.base import HostdError
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    import yaml
else:
    yaml = lazily("yaml")

MAX_DOCUMENT_BYTES = 1024 * 1024
_MERGE = "<<"


class ReadStop(Exception):
    """The rest of the text cannot be read; what was wrong is recorded already."""


class ReadDocument(msgspec.Struct):
    """One document of a text: its root node and the mistakes in its YAML."""

    root: Node
    mistakes: Mistakes


class _Open:
    """A map or list whose end has not been read yet."""

    __slots__ = ("anchor", "key", "key_mark", "key_quoted", "node", "path")

    def __init__(self, node: Node, path: str, anchor: str | None) -> None:
        self.node = node
        self.path = path
        self.anchor = anchor
        self.key: str | None = None
        self.key_mark = (0, 0)
        self.key_quoted = False


def read_events(text: str, file: str) -> Iterator[ReadDocument]:
    """Yield the documents of a text.

    Raises:
        yaml.MarkedYAMLError: the text is not YAML from there on.
        ReadStop: a limit was passed; a last document holding the mistake was yielded before.
    """
    builder: _Builder | None = None
    for event in yaml.parse(text, Loader=yaml.CLoader):
        if isinstance(event, yaml.DocumentStartEvent):
            builder = _Builder(Mistakes(file), _index(event.start_mark))
        elif isinstance(event, yaml.DocumentEndEvent) and builder is not None:
            _check_size(builder, text, event)
            yield ReadDocument(builder.root, builder.mistakes)
            builder = None
        elif builder is not None:
            try:
                builder.take(event)
            except ReadStop:
                yield ReadDocument(builder.root, builder.mistakes)
                raise


def _check_size(builder: _Builder, text: str, event: yaml.Event) -> None:
    size_bytes = len(text[builder.start : _index(event.end_mark)].encode("utf-8"))
    if size_bytes > MAX_DOCUMENT_BYTES:
        builder.mistakes.add(
            "", "DOCUMENT_TOO_LARGE", f"the document has {size_bytes} bytes; at most {MAX_DOCUMENT_BYTES} are taken"
        )


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)


def _index(mark: Any) -> int:
    return int(mark.index)


class _Builder:
    """Puts one document together, event by event, without recursion."""

    def __init__(self, mistakes: Mistakes, start: int) -> None:
        self.mistakes = mistakes
        self.start = start
        self.root = Node("null", None, line=1, column=1)
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node] = {}
        self.node_count = 0

    def take(self, event: yaml.Event) -> None:
        """Take one event between a document's start and end."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event)
        else:
            self._end()

    # -- places

    def _path(self) -> str:
        if not self.stack:
            return ""
        top = self.stack[-1]
        if top.node.kind == "list":
            return child_path(top.path, len(top.node.value))
        return top.path if top.key is None else child_path(top.path, top.key)

    def _wants_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].node.kind == "map" and self.stack[-1].key is None

    def _stop(self, event: yaml.Event, message: str) -> ReadStop:
        self.mistakes.add(self._path(), "DOCUMENT_TOO_LARGE", message, mark=_place(event))
        return ReadStop()

    # -- events

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        mark = _place(event)
        if self._wants_key():
            self._key(event, mark)
            return
        if event.tag is not None:
            self._put(self._tagged(event, mark), event, event.anchor)
            return
        if event.style:
            node = Node("text", event.value, line=mark[0], column=mark[1], source=event.value)
            node.lead = 1 if event.style in ("'", '"') else -1
            self._put(node, event, event.anchor)
            return
        try:
            node = plain_scalar(event.value, line=mark[0], column=mark[1])
        except HostdError as error:
            self.mistakes.add(self._path(), error.reason, error.message, "write it in quotes", mark=mark)
            node = Node("number", 0, line=mark[0], column=mark[1], source=event.value)
        self._put(node, event, event.anchor)

    def _tagged(self, event: yaml.ScalarEvent, mark: tuple[int, int]) -> Node:
        path = self._path()
        tag = str(event.tag)
        if tag_is_trap(tag, path):
            whole = f"{tag} {event.value}".strip()
            node = Node("text", whole, line=mark[0], column=mark[1], source=whole)
            self.mistakes.add(
                path,
                "QUOTES_NEEDED",
                f"YAML reads {shown(tag)} as a tag, because plain text cannot begin with `!`",
                f"write {_key_of(path)}{quoted(whole)}",
                mark=mark,
            )
            return node
        self._refuse_tag(event, mark)
        return Node("text", event.value, line=mark[0], column=mark[1], source=event.value)

    def _refuse_tag(self, event: Any, mark: tuple[int, int]) -> None:
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        fix = "remove the tag"
        if isinstance(event, yaml.ScalarEvent):
            fix = f"write {quoted(event.value)} for a text, or the plain value"
        self.mistakes.add(self._path(), "YAML_UNSUPPORTED", f"tags such as {shown(tag)} are not taken", fix, mark=mark)

    def _key(self, event: yaml.ScalarEvent, mark: tuple[int, int]) -> None:
        top = self.stack[-1]
        top.key, top.key_mark, top.key_quoted = event.value, mark, bool(event.style)
        if event.tag is not None:
            self._refuse_tag(event, mark)
        if event.value == "" and not event.style:
            self.mistakes.add(top.path, "YAML_UNSUPPORTED", "a key is empty", "give it a name", mark=mark)
        elif event.value == _MERGE and not event.style:
            self.mistakes.add(
                top.path, "YAML_UNSUPPORTED", "merge keys (`<<`) are not taken", "write the keys out here", mark=mark
            )
        elif event.anchor is not None:
            self.mistakes.add(top.path, "YAML_UNSUPPORTED", "a key cannot have an anchor", "remove it", mark=mark)

    def _begin(self, event: Any) -> None:
        mark = _place(event)
        if len(self.stack) >= MAX_DEPTH:
            raise self._stop(event, f"the document is nested deeper than {MAX_DEPTH}")
        if self._wants_key():
            self.mistakes.add(
                self._path(), "YAML_UNSUPPORTED", "a key must be a text", "put the value in quotes", mark=mark
            )
            self.stack[-1].key, self.stack[-1].key_mark = f"?{self.node_count}", mark
        if event.tag is not None:
            self._refuse_tag(event, mark)
        is_map = isinstance(event, yaml.MappingStartEvent)
        node = (
            Node("map", {}, line=mark[0], column=mark[1]) if is_map else Node("list", [], line=mark[0], column=mark[1])
        )
        self._count(1, event)
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)
        self.stack.append(_Open(node, self._path(), event.anchor))

    def _end(self) -> None:
        closed = self.stack.pop()
        if closed.node.kind == "map" and closed.key is not None:
            closed.node.value.setdefault(
                closed.key, Node("null", None, line=closed.node.line, column=closed.node.column)
            )
        if closed.anchor is not None:
            self.anchors[closed.anchor] = closed.node
        self._attach(closed.node)

    def _alias(self, event: yaml.AliasEvent) -> None:
        mark = _place(event)
        name = str(event.anchor)
        if self._wants_key():
            self.mistakes.add(self._path(), "YAML_UNSUPPORTED", "a key must be a text, not an alias", mark=mark)
            self.stack[-1].key, self.stack[-1].key_mark = f"?{self.node_count}", mark
            return
        node = self._aliased(name, event, mark)
        self._attach(node)

    def _aliased(self, name: str, event: yaml.AliasEvent, mark: tuple[int, int]) -> Node:
        original = self.anchors.get(name)
        if original is None:
            inside = any(open_node.anchor == name for open_node in self.stack)
            message = (
                f"the alias *{name} stands inside itself" if inside else f"there is no anchor &{name} before *{name}"
            )
            self.mistakes.add(self._path(), "YAML_UNSUPPORTED", message, f'if it is a text, write "*{name}"', mark=mark)
            return Node("null", None, line=mark[0], column=mark[1])
        if len(self.stack) + original.height > MAX_DEPTH:
            raise self._stop(event, f"the document is nested deeper than {MAX_DEPTH} once *{name} is written out")
        self._count(original.size, event)
        node = copy_of(original)
        node.line, node.column = mark
        return node

    # -- building

    def _count(self, nodes: int, event: yaml.Event) -> None:
        self.node_count += nodes
        if self.node_count > MAX_NODES:
            raise self._stop(event, f"the document has more than {MAX_NODES} values once its aliases are written out")

    def _put(self, node: Node, event: yaml.Event, anchor: str | None) -> None:
        self._count(1, event)
        if anchor is not None:
            self.anchors[anchor] = node
        self._attach(node)

    def _attach(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if top.node.kind == "list":
            top.node.value.append(node)
        else:
            self._attach_entry(top, node)
        top.node.adopt(node)

    def _attach_entry(self, top: _Open, node: Node) -> None:
        key, top.key = top.key or "", None
        if key == _MERGE and not top.key_quoted:
            return  # refused already
        if key in top.node.value:
            first = top.node.key_marks[key]
            self.mistakes.add(
                child_path(top.path, key),
                "KEY_DUPLICATE",
                f"the key {shown(key)} stands twice; the first is on line {first[0]}",
                "keep one of them",
                mark=top.key_mark,
            )
            return
        top.node.value[key] = node
        top.node.key_marks[key] = top.key_mark


def _key_of(path: str) -> str:
    key = path.rpartition(".")[2]
    return f"{key}: " if key and "[" not in key else ""
