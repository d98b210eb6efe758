"""The kinds of values a grammar is made of. Tables of them drive both the checking and the JSON Schema for editors."""

from __future__ import annotations

from typing import TypeAlias, Union

import msgspec


class _Base(msgspec.Struct, frozen=True):
    pass


class Text(_Base, frozen=True):
    """A text; numbers and true or false are taken as written. `pattern` must match the whole of it."""

    what: str = "a text"
    pattern: str = ""
    fix: str = ""  # name of a rule in `fit` that proposes a better text
    max_chars: int = 4_096
    reason: str = "VALUE_INVALID"
    literal: bool = False  # `${{` in it is a mistake, not a template


class Period(_Base, frozen=True):
    """A duration text. The value is milliseconds."""

    zero: bool = False


class Flag(_Base, frozen=True):
    """true or false."""


class Number(_Base, frozen=True):
    """A number within limits."""

    least: float
    most: float
    whole: bool = False


class Choice(_Base, frozen=True):
    """One of some words."""

    words: tuple[str, ...]


class Condition(_Base, frozen=True):
    """An expression, bare or in `${{ }}`. The value is its source without the braces."""


class Anything(_Base, frozen=True):
    """Any JSON value, templates in it. `kinds` narrows what stands there when it is no template."""

    kinds: tuple[str, ...] = ()
    what: str = ""


class Options(_Base, frozen=True):
    """A mapping of options that the component checks."""


class JsonSchema(_Base, frozen=True):
    """A JSON Schema written out: a mapping."""


class Many(_Base, frozen=True):
    """A list; `or_one` also takes a single item. The value is a list."""

    item: Text
    most: int
    or_one: bool = False


class Named(_Base, frozen=True):
    """A mapping from names to values of one kind."""

    name: Text
    item: Spec
    most: int
    least: int = 0


class Key(_Base, frozen=True):
    """One key of a shape: what it takes, or that it is known and not built yet."""

    spec: Spec | None
    doc: str
    required: bool = False

    @property
    def refused(self) -> bool:
        """Say whether the key belongs to the language, but not to this version of hostd."""
        return self.spec is None


class Shape(_Base, frozen=True):
    """A mapping with known keys."""

    title: str
    keys: dict[str, Key]


Spec: TypeAlias = Union[
    Text, Period, Flag, Number, Choice, Condition, Anything, Options, JsonSchema, Many, Named, Shape, "OneOf"
]


class OneOf(_Base, frozen=True):
    """A mapping of a shape, or a text: decided by what stands there."""

    text: Text
    refused_map: str  # what to say of a mapping, which is known and not built yet


def not_yet(doc: str) -> Key:
    """Return the key of a word that is known and refused with NOT_YET_SUPPORTED."""
    return Key(None, doc)
