"""What a person writes under `with` of `transform.apply`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from hostd.plugin import Field, Options, expression_of, text_of_expressions, tree_of_expressions
from hostd_builtin.transform.paths import EACH, PATH_CHARS_MAX, parse_path
from hostd_builtin.transform.work import NAMES

OPERATIONS_MAX = 100
Kind = Literal["auto", "int", "float", "string", "bool", "json", "list"]


def _path(text: str) -> str:
    if len(text) > PATH_CHARS_MAX:
        raise ValueError(f"a path has at most {PATH_CHARS_MAX} characters")
    parse_path(text)
    return text


def _place(text: str) -> str:
    if EACH in parse_path(_path(text)) or not text:
        raise ValueError("a place to put a value at is a path without [*]")
    return text


Path = Annotated[str, AfterValidator(_path)]
Place = Annotated[str, AfterValidator(_place)]
Formula = Annotated[str, expression_of(*NAMES)]
Tree = Annotated[Any, tree_of_expressions(*NAMES)]
Text = Annotated[str, text_of_expressions(*NAMES)]


class SortBy(Options):
    """One key to sort by."""

    by: Formula = Field("item", description="What to compare.", examples=["item.price"])
    descending: bool = Field(False, description="Greatest first; null is last either way.")


class Merge(Options):
    """A map to merge into each item."""

    with_: Formula = Field(alias="with", description="The other map.", examples=["vars.defaults"])
    deep: bool = Field(False, description="Merge maps inside maps too; lists are taken whole.")
    prefer: Literal["with", "item"] = Field("with", description="Whose value stays where both have the key.")


class Lookup(Options):
    """A table to look into."""

    table: Formula = Field(description="A map, or a list by place.", examples=["vars.names"])
    key: Formula = Field(description="The key to look up.", examples=["item.country"])
    into: Place | None = Field(
        None, description="Where in the item to put what is found; absent: in place of the item."
    )


class Figure(Options):
    """One figure over the items: exactly one of these."""

    sum: Formula | None = Field(None, description="Sum of numbers; 0 of none.")
    min: Formula | None = Field(None, description="Least number or text; null of none.")
    max: Formula | None = Field(None, description="Greatest number or text; null of none.")
    avg: Formula | None = Field(None, description="Mean of numbers; null of none.")
    count: Formula | None = Field(None, description="Items for which it holds; `true` counts all.")
    first: Formula | None = Field(None, description="Its value for the first item; null of none.")
    last: Formula | None = Field(None, description="Its value for the last item; null of none.")
    collect: Formula | None = Field(None, description="A list of its values.")

    @model_validator(mode="after")
    def _is_one(self) -> Figure:
        if len(self.model_fields_set) != 1:
            raise ValueError("a figure is exactly one of sum, min, max, avg, count, first, last and collect")
        return self


class GroupBy(Options):
    """Groups of items."""

    by: Formula = Field(description="The group an item belongs to: a text, number or bool.", examples=["item.country"])
    figures: dict[str, Figure] = Field(
        default_factory=dict, description="Figures over each group; then the result is a list of {key, ...figures}."
    )


class Dates(Options):
    """How dates are written."""

    format: str = Field(
        "iso",
        description="`iso`, `unix` (seconds), `unix_ms`, or a pattern of Python's strftime such as `%d.%m.%Y %H:%M`.",
        min_length=1,
        max_length=100,
    )
    timezone: str = Field(
        "UTC", description="IANA name of the zone: of texts that name none, and of what is written.", max_length=64
    )


class Operation(Options):
    """One operation: exactly one key beside `at`, `if` and `default`."""

    at: Path = Field("", description="Path to the part to work on, as `[*].created`; absent: the whole value.")
    if_: Formula | None = Field(None, alias="if", description="Done only if it holds; `item` is the part.")
    default: Any = Field(None, description="In place of what extract, lookup and convert cannot give (else they fail).")

    extract: Path | dict[str, Path] | None = Field(
        None, description="A path: what it leads to. Names to paths: a map of what they lead to."
    )
    map: Tree = Field(None, description="Each item becomes this: an expression, or a tree whose texts are expressions.")
    filter: Formula | None = Field(None, description="Keeps items (of a map: entries) for which it holds.")
    convert: Kind | dict[str, Kind] | None = Field(
        None, description="A type for each item, or types for fields of each item: auto, int, float, string, bool, ..."
    )
    rename: dict[str, str] | None = Field(None, description="Old names of fields to new ones.")
    pick: list[str] | None = Field(None, description="Fields that stay, those that are there.")
    drop: list[str] | None = Field(None, description="Fields that go.")
    set: dict[Place, Tree] | None = Field(None, description="Paths in the item to expressions, one after the other.")
    merge: Merge | None = Field(None, description="Merges another map into each item.")
    template: Text | None = Field(None, description="Each item becomes a text with `{{ expression }}` filled in.")
    lookup: Lookup | None = Field(None, description="Looks up each item in a table.")
    parse_date: Dates | None = Field(None, description="Reads dates; gives RFC 3339 texts.")
    format_date: Dates | None = Field(None, description="Writes RFC 3339 texts in another form.")
    group_by: Formula | GroupBy | None = Field(
        None, description="A list becomes a map of lists by what the expression gives, or a list of figures a group."
    )
    sort: Formula | SortBy | list[SortBy] | None = Field(None, description="Sorts a list; equal ones keep their order.")
    unique: Formula | None = Field(None, description="Keeps the first of items that give the same; `item`: equal ones.")
    flatten: int | None = Field(
        None, description="Lists in the list, so many levels deep, become its items.", ge=1, le=16
    )
    limit: int | None = Field(None, description="Keeps the first so many items; negative: the last.")
    join: str | None = Field(None, description="A list becomes one text, with this between the items.", max_length=100)
    split: str | None = Field(None, description="Each text becomes a list, cut at this.", min_length=1, max_length=100)
    entries: Literal["to", "from"] | None = Field(
        None, description="`to`: a map becomes a list of {key, value}; `from`: the other way."
    )
    aggregate: dict[str, Figure] | None = Field(None, description="A list becomes a map of figures over its items.")

    @model_validator(mode="after")
    def _is_one(self) -> Operation:
        if len(self.model_fields_set - {"at", "if_", "default"}) != 1:
            raise ValueError(f"an operation is exactly one of {', '.join(OPERATIONS)}")
        if getattr(self, self.name) is None and self.name != "map":
            raise ValueError(f"{self.name} says nothing")
        return self

    @property
    def name(self) -> str:
        """Which operation it is."""
        return next(name for name in self.model_fields_set if name not in ("at", "if_", "default"))

    @property
    def has_default(self) -> bool:
        """Whether a default was written, null too."""
        return "default" in self.model_fields_set


OPERATIONS = tuple(name for name in Operation.model_fields if name not in ("at", "if_", "default"))


class ApplyOptions(Options):
    """A value, and what to do with it."""

    input: Any = Field(None, description="The value to work on.", examples=["${{ steps.fetch.output.body }}"])
    vars: dict[str, Any] = Field(default_factory=dict, description="Other values that expressions read as `vars.name`.")
    operations: list[Operation] = Field(
        description="What is done, one after the other; expressions read `item`, `index`, `value` and `vars`.",
        code=True,
        max_length=OPERATIONS_MAX,
        examples=[[{"filter": "item.price > 10"}, {"sort": {"by": "item.price", "descending": True}}]],
    )
