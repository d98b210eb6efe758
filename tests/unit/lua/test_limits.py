"""Limits: bounds for operators above, for workflows below."""

from __future__ import annotations

import msgspec
import pytest

from hostd.errors.base import HostdError
from hostd.lua.limits import DEFAULT_LIMITS, LIMIT_ROWS, lowered, raised


def test_every_limit_has_a_row_and_a_default_within_its_bounds() -> None:
    """The struct and the table name the same limits, and no default lies outside its own bounds."""
    defaults = msgspec.structs.asdict(DEFAULT_LIMITS)
    assert list(defaults) == list(LIMIT_ROWS)
    for name, row in LIMIT_ROWS.items():
        assert row.lowest <= defaults[name] <= row.highest


def test_operators_raise_and_workflows_lower() -> None:
    """A workflow gets less than the operator's value, never more, and nobody leaves the bounds."""
    ceiling = raised({"cpu_ms": 5_000})
    assert lowered({"cpu_ms": 2_000}, ceiling).cpu_ms == 2_000
    for attempt in (lambda: lowered({"cpu_ms": 5_001}, ceiling), lambda: raised({"cpu_ms": 60_001})):
        with pytest.raises(HostdError, match="cpu_ms must be an integer from 10 to"):
            attempt()


def test_all_faults_are_listed() -> None:
    """An unknown name and a bad value are reported together, each with the name it concerns."""
    with pytest.raises(HostdError) as caught:
        raised({"cpu": 1, "log_bytes": -1})
    assert [fault.path for fault in caught.value.violations] == ["cpu", "log_bytes"]
