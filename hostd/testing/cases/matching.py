"""Comparing what came with what was expected, place by place.

An expected value is the value itself, or says what will do:

    {$any: true}            anything but nothing at all
    {$has: {a: 1}}          a mapping with at least these; of a list, each of these is in it
    {$matches: "^a.*"}      a text in which the pattern (RE2) is found
    {$type: text}           text, number, flag, list, map or null
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hostd.definition.expressions.functions.patterns import compile_pattern
from hostd.definition.expressions.problems import Problem
from hostd.values.json_text import JsonValue, dump_json

DIFFERENCES_MAX = 50
SHOWN_MAX = 300
TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,), "number": (int, float), "flag": (bool,), "list": (list,), "map": (dict,), "null": (type(None),),
}  # fmt: skip
MATCHERS = ("$any", "$has", "$matches", "$type")


def matcher_fault(expected: Any) -> str:
    """Return what is wrong with the matchers in an expected value, empty where nothing is."""
    if isinstance(expected, Mapping):
        word = _matcher(expected)
        if word is not None:
            return _word_fault(word, expected)
        return next(filter(None, map(matcher_fault, expected.values())), "")
    if isinstance(expected, list):
        return next(filter(None, map(matcher_fault, expected)), "")
    return ""


def _word_fault(word: str, expected: Mapping[str, Any]) -> str:
    value = expected[word]
    if word not in MATCHERS or len(expected) > 1:
        return f"{word} is no matcher that stands alone; there are {', '.join(MATCHERS)}"
    if word == "$has":
        return matcher_fault(value) if isinstance(value, dict | list) else "$has takes a mapping or a list"
    if word == "$type":
        return "" if value in TYPES else f"$type is one of {', '.join(TYPES)}"
    if word == "$any":
        return "" if value is True else "write $any: true"
    try:
        compile_pattern(value if isinstance(value, str) else "(")
    except Problem as problem:
        return f"$matches takes a pattern: {problem}"
    return ""


def differences(expected: Any, actual: Any, path: str) -> Iterator[str]:
    """Yield a line for each place where a value is not as expected; `path` names the whole."""
    if isinstance(expected, Mapping):
        word = _matcher(expected)
        if word is not None:
            yield from _unmatched(word, expected[word], actual, path)
        elif isinstance(actual, Mapping):
            yield from _of_maps(expected, actual, path)
        else:
            yield _differs(expected, actual, path)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for at, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(one, other, f"{path}[{at}]")
    elif not _same(expected, actual):
        yield _differs(expected, actual, path)


def _of_maps(expected: Mapping[str, Any], actual: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _within(expected, actual, path)
    for key in actual:
        if key not in expected:
            yield f"{path}.{key}: {shown(actual[key])} was not expected"


def _within(expected: Mapping[str, Any], actual: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, value in expected.items():
        if key not in actual:
            yield f"{path}.{key}: expected {shown(value)}, there is none"
        else:
            yield from differences(value, actual[key], f"{path}.{key}")


def _unmatched(word: str, wanted: Any, actual: Any, path: str) -> Iterator[str]:
    if word == "$has" and isinstance(wanted, Mapping) and isinstance(actual, Mapping):
        yield from _within(wanted, actual, path)
    elif word == "$has" and isinstance(wanted, list) and isinstance(actual, list):
        for one in wanted:
            if all(any(differences(one, other, "")) for other in actual):
                yield f"{path}: expected one like {shown(one)}, got {shown(actual)}"
    elif word == "$type":
        if not isinstance(actual, TYPES[wanted]) or (wanted == "number" and isinstance(actual, bool)):
            yield f"{path}: expected a value of type {wanted}, got {shown(actual)}"
    elif word == "$matches":
        if not isinstance(actual, str) or compile_pattern(wanted).search(actual) is None:
            yield f"{path}: expected a text that matches {wanted!r}, got {shown(actual)}"
    elif word == "$has" or actual is None:
        yield _differs({word: wanted}, actual, path)


def _differs(expected: Any, actual: Any, path: str) -> str:
    return f"{path}: expected {shown(expected)}, got {shown(actual)}"


def _same(expected: Any, actual: Any) -> bool:
    return isinstance(expected, bool) == isinstance(actual, bool) and bool(expected == actual)


def _matcher(expected: Mapping[str, Any]) -> str | None:
    return next((key for key in expected if key.startswith("$")), None)


def shown(value: JsonValue) -> str:
    """Return a value on one line, cut where it is long."""
    text = dump_json(value).decode()
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 3]}..."
