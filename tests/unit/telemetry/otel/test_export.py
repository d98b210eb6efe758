"""Spans and metrics on their way: what the libraries make of them, and a receiver that is not there."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from otlp_receiver import OtlpReceiver

from hostd.aio import SystemClock
from hostd.telemetry.meter import Meter
from hostd.telemetry.otel import export
from hostd.telemetry.otel.export import OtelExport
from hostd.telemetry.otel.target import Target
from hostd.telemetry.otel.wire import Wire
from hostd.telemetry.spans import Span
from hostd.values.trace import Trace

PLACE = Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", True, "a=1")


def target(endpoint: str) -> Target:
    """Return a target for both signals."""
    return Target(f"{endpoint}/v1/traces", f"{endpoint}/v1/metrics", {}, 1.0, 3600)


def test_a_span_arrives_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids, times, kind, state, attributes and error; one that is not sampled stays here; the name is the variable's."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=ours,team=a")
    with OtlpReceiver() as receiver:
        wire = Wire(target(receiver.endpoint), queue_max=1_000)
        wire.span(Span("one", PLACE, "1" * 16, 1_000.5, 2_000, "server", {"n": 1, "b": True, "t": "x"}, "BAD: why"))
        wire.span(Span("two", PLACE._replace(sampled=False), "", 1, 2))
        wire.close()
    [span] = receiver.spans
    assert (span.name, span.trace_id, span.span_id, span.parent_id) == ("one", *PLACE[:2], "1" * 16)
    assert (span.began_ns, span.ended_ns, span.kind, span.state) == (1_000_500_000, 2_000_000_000, 2, "a=1")
    assert (span.attributes, span.error) == ({"n": 1, "b": True, "t": "x"}, "BAD: why")
    assert receiver.resources[0]["service.name"] == "ours"
    assert receiver.resources[0]["team"] == "a"


async def test_what_waits_is_sent_at_the_end() -> None:
    """Closing sends spans and metrics that no period has sent yet; nothing is taken afterwards."""
    meter = Meter()
    meter.counter("hostd_runs_ended_total", outcome="SUCCEEDED").inc(3)
    with OtlpReceiver() as receiver:
        sender = OtelExport(target(receiver.endpoint), meter=meter, clock=SystemClock())
        await sender.start()
        sender.take(Span("one", PLACE, "", 1, 2))
        await sender.close()
        sender.take(Span("late", PLACE, "", 1, 2))
    assert [span.name for span in receiver.spans] == ["one"]
    assert receiver.metrics["hostd_runs_ended_total"].sum.data_points[0].as_double == 3


@pytest.mark.filterwarnings("ignore")
async def test_a_receiver_that_is_gone_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans past the queue are dropped, and the end comes though nobody takes them."""
    monkeypatch.setattr(export, "CLOSE_S", 0.2)
    with socket.socket() as silent:  # takes connections, and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        sender = OtelExport(target(address)._replace(metrics=""), meter=Meter(), clock=SystemClock())
        await sender.start()
        for number in range(export.QUEUE_SPANS_MAX + 10):
            sender.take(Span(f"s{number}", PLACE, "", 1, 2))
        await sender.close()


def test_nothing_is_imported_where_nothing_is_sent() -> None:
    """A daemon's modules bring none of OpenTelemetry's; only a target does."""
    code = "import sys, hostd.daemon, hostd.api.server, hostd.http.server; print([*sys.modules].count('opentelemetry'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "0\n"
