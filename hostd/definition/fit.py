"""Fitting marked nodes to the grammar: every node that fits becomes a Part, every one that does not a mistake.

What reads the parts afterwards never meets a value of a wrong type: a part that did not fit is not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hostd.definition.fixes import ELSEWHERE, HANDLERS, SYNONYMS, propose, propose_duration
from hostd.definition.mistakes import Mistakes, child_path, shown
from hostd.definition.nodes import Node
from hostd.definition.shapes import (
    Anything,
    Choice,
    Condition,
    Flag,
    JsonSchema,
    Many,
    Named,
    Number,
    OneOf,
    Options,
    Period,
    Shape,
    Text,
)
from hostd.values.durations import parse_duration_ms

KIND_WORDS = {
    "map": "a mapping",
    "list": "a list",
    "text": "a text",
    "number": "a number",
    "flag": "true or false",
    "null": "nothing",
}


class Part:
    """A piece of a document that fits. `value` is a dict of parts (shapes, names), a list of parts or a plain value."""

    __slots__ = ("node", "path", "value")

    def __init__(self, node: Node, path: str, value: Any) -> None:
        self.node = node
        self.path = path
        self.value = value

    def part(self, key: str) -> Part | None:
        """Return the part under a key, None when it is absent or did not fit."""
        found: Part | None = self.value.get(key)
        return found

    def get(self, key: str, default: Any = None) -> Any:
        """Return the plain value under a key."""
        found = self.value.get(key)
        return default if found is None else found.value

    def wrote(self, key: str) -> bool:
        """Say whether the key stands in the document, fitting or not."""
        return self.node.kind == "map" and key in self.node.value


def fit(node: Node, spec: Any, path: str, mistakes: Mistakes) -> Part | None:
    """Return the part, or None after recording why it does not fit."""
    return _FITTERS[type(spec)](node, spec, path, mistakes)


def _wrong_type(node: Node, path: str, wanted: str, mistakes: Mistakes, suggestion: str = "") -> None:
    mistakes.add(path, "TYPE_INVALID", f"this must be {wanted}, not {KIND_WORDS[node.kind]}", suggestion, node=node)


# -- scalars


def _fit_text(node: Node, spec: Text, path: str, mistakes: Mistakes) -> Part | None:
    text = node.as_text()
    if text is None:
        _wrong_type(node, path, spec.what, mistakes)
        return None
    return _check_text(node, text, spec, path, mistakes)


def _check_text(node: Node, text: str, spec: Text, path: str, mistakes: Mistakes) -> Part | None:
    if len(text) > spec.max_chars:
        mistakes.add(
            path, spec.reason, f"the text has {len(text)} characters; at most {spec.max_chars} are taken", node=node
        )
        return None
    if spec.pattern and not re.fullmatch(spec.pattern, text):
        message = f"{shown(text) or 'an empty text'} is not {spec.what}"
        mistakes.add(path, spec.reason, message, propose(spec.fix, text), node=node)
        return None
    if spec.literal and "${{" in text:
        mistakes.add(path, "VALUE_INVALID", "expressions are not evaluated here", "write the text itself", node=node)
        return None
    return Part(node, path, text)


def _fit_period(node: Node, spec: Period, path: str, mistakes: Mistakes) -> Part | None:
    text = node.as_text()
    if text is None:
        _wrong_type(node, path, "a duration such as 10s", mistakes)
        return None
    try:
        ms = parse_duration_ms(text)
    except ValueError as error:
        mistakes.add(path, "VALUE_INVALID", str(error), propose_duration(text), node=node)
        return None
    if ms == 0 and not spec.zero:
        mistakes.add(path, "VALUE_INVALID", "the duration must be longer than nothing", node=node)
        return None
    return Part(node, path, ms)


def _fit_flag(node: Node, spec: Flag, path: str, mistakes: Mistakes) -> Part | None:
    if node.kind == "flag":
        return Part(node, path, node.value)
    word = str(node.value).lower() if node.kind == "text" else ""
    better = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}.get(word)
    _wrong_type(node, path, "true or false", mistakes, f"write {better}" if better else "")
    return None


def _fit_number(node: Node, spec: Number, path: str, mistakes: Mistakes) -> Part | None:
    if node.kind != "number":
        fix = (
            f"write {node.value} without quotes"
            if node.kind == "text" and re.fullmatch(r"-?\d+(\.\d+)?", node.value)
            else ""
        )
        _wrong_type(node, path, "a number", mistakes, fix)
        return None
    if spec.whole and not isinstance(node.value, int):
        mistakes.add(path, "VALUE_INVALID", f"{node.value} is not a whole number", node=node)
        return None
    if not spec.least <= node.value <= spec.most:
        message = f"{shown(repr(node.value))} is not within {spec.least:g} to {spec.most:.12g}"
        mistakes.add(path, "VALUE_INVALID", message, node=node)
        return None
    return Part(node, path, node.value)


def _fit_choice(node: Node, spec: Choice, path: str, mistakes: Mistakes) -> Part | None:
    text = node.as_text()
    if text is None:
        _wrong_type(node, path, f"one of {', '.join(spec.words)}", mistakes)
        return None
    if text not in spec.words:
        words = spec.words
        wrong = f"not {' or '.join(words)}" if len(words) > 1 else f"no word for this, only {words[0]} is"
        mistakes.add(path, "VALUE_INVALID", f"{shown(text)} is {wrong}", mistakes.did_you_mean(text, words), node=node)
        return None
    return Part(node, path, text)


def _fit_condition(node: Node, spec: Condition, path: str, mistakes: Mistakes) -> Part | None:
    text = node.as_text()
    if text is None:
        _wrong_type(node, path, "an expression", mistakes)
        return None
    if not bare_expression(text):
        mistakes.add(path, "VALUE_INVALID", "the condition is empty", "leave the key out if there is none", node=node)
        return None
    return Part(node, path, bare_expression(text))


def bare_expression(text: str) -> str:
    """Return a condition's source: without `${{ }}` when they stand around the whole of it."""
    inner = text.strip()
    if inner.startswith("${{") and inner.endswith("}}") and "${{" not in inner[3:]:
        return inner[3:-2].strip()
    return inner


def _fit_one_of(node: Node, spec: OneOf, path: str, mistakes: Mistakes) -> Part | None:
    if node.kind == "map":
        mistakes.add(path, "NOT_YET_SUPPORTED", f"{spec.refused_map} is not built yet", "leave it out", node=node)
        return None
    return _fit_text(node, spec.text, path, mistakes)


# -- free values


def _fit_anything(node: Node, spec: Anything, path: str, mistakes: Mistakes) -> Part | None:
    is_template = node.kind == "text" and "${{" in node.value
    if spec.kinds and node.kind not in spec.kinds and not is_template:
        is_time = node.kind == "number" and spec.what.startswith("a duration")
        _wrong_type(node, path, spec.what, mistakes, propose_duration(str(node.value)) if is_time else "")
        return None
    return Part(node, path, None)


def _fit_mapping(node: Node, spec: Options | JsonSchema, path: str, mistakes: Mistakes) -> Part | None:
    if node.kind == "map" or (node.kind == "flag" and isinstance(spec, JsonSchema)):
        return Part(node, path, None)
    _wrong_type(node, path, "a mapping", mistakes)
    return None


# -- collections


def _fit_many(node: Node, spec: Many, path: str, mistakes: Mistakes) -> Part | None:
    if node.kind == "map" and spec.or_one and spec.item.what == "an id":
        message = "`any` and `all` (a step that begins when one need has succeeded) are not built yet"
        mistakes.add(path, "NOT_YET_SUPPORTED", message, "write a list: every need must have ended", node=node)
        return None
    if node.kind != "list":
        if not spec.or_one or node.kind in ("map", "null"):
            _wrong_type(node, path, f"a list of {spec.item.what.removeprefix('an ').removeprefix('a ')}s", mistakes)
            return None
        one = _fit_text(node, spec.item, path, mistakes)
        return Part(node, path, [one]) if one else None
    if len(node.value) > spec.most:
        mistakes.add(
            path, "VALUE_INVALID", f"the list has {len(node.value)} items; at most {spec.most} are taken", node=node
        )
        return None
    items = [_fit_text(item, spec.item, child_path(path, at), mistakes) for at, item in enumerate(node.value)]
    return Part(node, path, [item for item in items if item is not None])


def _fit_named(node: Node, spec: Named, path: str, mistakes: Mistakes) -> Part | None:
    if node.kind != "map":
        fix = "write `id: {...}` instead of `- ...`" if node.kind == "list" else ""
        _wrong_type(
            node, path, f"a mapping from {spec.name.what.removeprefix('an ').removeprefix('a ')}s", mistakes, fix
        )
        return None
    count = len(node.value)
    if count > spec.most or count < spec.least:
        limit = f"at most {spec.most}" if count > spec.most else f"at least {spec.least}"
        mistakes.add(path, "VALUE_INVALID", f"there are {count} entries; {limit} can stand here", node=node)
        return None
    parts: dict[str, Part] = {}
    for name, child in node.value.items():
        if _lost_its_indent(name, child, spec):
            message = f"`{name}` stands among the {path.rpartition('.')[2]}, but is a key of one of them"
            mark = node.key_marks.get(name)
            mistakes.add(
                child_path(path, name), "KEY_UNKNOWN", message, "indent it below what it belongs to", mark=mark
            )
            continue
        _check_name(node, name, spec.name, path, mistakes)
        part = fit(child, spec.item, child_path(path, name), mistakes)
        if part is not None:
            parts[name] = part
    return Part(node, path, parts)


def _lost_its_indent(name: str, child: Node, spec: Named) -> bool:
    """Say whether a name is a key of what is named here, with a value that what is named cannot have."""
    if not isinstance(spec.item, Shape) or name not in spec.item.keys:
        return False
    keys = child.value if child.kind == "map" else ()
    required = [key for key, about in spec.item.keys.items() if about.required]
    return bool(required) and not any(key in keys for key in (*required, *_INSTEAD))


def _check_name(node: Node, name: str, spec: Text, path: str, mistakes: Mistakes) -> None:
    if re.fullmatch(spec.pattern, name):
        return
    mistakes.add(
        child_path(path, name),
        "NAME_INVALID",
        f"{shown(name) or 'an empty text'} is not {spec.what} ({spec.pattern})",
        propose(spec.fix, name),
        mark=node.key_marks.get(name),
    )


def _fit_shape(node: Node, spec: Shape, path: str, mistakes: Mistakes) -> Part | None:
    if node.kind != "map":
        _wrong_type(node, path, f"a mapping with the keys of `{spec.title}`", mistakes)
        return None
    parts: dict[str, Part] = {}
    for name, child in node.value.items():
        key = spec.keys.get(name)
        if key is None:
            _unknown_key(node, name, spec, path, mistakes)
        elif key.spec is None:
            _refused_key(node, name, path, mistakes)
        else:
            part = fit(child, key.spec, child_path(path, name), mistakes)
            if part is not None:
                parts[name] = part
    _missing_keys(node, spec, path, mistakes)
    return Part(node, path, parts)


def _unknown_key(node: Node, name: str, spec: Shape, path: str, mistakes: Mistakes) -> None:
    usable = [word for word, key in spec.keys.items() if not key.refused]
    synonym = SYNONYMS.get(name.lower().replace("-", "_"), "")
    wanted = synonym if synonym.partition(":")[0] in usable else ""
    if not wanted and synonym in HANDLERS and "handlers" in usable:
        wanted = f"handlers: {{{synonym}: ...}}"
    hint = f"did you mean {wanted}?" if wanted else mistakes.did_you_mean(name, usable)
    hint = ELSEWHERE.get((spec.title, name), hint) or _below_with(node, usable)
    message = f"{shown(name) or 'an empty key'} is no key of {spec.title}"
    mistakes.add(child_path(path, name), "KEY_UNKNOWN", message, hint, mark=node.key_marks.get(name))


def _below_with(node: Node, usable: list[str]) -> str:
    """Return what to do with a key that is like none: where there are options, it may be one of them."""
    if "with" not in usable:
        return ""
    empty = "with" in node.value and node.value["with"].kind == "null"
    return "indent it below `with`" if empty else "an option of what it `uses` stands below `with`"


def _refused_key(node: Node, name: str, path: str, mistakes: Mistakes) -> None:
    mistakes.add(
        child_path(path, name),
        "NOT_YET_SUPPORTED",
        f"`{name}` is part of the language, but this version of hostd does not build it yet",
        "leave it out",
        mark=node.key_marks.get(name),
    )


def _missing_keys(node: Node, spec: Shape, path: str, mistakes: Mistakes) -> None:
    if any(key.refused and name in node.value and name in _INSTEAD for name, key in spec.keys.items()):
        return  # what stands instead of the required key is refused already
    for name, key in spec.keys.items():
        if key.required and name not in node.value:
            mistakes.add(child_path(path, name), "KEY_MISSING", f"{spec.title} needs `{name}`: {key.doc}", node=node)


_INSTEAD = ("steps", "states", "race", "for_each", "while", "until")

_FITTERS: dict[type, Callable[[Node, Any, str, Mistakes], Part | None]] = {
    Text: _fit_text,
    Period: _fit_period,
    Flag: _fit_flag,
    Number: _fit_number,
    Choice: _fit_choice,
    Condition: _fit_condition,
    OneOf: _fit_one_of,
    Anything: _fit_anything,
    Options: _fit_mapping,
    JsonSchema: _fit_mapping,
    Many: _fit_many,
    Named: _fit_named,
    Shape: _fit_shape,
}
