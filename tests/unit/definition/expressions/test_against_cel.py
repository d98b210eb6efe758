"""Against Google's implementation: random expressions have the same value, or fail in both.

Numbers are floats on both sides, because int and float mix here and not there; division is left to cases of its own.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostd.definition.expressions.plain import evaluate_plain
from hostd.errors.base import HostdError

cel = pytest.importorskip("cel_expr_python.cel")

CONTEXT: dict[str, Any] = {
    "n": 2.5,
    "s": "héllo",
    "e": "",
    "b": True,
    "z": None,
    "l": [1.5, -2.5, 0.25],
    "t": ["a", "héllo", ""],
    "mixed": [1.5, "a", None, True, [0.5], {"k": 1.5}],
    "m": {"k": 1.5, "s": "x", "deep": {"k": None}, "l": [0.5]},
}
FAILED = object()
EARLIEST = datetime(1, 1, 2, tzinfo=UTC).replace(tzinfo=None)
ENVIRONMENT = cel.NewEnv(variables=dict.fromkeys(CONTEXT, cel.Type.DYN))

# What may stand for a kind. Capital words are kinds, V is the variable of the macro around it, and so may be of any.
# Maps are walked only where they have one key: CEL gives them no order. `string` gets what is a bool or a text for
# sure: of null, lists and maps ours makes a text, and CEL fails.
_RULES = {
    kind: [rule.strip() for rule in re.split(r"\s;\s", rules)]
    for kind, rules in {
        "NUM": r"""
            n ; 0.5 ; 1.5 ; -2.5 ; 1e10 ; -0.125 ; m.k ; m['k'] ; l[0] ; m.l[0] ; V ; (NUM + NUM) ; (NUM - NUM)
            ; (NUM * NUM) ; -(NUM) ; (BOOL ? NUM : NUM) ; (LIST)[0] ; double(NUM) ; double('1.5') ; {'k': NUM}.k
            ; m.no
        """,
        "TEXT": r"""
            s ; e ; 'a' ; '' ; 'l\u006c' ; r'\n' ; 'é' ; m.s ; t[1] ; V ; (TEXT + TEXT) ; (BOOL ? TEXT : TEXT) ;
            string(!(BOOL)) ; string('' + (TEXT)) ; (TEXTS)[1] ; {'k': TEXT}['k']
        """,
        "BOOL": r"""
            b ; true ; false ; V ; (NUM < NUM) ; (NUM >= NUM) ; (TEXT <= TEXT) ; (TEXT > TEXT) ; (BOOL < BOOL) ;
            (ANY == ANY) ; (NUM == NUM) ; (LIST == LIST) ; (TEXT != TEXT) ; (MAP == MAP) ; !(BOOL) ; (BOOL &&
            BOOL) ; (BOOL || BOOL) ; (ODD || BOOL) ; (BOOL && ODD) ; (ODD && BOOL || ODD) ; (BOOL ? BOOL : BOOL)
            ; (NUM in LIST) ; (TEXT in TEXTS) ; (TEXT in MAP) ; (ANY in mixed) ; has(m.k) ; has((MAP).k) ;
            has(m.no) ; has(m.deep.k) ; (TEXT).contains(TEXT) ; (TEXT).startsWith(TEXT) ; (TEXT).endsWith(TEXT)
            ; (TEXT).matches('l+') ; (TEXT).matches('^(a|h)') ; matches(TEXT, '^.?$') ; (size(TEXT) ==
            size(TEXT)) ; ((LIST).size() == 2) ; (size(MAP) == 1) ; (LIST).all(v, BOOL) ; (LIST).exists(v, BOOL)
            ; (TEXTS).exists_one(v, BOOL) ; (MAP).exists(v, BOOL) ; mixed.exists(v, BOOL) ; mixed.all(v, ODD) ;
            bool('true')
        """,
        "LIST": r"""
            l ; m.l ; [] ; [NUM] ; [NUM, NUM] ; (LIST + LIST) ; (LIST).filter(v, BOOL) ; (LIST).map(v, NUM) ;
            (LIST).map(v, BOOL, NUM) ; (TEXTS).map(v, NUM) ; (BOOL ? LIST : LIST)
        """,
        "TEXTS": r"""
            t ; [TEXT] ; [TEXT, TEXT] ; (TEXTS + TEXTS) ; (TEXTS).filter(v, BOOL) ; (LIST).map(v, TEXT) ;
            m.deep.filter(v, BOOL) ; {'k': NUM}.map(v, v)
        """,
        "MAP": r"""
            m ; m.deep ; {} ; {'k': ANY} ; {'k': NUM, 's': ANY} ; {TEXT: NUM} ; (BOOL ? MAP : MAP)
        """,
        "ANY": r"""
            NUM ; TEXT ; BOOL ; LIST ; TEXTS ; MAP ; z ; null ; m.deep.k ; mixed ; mixed[2]
        """,
        "ODD": r"""
            BOOL ; BOOL ; ANY ; (ANY < ANY) ; (ANY + ANY) ; m.no ; z.k ; (ANY in ANY) ; (ANY).contains(ANY) ;
            !(ANY) ; (ANY)[ANY]
        """,
    }.items()
}
_KIND = re.compile(r"\b(NUM|TEXTS|TEXT|BOOL|LIST|MAP|ANY|ODD)\b")


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """Return an expression grown from the rules: kinds mostly fit, so that most of them have a value."""

    def grow(kind: str, depth: int, inside: bool) -> str:
        rules = _RULES[kind] if depth else [rule for rule in _RULES[kind] if not _KIND.search(rule)] or ["null"]
        rule = draw(st.sampled_from([one for one in rules if inside or one != "V"]))
        body = inside or "(v, " in rule
        grown = _KIND.sub(lambda match: grow(match[1], depth - 1, body if match.start() > 6 else inside), rule)
        return "v" if grown == "V" else grown

    return grow(draw(st.sampled_from(sorted(_RULES))), draw(st.integers(1, 4)), inside=False)


EXPRESSIONS = expressions()


def _theirs(source: str) -> Any:
    try:
        value = ENVIRONMENT.compile(source, disable_check=True).eval(data=CONTEXT)
    except RuntimeError:
        return FAILED
    return FAILED if value.type().name() in ("ERROR", "UNKNOWN") else _plain(value.plain_value())


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        return FAILED if FAILED in items else items
    if isinstance(value, dict):
        made = {key: _plain(item) for key, item in value.items()}
        return FAILED if FAILED in made.values() else made
    return FAILED if isinstance(value, float) and not math.isfinite(value) else value


def _ours(source: str) -> Any:
    try:
        return evaluate_plain(source, CONTEXT, now_ms=0)
    except HostdError as error:
        return FAILED if error.reason in ("EXPRESSION_FAILED", "EXPRESSION_INVALID") else error


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key]) for key in ours)
    return bool(ours == theirs)


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS)
def test_same_value_as_cel(source: str) -> None:
    """A random expression over floats has the value CEL gives it, and fails where CEL fails."""
    ours, theirs = _ours(source), _theirs(source)
    assert _same(ours, theirs), f"{source}: {ours!r} here, {theirs!r} there"


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(EXPRESSIONS)
def test_same_value_as_cel_for_long(source: str) -> None:
    """The same, many times."""
    assert _same(_ours(source), _theirs(source)), source


_INTS = st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9)


@settings(max_examples=300, deadline=None)
@given(_INTS, st.sampled_from(["+", "-", "*", "%", "==", "<", ">="]), _INTS)
def test_same_int_arithmetic_as_cel(left: int, operator: str, right: int) -> None:
    """Whole numbers calculate as in CEL, overflow included."""
    source = f"{left} {operator} {right}"
    assert _same(_ours(source), _theirs(source))


@settings(max_examples=300, deadline=None)
@given(_INTS, _INTS)
def test_intdiv_is_division_of_cel(left: int, right: int) -> None:
    """intdiv is what `/` of whole numbers is in CEL."""
    assert _same(_ours(f"intdiv({left}, {right})"), _theirs(f"{left} / {right}"))


@settings(max_examples=300, deadline=None)
@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["+", "-", "*", "/", "<", "=="]),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_same_float_arithmetic_as_cel(left: float, operator: str, right: float) -> None:
    """Floats calculate as in CEL, but for results that are no numbers."""
    source = f"double('{left!r}') {operator} double('{right!r}')"
    assert _same(_ours(source), _theirs(source))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12))
def test_text_literals_as_in_cel(text: str) -> None:
    """Every text survives being written as a literal with escapes, in both."""
    escaped = "".join(f"\\U{ord(char):08x}" for char in text)
    assert _ours(f"'{escaped}'") == _theirs(f"'{escaped}'") == text


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(timezones=st.just(UTC), min_value=EARLIEST),
    st.sampled_from(
        [
            "getFullYear",
            "getMonth",
            "getDate",
            "getDayOfMonth",
            "getDayOfWeek",
            "getDayOfYear",
            "getHours",
            "getMinutes",
            "getSeconds",
            "getMilliseconds",
        ]
    ),
    st.sampled_from(["", "'UTC'", "'Europe/Berlin'", "'-03:30'"]),
)
def test_calendar_as_in_cel(moment: Any, getter: str, zone: str) -> None:
    """The parts of a moment are those of CEL, in every zone."""
    source = f"timestamp('{moment.isoformat().replace('+00:00', 'Z')}').{getter}({zone})"
    assert _same(_ours(source), _theirs(source)), source
