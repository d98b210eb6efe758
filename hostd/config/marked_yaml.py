"""The YAML of a configuration file: JSON's types, a place for every value, and nothing surprising.

`on`, `no`, dates and `12:30` are text. Tags, anchors and merge keys are refused; so are keys that stand twice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from hostd.errors.base import HostdError, Violation
from hostd.values.json_text import parse_json
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    import yaml
else:
    yaml = lazily("yaml")

MAX_FILE_BYTES = 1 << 20
MAX_DEPTH = 32
Path = tuple[str | int, ...]
Mark = tuple[int, int]  # line and column, both from 1
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


class Marked(NamedTuple):
    """A document's value, where each part of it stands, and what was wrong."""

    value: Any
    marks: dict[Path, Mark]
    mistakes: list[Violation]


def read_yaml(text: str, *, file: str = "") -> Marked:
    """Return the one document of a text; an empty text is an empty mapping."""
    marked = Marked({}, {}, [])
    try:
        if len(text.encode()) > MAX_FILE_BYTES:
            raise _Refused("DOCUMENT_TOO_LARGE", "the file is larger than 1 MiB")
        _check_events(text)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except _Refused as refusal:
        return marked._replace(mistakes=[Violation("", refusal.reason, refusal.message, "", file, *refusal.mark)])
    except yaml.MarkedYAMLError as error:
        mark = _mark(error.problem_mark) if error.problem_mark else (0, 0)
        what, hint = str(error.problem), ""
        if error.problem_mark and _is_tab(text, *mark):
            what, hint = "a tab cannot indent", "indent with spaces"
        return marked._replace(mistakes=[Violation("", "SYNTAX_INVALID", what, hint, file, *mark)])
    except (yaml.YAMLError, UnicodeError) as error:
        return marked._replace(mistakes=[Violation("", "SYNTAX_INVALID", str(error), "", file)])
    if root is None:
        return marked
    walk = _Walk(file)
    return Marked(walk.value(root, ()), walk.marks, walk.mistakes)


def _is_tab(text: str, line: int, column: int) -> bool:
    lines = text.splitlines()[line - 1 : line]
    return bool(lines) and lines[0][column - 1 : column] == "\t"


class _Refused(Exception):
    def __init__(self, reason: str, message: str, mark: Mark = (0, 0)) -> None:
        super().__init__(message)
        self.reason, self.message, self.mark = reason, message, mark


def _check_events(text: str) -> None:
    """Refuse nesting and references before anything recursive sees them."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise _Refused("YAML_UNSUPPORTED", "aliases (`*name`) are not read here", _mark(event.start_mark))
        if getattr(event, "tag", None) is not None:
            raise _Refused("YAML_UNSUPPORTED", "tags (`!name`) are not read here", _mark(event.start_mark))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _Refused("DOCUMENT_TOO_LARGE", f"nested deeper than {MAX_DEPTH}", _mark(event.start_mark))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _mark(mark: Any) -> Mark:
    return mark.line + 1, mark.column + 1


class _Walk:
    """Turns nodes into values and remembers where each one stood."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.marks: dict[Path, Mark] = {}
        self.mistakes: list[Violation] = []

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.marks[path] = _mark(node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or key == "<<":
                self._mistake(path, "YAML_UNSUPPORTED", "a key must be plain text", key_node)
            elif key in result:
                self._mistake((*path, key), "KEY_DUPLICATE", f"`{key}` stands twice", key_node)
            else:
                result[key] = self.value(value_node, (*path, key))
                self.marks[(*path, key)] = _mark(key_node.start_mark)
        return result

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        text = str(node.value)
        if getattr(node, "style", None):  # quoted or a block
            return text
        if text in _WORDS:
            return _WORDS[text]
        if not _NUMBER.fullmatch(text):
            return text
        try:
            return parse_json(text)
        except HostdError as error:
            self._mistake(path, error.reason, error.message, node)
            return 0

    def _mistake(self, path: Path, reason: str, message: str, node: yaml.Node) -> None:
        self.mistakes.append(Violation(dotted(path), reason, message, "", self.file, *_mark(node.start_mark)))


def dotted(path: Path) -> str:
    """Return `plugins.inline[0]` for ("plugins", "inline", 0)."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
