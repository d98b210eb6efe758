"""Spans and metrics as OpenTelemetry's libraries want them. Blocks; imported on use, by export.py."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from hostd.telemetry.meter import Distribution, Reading
from hostd.telemetry.otel.exporters import metric_exporter, span_exporter
from hostd.telemetry.otel.target import Target
from hostd.telemetry.spans import Span
from hostd.values.trace import Trace
from hostd.values.version import VERSION

_KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_SCOPE = InstrumentationScope("hostd", VERSION)
_SCHEMA = ""
_NO_EXTREMES: tuple[Any, Any] = (None, None)  # they are not kept


class Wire:
    """The receivers of one target. Every method blocks."""

    def __init__(self, target: Target) -> None:
        self._resource = _resource()
        self._began_ns = time.time_ns()  # noqa: TID251 the receiver's clock is the system's
        self._traces = span_exporter(target.traces) if target.traces is not None else None
        self._metrics = metric_exporter(target.metrics) if target.metrics is not None else None

    def spans(self, spans: Sequence[Span]) -> bool:
        """Send spans that are sampled; say whether they were taken."""
        if self._traces is None:
            return False
        return self._traces.export([self._readable(span) for span in spans]) is SpanExportResult.SUCCESS

    def _readable(self, span: Span) -> ReadableSpan:
        parent = _context(span.trace._replace(span_id=span.parent_id), remote=True) if span.parent_id else None
        return ReadableSpan(
            span.name,
            context=_context(span.trace),
            parent=parent,
            resource=self._resource,
            attributes=dict(span.attributes),
            kind=_KINDS[span.kind],
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.UNSET),
            start_time=round(span.began_ms * 1_000_000),
            end_time=round(span.ended_ms * 1_000_000),
            instrumentation_scope=_SCOPE,
        )

    def metrics(self, readings: Sequence[Reading], at_ms: int) -> bool:
        """Send all metrics as they are; say whether they were taken."""
        if self._metrics is None:
            return False
        at_ns = at_ms * 1_000_000
        metrics = [self._metric(reading, at_ns) for reading in readings]
        scope = ScopeMetrics(_SCOPE, metrics, _SCHEMA)
        data = MetricsData([ResourceMetrics(self._resource, [scope], _SCHEMA)])
        return self._metrics.export(data) is MetricExportResult.SUCCESS

    def _metric(self, reading: Reading, at_ns: int) -> Metric:
        metric, values = reading
        times = (self._began_ns, at_ns)
        data: Sum | Gauge | Histogram
        if metric.kind == "histogram":
            points = [
                _distribution(dict(zip(metric.labels, labels, strict=True)), times, value)
                for labels, value in values.items()
                if isinstance(value, Distribution)
            ]
            data = Histogram(points, AggregationTemporality.CUMULATIVE)
        else:
            numbers = [
                NumberDataPoint(dict(zip(metric.labels, labels, strict=True)), *times, value)
                for labels, value in values.items()
                if not isinstance(value, Distribution)
            ]
            rising = metric.kind == "counter"
            data = Sum(numbers, AggregationTemporality.CUMULATIVE, True) if rising else Gauge(numbers)
        return Metric(metric.name, metric.what, metric.unit, data)

    def close(self) -> None:
        """Let go of the connections; who sends just now gives up."""
        if self._traces is not None:
            self._traces.shutdown()
        if self._metrics is not None:
            self._metrics.shutdown()


def _resource() -> Resource:
    """Return who sends: `hostd`, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say another name."""
    said = Resource.create()
    own = {"service.version": VERSION}
    unnamed = str(said.attributes.get("service.name", "")).startswith("unknown_service")
    return said.merge(Resource({**own, "service.name": "hostd"} if unnamed else own))


def _context(trace: Trace, *, remote: bool = False) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if trace.sampled else TraceFlags.DEFAULT)
    state = TraceState.from_header([trace.state]) if trace.state else None
    return SpanContext(int(trace.trace_id, 16), int(trace.span_id, 16), remote, flags, state)


def _distribution(labels: dict[str, str], times: tuple[int, int], value: Distribution) -> HistogramDataPoint:
    count = sum(value.counts)
    return HistogramDataPoint(labels, *times, count, value.total, value.counts, value.bounds, *_NO_EXTREMES)
