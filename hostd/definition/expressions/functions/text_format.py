"""`text.format(list)`: the verbs of CEL's strings extension, with a bound on every width."""

from __future__ import annotations

import re
from typing import Any

from hostd.definition.expressions.kinds import described, integral
from hostd.definition.expressions.leaving import text_of
from hostd.definition.expressions.limits import Evaluation
from hostd.definition.expressions.problems import Problem

_VERB = re.compile(r"%(?:%|(?:\.(\d{1,4}))?([a-zA-Z])|(.?))", re.DOTALL | re.ASCII)
_MAX_PRECISION = 100


def format_text(run: Evaluation, pattern: str, values: list[Any]) -> str:
    """Return the pattern with its verbs replaced by the values in order. Raises Problem."""
    run.make_chars(len(pattern))
    parts: list[str] = []
    end = used = 0
    for match in _VERB.finditer(pattern):
        parts.append(pattern[end : match.start()])
        end = match.end()
        if match[0] == "%%":
            parts.append("%")
            continue
        if not match[2]:
            raise Problem("`%` has no verb behind it; %% is the sign itself")
        if used >= len(values):
            raise Problem(f"format has more verbs than values ({len(values)})")
        part = _formatted(match[2], match[1], values[used])
        run.make_chars(len(part))
        parts.append(part)
        used += 1
    parts.append(pattern[end:])
    return "".join(parts)


def _formatted(verb: str, precision: str | None, value: Any) -> str:
    if verb == "s":
        return text_of(value)
    digits = 6 if precision is None else int(precision)
    if digits > _MAX_PRECISION:
        raise Problem(f"a precision is at most {_MAX_PRECISION}")
    if verb in ("f", "e"):
        if type(value) not in (int, float):
            raise Problem(f"%{verb} takes a number, not {described(value)}")
        return f"{float(value):.{digits}{verb}}"
    if verb in ("x", "X") and type(value) is str:
        text = value.encode("utf-8", "surrogatepass").hex()
        return text.upper() if verb == "X" else text
    number = int(value) if type(value) is bool and verb == "b" else integral(value)
    if verb not in "dxXob":
        raise Problem(f"%{verb} is no verb; they are %s %d %f %e %x %X %o %b and %%")
    if number is None:
        raise Problem(f"%{verb} takes a whole number, not {described(value)}")
    return f"{number:{verb}}"
