"""The bounds of `lua.limits` in the configuration are those that scripts are built for."""

from typing import Any

import pytest

from hostd.config.rooms import LuaLimits
from hostd.lua.limits import LIMIT_ROWS

NAMES = {"cpu": "cpu_ms", "slice": "wall_ms", "coroutines": "coroutines", "host_calls": "host_calls"}


@pytest.mark.parametrize("key", sorted(LuaLimits.model_fields))
def test_the_configuration_takes_nothing_that_scripts_cannot_keep(key: str) -> None:
    """docs/reference/lua.md promises the highest value; the configuration must not let more through."""
    row = LIMIT_ROWS[NAMES.get(key, f"{key}_bytes")]
    marks = LuaLimits.model_fields[key].metadata
    low, high = (_number(key, [getattr(mark, arm) for mark in marks if hasattr(mark, arm)]) for arm in ("ge", "le"))
    assert max(low) >= row.lowest
    assert min(high) == row.highest


def _number(key: str, bounds: list[Any]) -> list[int]:
    return [round(bound.total_seconds() * 1_000) if key in ("cpu", "slice") else bound for bound in bounds]
