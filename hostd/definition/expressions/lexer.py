"""Source text to tokens. In a template the `}}` that ends an expression is found here, where texts are known."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from hostd.definition.expressions.limits import MAX_SOURCE_CHARS
from hostd.definition.expressions.literals import read_number, unescape
from hostd.definition.expressions.problems import Mistake

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\n\f\r]+|//[^\n]*)
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?|[0-9]+[uU]?)
    |(?P<quote>(?:[rR][bB]?|[bB][rR]?)?(?:\"\"\"|'''|"|'))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<escaped>`[^`\n]*`)
    |(?P<op>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE,
)
_BODIES = {
    ("'", False): re.compile(r"((?:[^\\'\n\r]|\\.)*)'", re.DOTALL),
    ('"', False): re.compile(r'((?:[^\\"\n\r]|\\.)*)"', re.DOTALL),
    ("'", True): re.compile(r"([^'\n\r]*)'"),
    ('"', True): re.compile(r'([^"\n\r]*)"'),
    ("'''", False): re.compile(r"((?:[^\\]|\\.)*?)'''", re.DOTALL),
    ('"""', False): re.compile(r'((?:[^\\]|\\.)*?)"""', re.DOTALL),
    ("'''", True): re.compile(r"(.*?)'''", re.DOTALL),
    ('"""', True): re.compile(r'(.*?)"""', re.DOTALL),
}
_STRANGERS = {
    "=": ("`=` compares nothing", "write =="),
    "&": ("`&` is not an operator", "write &&"),
    "|": ("`|` is not an operator", "write ||; functions are called: f(x)"),
    "^": ("`^` is not an operator", "write pow(x, y)"),
    "$": ("`${{` cannot stand inside an expression", "write the name alone"),
    "#": ("`#` means nothing here", "a comment begins with //"),
    ";": ("an expression is one value; `;` ends nothing", "remove it"),
    "~": ("`~` is not an operator", "write x.matches('pattern')"),
    "@": ("`@` means nothing here", ""),
    "\\": ("`\\` means nothing outside a text", ""),
}
_CURLY_QUOTES = "\u2018\u2019\u201c\u201d\u00ab\u00bb"


class Token(NamedTuple):
    """`kind` is name, escaped, literal, op or end; `value` is the name, the literal's value or the operator."""

    kind: str
    value: Any
    start: int
    end: int


def tokenize(source: str, start: int = 0, *, in_template: bool = False) -> list[Token]:
    """Return the tokens from an offset on; the last has kind `end`.

    In a template reading stops at the `}}` outside of braces and texts: the last token then begins there.

    Raises:
        Mistake: a character or literal that is not of the language, or no `}}`.
    """
    tokens: list[Token] = []
    position, braces, limit = start, 0, start + MAX_SOURCE_CHARS
    while position < len(source):
        if position > limit:
            raise Mistake(start, f"the expression is longer than {MAX_SOURCE_CHARS} characters", "split it")
        if in_template and not braces and source.startswith("}}", position):
            return [*tokens, Token("end", None, position, position + 2)]
        if in_template and source.startswith("//", position):
            position = _comment_end(source, position)
            continue
        token, position = _read(source, position)
        if token is None:
            continue
        if token.kind == "op":
            braces += (token.value == "{") - (token.value == "}")
        tokens.append(token)
    if in_template:
        raise Mistake(max(0, start - 3), "`${{` is not closed", "end it with }}; $${{ is the text itself")
    return [*tokens, Token("end", None, len(source), len(source))]


def _comment_end(source: str, position: int) -> int:
    """Return where a comment in a template ends: with its line, or before `}}`."""
    ends = [end for end in (source.find("\n", position), source.find("}}", position)) if end >= 0]
    return min(ends, default=len(source))


def _read(source: str, position: int) -> tuple[Token | None, int]:
    """Return the token at an offset (None for space) and where the next one begins."""
    match = _TOKEN.match(source, position)
    if match is None:
        raise _stranger(source, position)
    kind, end = match.lastgroup, match.end()
    if kind == "space":
        return None, end
    if kind == "quote":
        return _read_text(source, match)
    if kind == "number":
        if end < len(source) and (source[end].isalnum() or source[end] == "_"):
            raise Mistake(end, f"`{source[end]}` stands right behind a number", "put an operator between them")
        return Token("literal", read_number(match[0], position), position, end), end
    if kind == "escaped":
        return Token("escaped", match[0][1:-1], position, end), end
    return Token(str(kind), match[0], position, end), end


def _read_text(source: str, match: re.Match[str]) -> tuple[Token, int]:
    opening = match[0]
    prefix = opening.rstrip("'\"")
    if "b" in prefix.lower():
        raise Mistake(match.start(), "bytes do not exist here", f"write the text without {prefix[0]}")
    quote = opening[len(prefix) :]
    body = _BODIES[quote, bool(prefix)].match(source, match.end())
    if body is None:
        raise Mistake(match.start(), f"the text that begins here has no closing {quote}", f"end it with {quote}")
    text = body[1].replace("\r\n", "\n").replace("\r", "\n") if len(quote) == 3 else body[1]
    value = text if prefix else unescape(text, match.end())
    return Token("literal", value, match.start(), body.end()), body.end()


def _stranger(source: str, position: int) -> Mistake:
    char = source[position]
    if char == "=" and position >= 2 and source[position - 2 : position] in ("==", "!="):
        return Mistake(position - 2, f"`{source[position - 2]}==` is not an operator", f"write {source[position - 2]}=")
    if char in _STRANGERS:
        return Mistake(position, *_STRANGERS[char])
    if char in _CURLY_QUOTES:
        return Mistake(position, f"`{char}` does not begin a text", "write straight quotes: ' or \"")
    if char.isalpha():
        return Mistake(position, f"`{char}` cannot stand in a name", "write x['...'] for keys with other letters")
    return Mistake(
        position,
        f"`{char}` means nothing in an expression"
        if char.isprintable()
        else f"U+{ord(char):04X} means nothing in an expression",
    )
