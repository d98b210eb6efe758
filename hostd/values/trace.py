"""W3C trace context as texts: what came in, and the ids of a run, its steps and attempts within the trace.

A context is kept as one text: the `traceparent`, and behind a space the `tracestate` where there is one. Ids of spans
are made of names, not of chance: whoever owns a run next, after a crash too, makes the same ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

TRACESTATE_CHARS_MAX = 512
_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_STATE = re.compile(r"[\x20-\x7e]+")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_TOP = 1 << 64


class Trace(NamedTuple):
    """Where something stands in a trace. Ids are in lower-case hexadecimal."""

    trace_id: str
    span_id: str
    sampled: bool
    state: str = ""

    def headers(self) -> dict[str, str]:
        """Return it as the two headers; they are also CloudEvents' extension attributes."""
        parent = f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"
        return {"traceparent": parent, "tracestate": self.state} if self.state else {"traceparent": parent}

    def text(self) -> str:
        """Return it as one text, as it is kept."""
        return " ".join(self.headers().values())


def read_trace(traceparent: object, tracestate: object = "") -> str:
    """Return what came in as one text; empty for none, and for one that the standard says to ignore."""
    found = _PARENT.fullmatch(traceparent) if isinstance(traceparent, str) and len(traceparent) <= 200 else None
    if found is None or found[1] == "ff" or found[2] == _NO_TRACE or found[3] == _NO_SPAN:
        return ""
    if found[1] == "00" and found[5]:
        return ""
    text = f"00-{found[2]}-{found[3]}-{'01' if int(found[4], 16) & 1 else '00'}"
    if isinstance(tracestate, str) and 0 < len(tracestate) <= TRACESTATE_CHARS_MAX and _STATE.fullmatch(tracestate):
        return f"{text} {tracestate.strip()}".rstrip()
    return text


def event_trace(attributes: Mapping[str, object]) -> str:
    """Return the trace an event was sent in, by CloudEvents' distributed tracing extension; empty for none."""
    if "traceparent" not in attributes:
        return ""
    return read_trace(attributes["traceparent"], attributes.get("tracestate", ""))


def trace_of(text: str) -> Trace | None:
    """Return what a kept text says, None for none."""
    if not text:
        return None
    parent, _, state = text.partition(" ")
    return Trace(parent[3:35], parent[36:52], parent.endswith("01"), state)


def headers_of(text: str) -> dict[str, str]:
    """Return a kept text as headers."""
    parent, _, state = text.partition(" ")
    return {"traceparent": parent, "tracestate": state} if state else {"traceparent": parent} if parent else {}


def run_trace_id(run_id: str, text: str) -> str:
    """Return the id of a run's trace: the one it was started in, else one made of its own id."""
    return text[3:35] if text else _digest(16, "trace", run_id)


def span_of(run_id: str, step: str = "", attempt: int = 0) -> str:
    """Return the id of the span of a run, of one of its steps, or of one of the step's attempts."""
    return _digest(8, "span", run_id, step, str(attempt))


def is_sampled(trace_id: str, share: float) -> bool:
    """Say whether a trace that nobody decided about is recorded; the same for all who know its id."""
    return int(trace_id[16:], 16) < share * _TOP


def _digest(size: int, *words: str) -> str:
    return hashlib.blake2b("\x00".join(words).encode(), digest_size=size).hexdigest()
