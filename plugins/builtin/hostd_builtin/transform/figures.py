"""Figures over items: sums, counts, extremes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hostd.plugin import ActionError, JsonValue
from hostd_builtin.transform.options import Figure
from hostd_builtin.transform.work import Work, kind_of, wrong_kind

_INT_MAX = 2**63 - 1


def figures(work: Work, wanted: Mapping[str, Figure], items: list[JsonValue]) -> dict[str, JsonValue]:
    """Return each figure by its name. Raises ActionError WRONG_KIND, OUT_OF_RANGE."""
    return {name: _figure(work, name, figure, items) for name, figure in wanted.items()}


def _figure(work: Work, name: str, figure: Figure, items: list[JsonValue]) -> JsonValue:
    kind = next(iter(figure.model_fields_set))
    source: str = getattr(figure, kind)
    if kind in ("first", "last"):
        at = 0 if kind == "first" else len(items) - 1
        return work.evaluate(source, item=items[at], index=at, value=items) if items else None
    if kind == "count":
        return sum(work.holds(source, item=item, index=at, value=items) for at, item in enumerate(items))
    values = [work.evaluate(source, item=item, index=at, value=items) for at, item in enumerate(items)]
    if kind == "collect":
        return values
    if kind in ("sum", "avg"):
        return _sum(name, _numbers(name, values), mean=kind == "avg")
    return _extreme(name, values, greatest=kind == "max")


def _numbers(name: str, values: list[JsonValue]) -> list[int | float]:
    numbers: list[int | float] = []
    for index, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_kind(f"{name}: item {index}", "a number", value)
        numbers.append(value)
    return numbers


def _sum(name: str, numbers: list[int | float], *, mean: bool) -> JsonValue:
    """Whole numbers are added exactly, others as precisely as a float can be."""
    if not numbers:
        return None if mean else 0
    whole = all(isinstance(number, int) for number in numbers)
    try:
        total = sum(numbers) if whole else math.fsum(numbers)
    except OverflowError:
        total = math.inf
    result = total / len(numbers) if mean else total
    if not math.isfinite(result) or (isinstance(result, int) and abs(result) > _INT_MAX):
        raise ActionError(f"{name} is not within 64 bits", code="OUT_OF_RANGE")
    return result


def _extreme(name: str, values: list[JsonValue], *, greatest: bool) -> JsonValue:
    known = [value for value in values if value is not None]
    kinds = {kind_of(value) for value in known}
    if kinds - {"a number"} and kinds - {"a text"}:
        message = f"{name} compares numbers, or texts, not {' and '.join(sorted(kinds))}"
        raise ActionError(message, code="WRONG_KIND")
    if not known:
        return None
    return max(known) if greatest else min(known)  # type: ignore[type-var]
