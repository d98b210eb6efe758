"""The version of the plugin API, and the ranges plugins ask for.

A minor only adds; a major is served beside the old one for a year.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

API = "1.0"
"""Version of this SDK's contract, `major.minor`."""

ANY = ">=1.0,<2"
"""What a plugin that says nothing asks for."""

_PART = re.compile(r"\s*(>=|<=|==|<|>)\s*(\d+)(?:\.(\d+))?\s*")
_TESTS: dict[str, Callable[[tuple[int, int], tuple[int, int]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


def accepts(wanted: str, version: str = API) -> bool:
    """Say whether an API version lies in a range such as `>=1.0,<2`.

    Raises:
        ValueError: the range cannot be read.
    """
    major, _, minor = version.partition(".")
    have = (int(major), int(minor or 0))
    result = True
    for part in wanted.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{wanted!r} is not an API range such as '>=1.0,<2'")
        test, wanted_major, wanted_minor = match.groups()
        result = result and _TESTS[test](have, (int(wanted_major), int(wanted_minor or 0)))
    return result
