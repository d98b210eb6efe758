"""One script run in nouns: what goes in, what comes out."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.lua.limits import DEFAULT_LIMITS, ScriptLimits


class ScriptCall(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A script to run.

    Args:
        input: JSON text, under the number rule.
        chunk_name: stands before line numbers in messages; at most 50 characters count.
        ctx: `workflow`, `run`, `step`, `attempt`, as the script will see them.
        time_ms: the only time the script sees, milliseconds since 1970 UTC.
        seed: seeds its random numbers; the first 16 bytes count.
        capabilities: host calls it may make.
        share: whose turn it takes when workers or processors are scarce: its namespace and workflow.
    """

    source: str
    input: bytes = b"null"
    chunk_name: str = "script"
    ctx: dict[str, str | int] = msgspec.field(default_factory=dict)
    limits: ScriptLimits = DEFAULT_LIMITS
    time_ms: int = 0
    seed: bytes = b""
    capabilities: frozenset[str] = frozenset()
    share: tuple[str, ...] = ()


class FailureReason(StrEnum):
    """The reasons a script's step fails with."""

    SCRIPT_INVALID = "SCRIPT_INVALID"
    SCRIPT_ERROR = "SCRIPT_ERROR"
    SCRIPT_LIMIT = "SCRIPT_LIMIT"


class ScriptFailure(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Why a script gave no result.

    Args:
        code: what the script or the failing host call gave; "" for none.
        limit: name of the limit for SCRIPT_LIMIT, else "".
        line: counted from 1; 0 when not known.
    """

    reason: FailureReason
    message: str
    code: str = ""
    retryable: bool = False
    limit: str = ""
    line: int = 0


class Usage(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the run took. CPU and memory are 0 when its worker was killed before it could say."""

    cpu_ms: float = 0.0
    wall_ms: float = 0.0
    memory_bytes: int = 0
    host_calls: int = 0


class ScriptResult(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How a run ended: `output` is JSON text, or None and `failure` says why. `logs` are (level, message) in order."""

    output: bytes | None = None
    failure: ScriptFailure | None = None
    logs: tuple[tuple[str, str], ...] = ()
    usage: Usage = Usage()


class ScriptLost(HostdError):
    """The worker died, and not by the script's doing. Nobody knows how far it came; run it again from its start."""

    def __init__(self, why: str) -> None:
        super().__init__(
            Kind.UNAVAILABLE,
            "SCRIPT_LOST",
            f"the script's worker process was lost ({why}); run it again",
            retry_after_s=0.0,
        )
