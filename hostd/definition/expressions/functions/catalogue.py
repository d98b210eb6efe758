"""All functions of the language, and what to say about a name that is none of them."""

from __future__ import annotations

import difflib

from hostd.definition.expressions.functions.chance import CHANCE
from hostd.definition.expressions.functions.clock import CLOCK
from hostd.definition.expressions.functions.encoding import ENCODING
from hostd.definition.expressions.functions.forms import FORMS, STATUS_FUNCTIONS
from hostd.definition.expressions.functions.lists import LISTS
from hostd.definition.expressions.functions.numbers import NUMBERS
from hostd.definition.expressions.functions.patterns import PATTERNS
from hostd.definition.expressions.functions.registry import Function
from hostd.definition.expressions.functions.texts import TEXTS

FAMILIES = (FORMS, STATUS_FUNCTIONS, TEXTS, PATTERNS, NUMBERS, LISTS, CLOCK, ENCODING, CHANCE)
FUNCTIONS: dict[str, Function] = {one.name: one for family in FAMILIES for one in family.functions}

ALIASES = {  # names of CEL's extensions: the same functions
    "double": "float",
    "json": "json.format",
    "unique": "distinct",
    "math.abs": "abs",
    "math.ceil": "ceil",
    "math.floor": "floor",
    "math.round": "round",
    "math.trunc": "trunc",
    "math.sign": "sign",
    "math.sqrt": "sqrt",
    "math.least": "min",
    "math.greatest": "max",
    "lists.range": "range",
}
FUNCTIONS.update({alias: FUNCTIONS[name] for alias, name in ALIASES.items()})

NAMESPACES = frozenset(name.partition(".")[0] for name in FUNCTIONS if "." in name)

_MEANT = {
    "len": "size",
    "length": "size",
    "count": "size",
    "tojson": "json.format",
    "stringify": "json.format",
    "fromjson": "json.parse",
    "parsejson": "json.parse",
    "tolower": "lower",
    "tolowercase": "lower",
    "lowercase": "lower",
    "toupper": "upper",
    "touppercase": "upper",
    "uppercase": "upper",
    "strip": "trim",
    "str": "string",
    "tostring": "string",
    "number": "float",
    "coalesce": "default",
    "ifnull": "default",
    "get": "default",
    "any": "exists",
    "some": "exists",
    "every": "all",
    "includes": "contains",
    "starts_with": "startsWith",
    "ends_with": "endsWith",
    "success": "succeeded",
    "failure": "failed",
    "cancelled": "canceled",
    "date": "timestamp",
    "avg": "sum",
    "mean": "sum",
    "uuid4": "uuid",
    "sha": "sha256",
    "quote": "strings.quote",
    "urlencode": "url.encode",
    "extract": "regex.extract",
    "strftime": "formatTime",
    "format_time": "formatTime",
    "items": "entries",
    "substr": "substring",
    "idiv": "intdiv",
}
_REFUSED = {
    "uint": ("unsigned numbers do not exist here", "write int(x)"),
    "bytes": ("bytes do not exist here", "use the text itself"),
    "if": ("`if` is not a function", "write test ? a : b"),
    "sortBy": ("there is no `sortBy`", "a lua.script step sorts by anything"),
}


def unknown_function(name: str) -> tuple[str, str]:
    """Return message and suggestion for a name that is no function."""
    if name in _REFUSED:
        return _REFUSED[name]
    meant = _MEANT.get(name.lower().removeprefix("math.").removeprefix("strings.").removeprefix("lists."), "")
    if not meant:
        lowered = {known.lower(): known for known in FUNCTIONS}
        close = difflib.get_close_matches(name[:80].lower(), lowered, n=1, cutoff=0.6)
        meant = lowered[close[0]] if close else ""
    return f"there is no function `{name[:80]}`", f"did you mean {FUNCTIONS[meant].usage}?" if meant else ""
