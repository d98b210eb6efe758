"""Functions on lists and maps."""

from __future__ import annotations

from typing import Any

from hostd.definition.expressions.functions.registry import Family
from hostd.definition.expressions.kinds import INT, LIST, MAP, TEXT_OR_LIST, described
from hostd.definition.expressions.limits import Evaluation
from hostd.definition.expressions.operators import ABSENT, add, comparable, equal, find_key, multiply
from hostd.definition.expressions.problems import Missing, Problem
from hostd.definition.expressions.times import Duration, Timestamp

LISTS = Family("Lists and maps")

_SCALARS = (str, bool, type(None), Timestamp, Duration)


@LISTS.function("sum", "sum(list)", takes=(LIST,), example="sum([1, 2, 3.5])", gives="6.5")
def _sum(run: Evaluation, items: list[Any]) -> Any:
    """The sum of numbers or durations; 0 of an empty list."""
    run.walk_items(8 * len(items))
    total: Any = 0
    for place, item in enumerate(items):
        if type(item) not in (int, float, Duration):
            raise Problem(f"sum adds numbers or durations, and item {place} is {described(item)}")
        total = item if place == 0 else add(run, total, item)
    return total


@LISTS.function("product", "product(list)", takes=(LIST,), example="product([2, 3, 4])", gives="24")
def _product(run: Evaluation, items: list[Any]) -> Any:
    """The product of numbers; 1 of an empty list."""
    run.walk_items(8 * len(items))
    total: Any = 1
    for item in items:
        total = multiply(run, total, item)
    return total


@LISTS.function("sort", "list.sort()", takes=(LIST,), example="[3, 1, 2].sort()", gives="[1,2,3]")
def _sort(run: Evaluation, items: list[Any]) -> list[Any]:
    """The items of one kind in order, the smallest first."""
    run.walk_items(16 * len(items))
    run.make_items(len(items))
    for item in items:
        comparable(item, items[0])
    return sorted(items)


@LISTS.function("reverse", "list.reverse()", takes=(TEXT_OR_LIST,), example="[1, 2].reverse()", gives="[2,1]")
def _reverse(run: Evaluation, value: Any) -> Any:
    """The items of a list, or the characters of a text, from the end."""
    if type(value) is str:
        run.make_chars(len(value))
    else:
        run.make_items(len(value))
    return value[::-1]


@LISTS.function("distinct", "list.distinct()", takes=(LIST,), example="[1, 2, 1].distinct()", gives="[1,2]")
def _distinct(run: Evaluation, items: list[Any]) -> list[Any]:
    """The items without those that came before.

    Scalars by hash; lists and maps by comparing, which the budget bounds.
    """
    run.make_items(4 * len(items))
    seen: set[Any] = set()
    large: list[Any] = []
    kept: list[Any] = []
    for item in items:
        kind = type(item)
        if kind is int or kind is float or kind in _SCALARS:
            mark = (item,) if kind in (int, float) else (kind, item)
            if mark in seen:
                continue
            seen.add(mark)
        else:
            run.charge(1 + len(large) // 4)
            if any(equal(run, item, other) for other in large):
                continue
            large.append(item)
        kept.append(item)
    return kept


@LISTS.function(
    "flatten", "list.flatten([depth])", takes=(LIST, INT), least=1, example="[1, [2, [3]]].flatten()", gives="[1,2,[3]]"
)
def _flatten(run: Evaluation, items: list[Any], depth: int = 1) -> list[Any]:
    """The items of the lists in a list, one level deep, or more."""
    if not 0 <= depth <= 64:
        raise Problem("flatten takes a depth from 0 to 64")
    flat: list[Any] = []
    for item in items:
        if type(item) is list and depth:
            inner = _flatten(run, item, depth - 1) if depth > 1 else item
            run.charge(1)
            run.make_items(len(inner))
            flat.extend(inner)
        else:
            run.make_items(1)
            flat.append(item)
    return flat


@LISTS.function("first", "list.first()", takes=(LIST,), example="[1, 2].first()", gives="1")
def _first(run: Evaluation, items: list[Any]) -> Any:
    """The first item; an empty list has none, and default(x, y) gives y."""
    if not items:
        raise Missing("the list is empty")
    return items[0]


@LISTS.function("last", "list.last()", takes=(LIST,), example="[1, 2].last()", gives="2")
def _last(run: Evaluation, items: list[Any]) -> Any:
    """The last item; an empty list has none, and default(x, y) gives y."""
    if not items:
        raise Missing("the list is empty")
    return items[-1]


@LISTS.function(
    "slice", "list.slice(start[, end])", takes=(LIST, INT, INT), least=2, example="[1, 2, 3].slice(1)", gives="[2,3]"
)
def _slice(run: Evaluation, items: list[Any], start: int, end: int | None = None) -> list[Any]:
    """Items from `start` up to, without, `end`."""
    stop = len(items) if end is None else end
    if not 0 <= start <= stop <= len(items):
        raise Problem(f"there are no items {start} to {stop}; the list has {len(items)}")
    run.make_items(stop - start)
    return items[start:stop]


@LISTS.function(
    "range",
    "range(end) or range(start, end[, step])",
    takes=(INT, INT, INT),
    least=1,
    example="range(3)",
    gives="[0,1,2]",
)
def _range(run: Evaluation, start: int, end: int | None = None, step: int = 1) -> list[int]:
    """Whole numbers from `start` (0) up to, without, `end`."""
    if step == 0:
        raise Problem("range takes a step that is not 0")
    numbers = range(start) if end is None else range(start, end, step)
    length = max(0, (numbers.stop - numbers.start + step - (1 if step > 0 else -1)) // step)
    run.make_items(5 * length)
    return list(numbers)


@LISTS.function(
    "zip",
    "zip(list, list, ...)",
    takes=(LIST,),
    more=LIST,
    example="zip([1, 2], ['a', 'b'])",
    gives='[[1,"a"],[2,"b"]]',
)
def _zip(run: Evaluation, *lists: list[Any]) -> list[list[Any]]:
    """Lists of the first items, the second items and so on, as far as all reach."""
    length = min(len(items) for items in lists)
    run.make_items(length * (8 + len(lists)))
    return [list(items) for items in zip(*(items[:length] for items in lists), strict=True)]


@LISTS.function("keys", "keys(map)", takes=(MAP,), example="keys({'a': 1, 'b': 2})", gives='["a","b"]')
def _keys(run: Evaluation, value: dict[Any, Any]) -> list[Any]:
    """The keys of a map, in its order."""
    run.make_items(len(value))
    return list(value)


@LISTS.function("values", "values(map)", takes=(MAP,), example="values({'a': 1, 'b': 2})", gives="[1,2]")
def _values(run: Evaluation, value: dict[Any, Any]) -> list[Any]:
    """The values of a map, in its order."""
    run.make_items(len(value))
    return list(value.values())


@LISTS.function("entries", "entries(map)", takes=(MAP,), example="entries({'a': 1})", gives='[{"key":"a","value":1}]')
def _entries(run: Evaluation, value: dict[Any, Any]) -> list[dict[str, Any]]:
    """A list of {'key': ..., 'value': ...}, in the map's order."""
    run.make_items(30 * len(value))
    return [{"key": key, "value": item} for key, item in value.items()]


@LISTS.function(
    "merge",
    "merge(map, map, ...)",
    takes=(MAP,),
    more=MAP,
    example="merge({'a': 1}, {'a': 2, 'b': 3})",
    gives='{"a":2,"b":3}',
)
def _merge(run: Evaluation, *maps: dict[Any, Any]) -> dict[Any, Any]:
    """All keys of the maps; a later map's value wins."""
    run.make_items(sum(4 * len(one) for one in maps))
    merged: dict[Any, Any] = {}
    for one in maps:
        merged.update(one)
    return merged


@LISTS.function(
    "without", "map.without(list)", takes=(MAP, LIST), example="{'a': 1, 'b': 2}.without(['a'])", gives='{"b":2}'
)
def _without(run: Evaluation, value: dict[Any, Any], keys: list[Any]) -> dict[Any, Any]:
    """The map without the keys in a list."""
    run.make_items(4 * len(value) + 4 * len(keys))
    dropped = {key for key in keys if type(key) is str and find_key(value, key) is not ABSENT}
    return {key: item for key, item in value.items() if type(key) is not str or key not in dropped}


@LISTS.function("toMap", "toMap(list)", takes=(LIST,), example="toMap([['a', 1]])", gives='{"a":1}')
def _from_entries(run: Evaluation, items: list[Any]) -> dict[str, Any]:
    """A map of a list of [key, value] or of entries; the last of equal keys wins."""
    run.make_items(4 * len(items))
    made: dict[str, Any] = {}
    for item in items:
        key, value = _pair(item)
        made[key] = value
    return made


def _pair(item: Any) -> tuple[str, Any]:
    if type(item) is dict and type(item.get("key")) is str and "value" in item:
        return item["key"], item["value"]
    if type(item) is list and len(item) == 2 and type(item[0]) is str:
        return item[0], item[1]
    raise Problem("toMap takes a list of [text, value] or of {'key': text, 'value': value}")
