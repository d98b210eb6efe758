"""Which trace things belong to, and spans that begin and end here."""

from __future__ import annotations

from clocks import HandClock

from hostd.telemetry.spans import Span
from hostd.telemetry.tracing import Tracing
from hostd.values.trace import run_trace_id, span_of

TRACE_ID, ABOVE = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE_ID}-{ABOVE}-01"


class Kept:
    """A sink."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def take(self, span: Span) -> None:
        """Keep it."""
        self.spans.append(span)


def test_without_a_sink_only_texts_go_through() -> None:
    """What came in goes out unchanged, nothing is made up, and no span begins."""
    tracing = Tracing(HandClock())
    assert tracing.headers("r", "s", 1, f"{PARENT} a=1") == {"traceparent": PARENT, "tracestate": "a=1"}
    assert tracing.headers("r", "s", 1, "") == {}
    assert tracing.begin("x", PARENT, "server") is None


def test_with_a_sink_attempts_are_the_parents_of_what_they_send() -> None:
    """The caller's decision holds; for runs that nobody decided about the share does."""
    tracing = Tracing(HandClock())
    tracing.sink = Kept()
    own = span_of("r", "s", 2)
    assert tracing.headers("r", "s", 2, PARENT) == {"traceparent": f"00-{TRACE_ID}-{own}-01"}
    assert tracing.headers("r", "s", 2, PARENT[:-2] + "00") == {"traceparent": f"00-{TRACE_ID}-{own}-00"}
    assert tracing.headers("r", "s", 2, "") == {"traceparent": f"00-{run_trace_id('r', '')}-{own}-01"}
    tracing.share = 0.0
    assert tracing.headers("r", "s", 2, "")["traceparent"].endswith("-00")
    assert tracing.run("r", PARENT).sampled


def test_a_span_takes_as_long_as_it_takes() -> None:
    """It has the caller's span as parent, and is taken once it has ended, unless its trace is not recorded."""
    clock, sink = HandClock(), Kept()
    tracing = Tracing(clock)
    tracing.sink = sink
    span = tracing.begin("call", f"{PARENT} a=1", "server")
    quiet = tracing.begin("quiet", PARENT[:-2] + "00", "server")
    assert span is not None and quiet is not None
    span.attributes["n"] = 1
    quiet.end()
    span.end("BAD")
    [taken] = sink.spans
    assert (taken.name, taken.parent_id, taken.trace.trace_id, taken.trace.state) == ("call", ABOVE, TRACE_ID, "a=1")
    assert (taken.error, dict(taken.attributes), taken.ended_ms >= taken.began_ms) == ("BAD", {"n": 1}, True)
    assert span.trace.text() == f"00-{TRACE_ID}-{span.trace.span_id}-01 a=1"
