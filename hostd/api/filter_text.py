"""The text of a list's filter to the tree of model/filters.py.

    filter  := and ('||' and)*             value := "text" | 'text'
    and     := not ('&&' not)*             field := workflow version state key trigger parent reason
    not     := '!' not | '(' filter ')' | term      create_time end_time labels.NAME labels["NAME"]
    term    := field op value | field in [value, ...] | field.startsWith(value)     op := == != < <= > >=

Times are RFC 3339 text, states are words. What is not there is INVALID_FILTER naming what is.
"""

from __future__ import annotations

import difflib
import re
from typing import NamedTuple

from hostd.errors.base import invalid
from hostd.model.filters import LABELS, And, Compare, Filter, In, Not, Operator, Or, StartsWith
from hostd.model.requests import LABEL_BYTES_MAX
from hostd.model.states import RunState
from hostd.values.times import parse_time_ms

CHARS_MAX = 4_096
TERMS_MAX = 200
DEPTH_MAX = 32

_TIMES = {"create_time": "created_at", "end_time": "ended_at"}
_STATES = {state.name: state.value for state in RunState}
_OPERATORS: dict[str, Operator] = {"==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "'": "'"}
_TOKEN = re.compile(
    r"""\s*(?:(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\],.])|(?P<other>\w+|\S))""",
    re.DOTALL,
)


class Fields(NamedTuple):
    """What a filter may compare. `more`: `state` and labels too, which runs have."""

    texts: tuple[str, ...]
    times: tuple[str, ...]
    more: tuple[str, ...] = ()

    @property
    def known(self) -> str:
        """Every field, for messages."""
        return ", ".join((*self.texts, *self.times, *self.more))


RUN_FIELDS = Fields(
    ("workflow", "version", "key", "trigger", "parent", "reason"),
    ("create_time", "end_time"),
    ("state", "labels.NAME"),
)
LETTER_FIELDS = Fields(("workflow", "trigger", "reason", "event_id"), ("create_time",))


class _Token(NamedTuple):
    kind: str  # word, text, sign, other or end
    text: str
    column: int


def parse_filter(text: str, fields: Fields = RUN_FIELDS) -> Filter | None:
    """Return the tree of a filter, None for no filter. Raises HostdError INVALID_FILTER."""
    if not text.strip():
        return None
    try:
        if len(text) > CHARS_MAX:
            raise _refused(f"it is longer than {CHARS_MAX} characters")
        return _Parser(_tokens(text), fields).whole()
    except _Refused as refused:
        message = f"the filter cannot be read{refused}"
        raise invalid("INVALID_FILTER", message, fields=fields.known) from None


class _Refused(Exception):
    """Why a filter cannot be read, and where."""


def _refused(message: str, column: int = 0) -> _Refused:
    place = f" at column {column}" if column else ""
    return _Refused(f"{place}: {message}")


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    for match in _TOKEN.finditer(text):  # `other` takes what the language does not have; the parser says where
        kind = match.lastgroup or ""
        found.append(_Token(kind, match[kind], match.start(kind) + 1))
    found.append(_Token("end", "the end", len(text.rstrip()) + 1))
    return found


class _Parser:
    """Recursive descent, bounded in depth and terms."""

    def __init__(self, tokens: list[_Token], fields: Fields) -> None:
        self._tokens = tokens
        self._fields = fields
        self._at = 0
        self._depth = 0
        self._terms = 0

    def whole(self) -> Filter:
        """Return the tree of all tokens."""
        tree = self._any()
        if self._peek.kind != "end":
            raise self._unexpected("&& or || or the end")
        return tree

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def _take(self, sign: str) -> bool:
        if self._peek.text == sign and self._peek.kind != "text":
            self._at += 1
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise self._unexpected(sign)

    def _unexpected(self, wanted: str) -> _Refused:
        return _refused(f"{self._peek.text[:40]} stands where {wanted} should", self._peek.column)

    def _count(self) -> None:
        self._terms += 1
        if self._terms > TERMS_MAX:
            raise _refused(f"it has more than {TERMS_MAX} terms")

    def _any(self) -> Filter:
        terms = [self._all()]
        while self._take("||"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def _all(self) -> Filter:
        terms = [self._not()]
        while self._take("&&"):
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _not(self) -> Filter:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _refused(f"it is nested deeper than {DEPTH_MAX}", self._peek.column)
        try:
            if self._take("!"):
                self._count()
                return Not(self._not())
            if self._take("("):
                tree = self._any()
                self._need(")")
                return tree
            return self._term()
        finally:
            self._depth -= 1

    def _term(self) -> Filter:
        self._count()
        column = self._peek.column
        field, starts_with = self._field()
        if starts_with:
            self._need("(")
            prefix = self._text(field)
            self._need(")")
            if field == "state" or field in _TIMES:
                raise _refused(f"startsWith is for texts, and {field} is none", column)
            return StartsWith(field, prefix)
        if self._take("in"):
            return self._in(field)
        operator = _OPERATORS.get(self._peek.text) if self._peek.kind == "sign" else None
        if operator is None:
            raise self._unexpected("==, !=, <, <=, >, >=, in or .startsWith")
        self._at += 1
        if field == "state" and operator not in ("=", "!="):
            raise _refused("states have no order; say ==, != or in", column)
        return _compared(field, operator, self._value(field))

    def _in(self, field: str) -> Filter:
        self._need("[")
        values: list[str | int] = []
        while not self._take("]"):
            if values:
                self._need(",")
            self._count()
            values.append(self._value(field))
        return _present(field, In(_TIMES.get(field, field), tuple(values)))

    def _field(self) -> tuple[str, bool]:
        """Return a field's name, and whether `.startsWith` follows it."""
        token = self._next()
        if token.kind != "word":
            raise _refused(
                f"{token.text[:40]} stands where a field should; fields are {self._fields.known}", token.column
            )
        field = token.text
        known = self._fields
        if field == "labels" and known.more:
            field = LABELS + self._label(token.column)
        elif field not in (*known.texts, *known.times) and not (field == "state" and known.more):
            near = difflib.get_close_matches(field[:40], [*known.texts, *known.times, "state"], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise _refused(f"{field[:40]} is not an indexed field; fields are {known.known}{hint}", token.column)
        if not self._take("."):
            return field, False
        self._need("startsWith")
        return field, True

    def _label(self, column: int) -> str:
        if self._take("["):
            name = self._text("labels")
            self._need("]")
        else:
            self._need(".")
            token = self._next()
            name = token.text if token.kind == "word" else ""
        if not name or len(name.encode()) > LABEL_BYTES_MAX:
            raise _refused('a label is written labels.NAME or labels["NAME"]', column)
        return name

    def _text(self, field: str) -> str:
        token = self._next()
        if token.kind != "text":
            raise _refused(f"{token.text[:40]} stands where a text in quotes should, for {field}", token.column)
        return re.sub(r"\\(.)", lambda match: _unescaped(match[1], token.column), token.text[1:-1], flags=re.DOTALL)

    def _value(self, field: str) -> str | int:
        column = self._peek.column
        text = self._text(field)
        if field == "state":
            if text not in _STATES:
                raise _refused(f"{text[:40]!r} is not a state; states are {', '.join(_STATES)}", column)
            return _STATES[text]
        if field in _TIMES:
            try:
                return parse_time_ms(text)
            except ValueError as error:
                raise _refused(str(error), column) from None
        return text


def _unescaped(char: str, column: int) -> str:
    if char not in _ESCAPES:
        raise _refused(f"\\{char} is not an escape; there are \\n \\t \\\\ and quotes", column)
    return _ESCAPES[char]


def _compared(field: str, operator: Operator, value: str | int) -> Filter:
    return _present(field, Compare(_TIMES.get(field, field), operator, value))


def _present(field: str, term: Filter) -> Filter:
    """Return the term; a live run has no end_time (0 in the index), so that no comparison with one holds."""
    return And((Compare("ended_at", ">", 0), term)) if field == "end_time" else term
