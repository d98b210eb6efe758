"""Which trace things belong to, how they name it to others, and who takes their spans; one per daemon.

While nobody takes spans only texts are handled: what came in goes out unchanged, and what came without a trace goes out
without one.
"""

from __future__ import annotations

from hostd.aio import Clock
from hostd.telemetry.spans import LiveSpan, SpanKind, SpanSink, begin_span
from hostd.values.trace import Trace, headers_of, is_sampled, run_trace_id, span_of, trace_of

NO_HEADERS: dict[str, str] = {}


class Tracing:
    """Begins spans, and says how attempts name their trace.

    Attributes:
        sink: takes spans; None while they are sent nowhere.
        share: of the traces that nobody decided about, how many are recorded, 0 to 1.
    """

    def __init__(self, clock: Clock) -> None:
        self.sink: SpanSink | None = None
        self.share = 1.0
        self._clock = clock

    def begin(self, name: str, text: str, kind: SpanKind) -> LiveSpan | None:
        """Begin a span in the trace that came in (`text`, may be empty); None while they are sent nowhere."""
        if self.sink is None:
            return None
        return begin_span(name, text, kind=kind, share=self.share, clock=self._clock, sink=self.sink)

    def run(self, run_id: str, text: str) -> Trace:
        """Return a run's own place, whatever it was started in (`text`)."""
        came = trace_of(text)
        state = came.state if came is not None else ""
        return Trace(run_trace_id(run_id, text), span_of(run_id), self.records(run_id, text), state)

    def records(self, run_id: str, text: str) -> bool:
        """Say whether a run is recorded: as whoever started it decided, else by its share."""
        if text:
            return text.partition(" ")[0].endswith("01")
        return self.share >= 1.0 or (self.share > 0.0 and is_sampled(run_trace_id(run_id, ""), self.share))

    def headers(self, run_id: str, step: str, attempt: int, text: str) -> dict[str, str]:
        """Return the headers of what an attempt sends to others; none where there is no trace."""
        if self.sink is not None:
            return self.run(run_id, text)._replace(span_id=span_of(run_id, step, attempt)).headers()
        return headers_of(text) if text else NO_HEADERS
