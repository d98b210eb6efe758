"""Spans as data: what happened, from when to when, in which trace. Nothing here knows who takes them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

from hostd.aio import Clock
from hostd.values.trace import Trace, is_sampled, trace_of

SpanKind = Literal["internal", "server", "producer", "consumer"]
Attributes = dict[str, str | int | bool]


class Span(NamedTuple):
    """One span that has ended. Times are milliseconds since the epoch; an empty `error` is success."""

    name: str
    trace: Trace
    parent_id: str
    began_ms: float
    ended_ms: float
    kind: SpanKind = "internal"
    attributes: Mapping[str, str | int | bool] = MappingProxyType({})
    error: str = ""


class SpanSink(Protocol):
    """Takes spans on the event loop; never blocks, never raises."""

    def take(self, span: Span) -> None: ...


class LiveSpan:
    """One span that has begun. `end` it once; `trace.text()` is the context of what happens inside."""

    def __init__(
        self, name: str, trace: Trace, parent_id: str, *, kind: SpanKind, clock: Clock, sink: SpanSink
    ) -> None:
        self.name = name
        self.trace = trace
        self.attributes: Attributes = {}
        self._parent_id = parent_id
        self._kind: SpanKind = kind
        self._clock = clock
        self._sink = sink
        self._began_s = clock.monotonic_s()
        self._began_ms = clock.wall_ms()

    def end(self, error: str = "") -> None:
        """Hand the span on, where its trace is recorded."""
        if self.trace.sampled:
            ended_ms = self._began_ms + (self._clock.monotonic_s() - self._began_s) * 1000
            times = (float(self._began_ms), ended_ms)
            self._sink.take(Span(self.name, self.trace, self._parent_id, *times, self._kind, self.attributes, error))


def begin_span(name: str, text: str, *, kind: SpanKind, share: float, clock: Clock, sink: SpanSink) -> LiveSpan:
    """Begin a span in the trace a kept text says, or in one of its own where it says none."""
    above = trace_of(text)
    if above is None:
        trace_id = secrets.token_hex(16)
        above = Trace(trace_id, "", is_sampled(trace_id, share))
    own = above._replace(span_id=secrets.token_hex(8))
    return LiveSpan(name, own, above.span_id, kind=kind, clock=clock, sink=sink)
