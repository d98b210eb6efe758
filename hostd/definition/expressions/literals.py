"""Literals of CEL: numbers, and text with its escapes."""

from __future__ import annotations

import math
import re

from hostd.definition.expressions.problems import Mistake
from hostd.values.json_text import INT_MAX

_ESCAPE = re.compile(
    r"""\\(?:(?P<hex>[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2})|(?P<simple>[abfnrtv\\?"'`])|(?P<wrong>.?))""",
    re.DOTALL,
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def read_number(text: str, offset: int) -> int | float:
    """Return the number a literal stands for. INT_MAX + 1 is let through: `-9223372036854775808` is one literal.

    Raises:
        Mistake: an unsigned literal, or a number out of range.
    """
    if text[-1] in "uU":
        raise Mistake(offset, "unsigned numbers do not exist here", f"write {text[:-1]}")
    if text[:2] in ("0x", "0X"):
        value = int(text, 16) if len(text) <= 18 else INT_MAX + 2
    elif text.isdigit():
        value = int(text) if len(text) <= 19 else INT_MAX + 2
    else:
        number = float(text)
        if not math.isfinite(number):
            raise Mistake(offset, f"{text[:40]} is larger than any float")
        return number
    if value > INT_MAX + 1:
        raise Mistake(offset, f"{text[:40]} is not within 64 bits", "write it as a text, or with an exponent: 1e20")
    return value


def unescape(body: str, offset: int) -> str:
    """Return the text that a literal's body stands for.

    Raises:
        Mistake: an escape that does not exist, or one that names no character.
    """
    if "\\" not in body:
        return body

    def replace(match: re.Match[str]) -> str:
        if match["simple"]:
            return _SIMPLE.get(match["simple"], match["simple"])
        if match["octal"]:
            return chr(int(match["octal"], 8))
        if match["hex"]:
            return _character(int(match["hex"][1:], 16), offset + match.start())
        raise Mistake(
            offset + match.start(),
            f"`\\{match['wrong']}` is not an escape",
            f"write \\\\{match['wrong']}, or a raw text: r'...'",
        )

    return _ESCAPE.sub(replace, body)


def _character(code: int, offset: int) -> str:
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise Mistake(offset, f"U+{code:04X} is not a character")
    return chr(code)
