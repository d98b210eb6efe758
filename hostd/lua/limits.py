"""What a script may use. Every limit has a default, a lower bound for workflows and an upper one for operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from hostd.errors.base import Violation, invalid

KIB, MIB = 1 << 10, 1 << 20


class ScriptLimits(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The limits of one run. Units stand in the names; sizes count bytes."""

    cpu_ms: int = 1_000
    wall_ms: int = 2_000
    memory_bytes: int = 32 * MIB
    source_bytes: int = 64 * KIB
    input_bytes: int = MIB
    output_bytes: int = MIB
    reply_bytes: int = MIB
    string_bytes: int = 8 * MIB
    pattern_bytes: int = 256
    coroutines: int = 10_000
    host_calls: int = 500
    log_bytes: int = 64 * KIB


class LimitRow(NamedTuple):
    """One limit: the name a breach reports, and its bounds."""

    breach: str
    lowest: int
    highest: int
    what: str


LIMIT_ROWS: dict[str, LimitRow] = {
    "cpu_ms": LimitRow("cpu", 10, 60_000, "CPU time of the whole run"),
    "wall_ms": LimitRow(
        "wall",
        100,
        120_000,
        "one stretch of computing; waiting for the host does not count; for a plugin that starts a call waits so long",
    ),
    "memory_bytes": LimitRow("memory", 4 * MIB, 512 * MIB, "what Lua holds at once"),
    "source_bytes": LimitRow("source", 1, MIB, "the script's text"),
    "input_bytes": LimitRow("input", 2, 16 * MIB, "the input's JSON text"),
    "output_bytes": LimitRow("output", 2, 16 * MIB, "JSON text of the result, and of each host call's argument"),
    "reply_bytes": LimitRow("reply", 2, 16 * MIB, "JSON text of each host call's reply"),
    "string_bytes": LimitRow("string", KIB, 64 * MIB, "one string made by a library function"),
    "pattern_bytes": LimitRow(
        "", 16, 4 * KIB, "a pattern of find, match, gmatch or gsub; a longer one is an error, not a breach"
    ),
    "coroutines": LimitRow("coroutines", 0, 1_000_000, "coroutines created"),
    "host_calls": LimitRow("host_calls", 0, 100_000, "calls to the host"),
    "log_bytes": LimitRow("log", 0, 4 * MIB, "log lines, each counting 16 bytes beside its text"),
}

DEFAULT_LIMITS = ScriptLimits()


def raised(overrides: Mapping[str, int]) -> ScriptLimits:
    """Return the defaults with an operator's values. Raises OPTION_INVALID listing every value out of bounds."""
    faults = [fault for name, value in overrides.items() if (fault := _fault(name, value, ceiling=None))]
    if faults:
        raise invalid("OPTION_INVALID", faults[0].message, violations=tuple(faults))
    return msgspec.structs.replace(DEFAULT_LIMITS, **dict(overrides))


def lowered(overrides: Mapping[str, int], ceiling: ScriptLimits) -> ScriptLimits:
    """Return the operator's limits with a workflow's lower ones. Raises OPTION_INVALID listing every fault."""
    faults = [fault for name, value in overrides.items() if (fault := _fault(name, value, ceiling=ceiling))]
    if faults:
        raise invalid("OPTION_INVALID", faults[0].message, violations=tuple(faults))
    return msgspec.structs.replace(ceiling, **dict(overrides))


def _fault(name: str, value: int, *, ceiling: ScriptLimits | None) -> Violation | None:
    row = LIMIT_ROWS.get(name)
    if row is None:
        return Violation(name, "OPTION_INVALID", f"there is no limit {name!r}; known: {', '.join(LIMIT_ROWS)}")
    highest = row.highest if ceiling is None else getattr(ceiling, name)
    if type(value) is not int or not row.lowest <= value <= highest:
        return Violation(name, "OPTION_INVALID", f"{name} must be an integer from {row.lowest} to {highest}")
    return None
