"""Functions on texts, named as in CEL and its strings extension."""

from __future__ import annotations

import json
from typing import Any

from hostd.definition.expressions.functions.registry import Family
from hostd.definition.expressions.functions.text_format import format_text
from hostd.definition.expressions.kinds import INT, LIST, SIZED, TEXT, described
from hostd.definition.expressions.limits import ITEM_BYTES, Evaluation
from hostd.definition.expressions.problems import Missing, Problem

TEXTS = Family("Texts")

_TEXT_BYTES = 56 + ITEM_BYTES  # a small text in a list


@TEXTS.function("size", "size(x)", takes=(SIZED,), example="size('héllo')", gives="5")
def _size(run: Evaluation, value: Any) -> int:
    """Length of a text in characters, of a list or a map."""
    return len(value)


@TEXTS.function("contains", "text.contains(part)", takes=(TEXT, TEXT), example="'hostd'.contains('st')", gives="true")
def _contains(run: Evaluation, text: str, part: str) -> bool:
    """Whether a text holds another."""
    run.walk_chars(len(text))
    return part in text


@TEXTS.function("lower", "text.lower()", takes=(TEXT,), example="'ÄB'.lower()", gives='"äb"')
def _lower(run: Evaluation, text: str) -> str:
    """The text in lower case."""
    run.make_chars(len(text))
    return text.lower()


@TEXTS.function("upper", "text.upper()", takes=(TEXT,), example="'äb'.upper()", gives='"ÄB"')
def _upper(run: Evaluation, text: str) -> str:
    """The text in upper case."""
    run.make_chars(len(text) if text.isascii() else 3 * len(text))
    return text.upper()


@TEXTS.function("lowerAscii", "text.lowerAscii()", takes=(TEXT,), example="'ÄB'.lowerAscii()", gives='"Äb"')
def _lower_ascii(run: Evaluation, text: str) -> str:
    """Only the letters A to Z in lower case."""
    run.make_chars(len(text))
    return text.lower() if text.isascii() else "".join(char.lower() if char.isascii() else char for char in text)


@TEXTS.function("upperAscii", "text.upperAscii()", takes=(TEXT,), example="'äb'.upperAscii()", gives='"äB"')
def _upper_ascii(run: Evaluation, text: str) -> str:
    """Only the letters a to z in upper case."""
    run.make_chars(len(text))
    return text.upper() if text.isascii() else "".join(char.upper() if char.isascii() else char for char in text)


@TEXTS.function("trim", "text.trim()", takes=(TEXT,), example="'  a b '.trim()", gives='"a b"')
def _trim(run: Evaluation, text: str) -> str:
    """The text without space at both ends."""
    run.make_chars(len(text))
    return text.strip()


@TEXTS.function(
    "replace",
    "text.replace(old, new[, limit])",
    takes=(TEXT, TEXT, TEXT, INT),
    least=3,
    example="'a-b-c'.replace('-', '+', 1)",
    gives='"a+b-c"',
)
def _replace(run: Evaluation, text: str, old: str, new: str, limit: int = -1) -> str:
    """The text with every `old` (or the first `limit`) replaced."""
    run.walk_chars(len(text))
    count = text.count(old) if limit < 0 else min(text.count(old), limit)
    run.make_chars(len(text) + count * max(0, len(new) - len(old)))
    return text.replace(old, new, count)


@TEXTS.function(
    "split",
    "text.split(separator[, limit])",
    takes=(TEXT, TEXT, INT),
    least=2,
    example="'a,b,c'.split(',')",
    gives='["a","b","c"]',
)
def _split(run: Evaluation, text: str, separator: str, limit: int = -1) -> list[str]:
    """The parts between separators, at most `limit` of them; an empty separator gives the characters."""
    if limit == 0:
        return []
    run.walk_chars(len(text))
    pieces = max(1, text.count(separator) + 1 if separator else len(text))
    pieces = pieces if limit < 0 else min(pieces, limit)
    run.make_items(pieces)
    run.make(pieces * _TEXT_BYTES + len(text))
    if separator:
        return text.split(separator, pieces - 1)
    return [*text[: pieces - 1], text[pieces - 1 :]] if text else []


@TEXTS.function("lines", "text.lines()", takes=(TEXT,), example="'a\\nb\\n'.lines()", gives='["a","b"]')
def _lines(run: Evaluation, text: str) -> list[str]:
    """The lines of a text, without their ends."""
    pieces = text.count("\n") + text.count("\r") + 1
    run.make_items(pieces)
    run.make(pieces * _TEXT_BYTES + len(text))
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []


@TEXTS.function(
    "substring",
    "text.substring(start[, end])",
    takes=(TEXT, INT, INT),
    least=2,
    example="'hostd'.substring(1, 3)",
    gives='"os"',
)
def _substring(run: Evaluation, text: str, start: int, end: int | None = None) -> str:
    """Characters from `start` up to, without, `end`."""
    stop = len(text) if end is None else end
    if not 0 <= start <= stop <= len(text):
        raise Problem(f"there are no characters {start} to {stop}; the text has {len(text)}")
    run.make_chars(stop - start)
    return text[start:stop]


@TEXTS.function("charAt", "text.charAt(position)", takes=(TEXT, INT), example="'hostd'.charAt(0)", gives='"h"')
def _char_at(run: Evaluation, text: str, at: int) -> str:
    """One character; the empty text right behind the last."""
    if not 0 <= at <= len(text):
        raise Missing(f"there is no character {at}; the text has {len(text)}")
    return text[at : at + 1]


def _from(text: str, start: int) -> int:
    if not 0 <= start <= len(text):
        raise Problem(f"there is no character {start}; the text has {len(text)}")
    return start


@TEXTS.function(
    "indexOf",
    "text.indexOf(part[, from])",
    takes=(TEXT, TEXT, INT),
    least=2,
    example="'banana'.indexOf('an', 2)",
    gives="3",
)
def _index_of(run: Evaluation, text: str, part: str, start: int = 0) -> int:
    """Where a text is first found, or -1."""
    run.walk_chars(len(text))
    return text.find(part, _from(text, start))


@TEXTS.function(
    "lastIndexOf",
    "text.lastIndexOf(part[, from])",
    takes=(TEXT, TEXT, INT),
    least=2,
    example="'banana'.lastIndexOf('an')",
    gives="3",
)
def _last_index_of(run: Evaluation, text: str, part: str, start: int | None = None) -> int:
    """Where a text is last found, or -1."""
    run.walk_chars(len(text))
    return text.rfind(part) if start is None else text.rfind(part, 0, _from(text, start) + len(part))


@TEXTS.function(
    "join", "list.join([separator])", takes=(LIST, TEXT), least=1, example="['a', 'b'].join('-')", gives='"a-b"'
)
def _join(run: Evaluation, items: list[Any], separator: str = "") -> str:
    """The texts of a list, one behind the other."""
    length = len(separator) * max(0, len(items) - 1)
    run.walk_items(len(items))
    for item in items:
        if type(item) is not str:
            raise Problem(
                f"join takes a list of texts, and there is {described(item)} in it; .map(x, string(x)) makes texts"
            )
        length += len(item)
    run.make_chars(length)
    return separator.join(items)


@TEXTS.function("repeat", "text.repeat(count)", takes=(TEXT, INT), example="'ab'.repeat(3)", gives='"ababab"')
def _repeat(run: Evaluation, text: str, count: int) -> str:
    """The text so many times."""
    if count < 0:
        raise Problem("a text cannot be repeated less than 0 times")
    run.make_chars(len(text) * count)
    return text * count


@TEXTS.function(
    "strings.quote", "strings.quote(text)", takes=(TEXT,), example="strings.quote('a\"b')", gives='"\\"a\\\\\\"b\\""'
)
def _quote(run: Evaluation, text: str) -> str:
    """The text in double quotes, escaped as in JSON."""
    run.make_chars(6 * len(text) + 2)
    return json.dumps(text, ensure_ascii=False)


@TEXTS.function(
    "format", "text.format(list)", takes=(TEXT, LIST), example="'%s: %.2f'.format(['usd', 1.5])", gives='"usd: 1.50"'
)
def _format(run: Evaluation, text: str, values: list[Any]) -> str:
    """The text with %s %d %f %e %x %X %o %b (and %.2f) replaced by the items of a list."""
    return format_text(run, text, values)


@TEXTS.function(
    "startsWith", "text.startsWith(part)", takes=(TEXT, TEXT), example="'hostd'.startsWith('ho')", gives="true"
)
def _starts(run: Evaluation, text: str, part: str) -> bool:
    """Whether a text begins with another."""
    return text.startswith(part)


@TEXTS.function("endsWith", "text.endsWith(part)", takes=(TEXT, TEXT), example="'a.csv'.endsWith('.csv')", gives="true")
def _ends(run: Evaluation, text: str, part: str) -> bool:
    """Whether a text ends with another."""
    return text.endswith(part)
