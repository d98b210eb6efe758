"""Counting, cheaply: rooms hold children of declared metrics; the text format's library comes in at the first scrape.

A child is a plain number (tens of nanoseconds a change). It belongs to one thread; what lives on another thread, or is
expensive to keep, is given as a function that is read when somebody looks.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from hostd.telemetry.metrics import METRICS, Metric

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.registry import CollectorRegistry

CHILDREN_MAX = 200
OTHER = "other"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Counter:
    """Only rises."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1) -> None:
        """Add an amount that is not negative."""
        self.value += amount


class Gauge:
    """Rises and falls."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def set(self, value: float) -> None:
        """Take a value."""
        self.value = value

    def inc(self, amount: float = 1) -> None:
        """Add an amount, which may be negative."""
        self.value += amount


class Histogram:
    """Counts values by the bucket they fall into."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value, in the metric's unit."""
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.total += value


Child = TypeVar("Child", Counter, Gauge, Histogram)
_KINDS: dict[str, type] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


class Meter:
    """All metrics of one daemon. Ask for a child once and keep it."""

    def __init__(self, metrics: Iterable[Metric] = METRICS) -> None:
        self._metrics = {metric.name: metric for metric in metrics}
        self._children: dict[str, dict[tuple[str, ...], Any]] = {name: {} for name in self._metrics}
        self._readings: dict[str, Callable[[], dict[tuple[str, ...], float]]] = {}
        self._process: CollectorRegistry | None = None

    def counter(self, name: str, **labels: str) -> Counter:
        """Return the counter for these label values. Raises KeyError for what is not declared."""
        return self._child(Counter, name, labels)

    def gauge(self, name: str, **labels: str) -> Gauge:
        """Return the gauge for these label values. Raises KeyError for what is not declared."""
        return self._child(Gauge, name, labels)

    def histogram(self, name: str, **labels: str) -> Histogram:
        """Return the histogram for these label values. Raises KeyError for what is not declared."""
        return self._child(Histogram, name, labels)

    def reading(self, name: str, read: Callable[[], dict[tuple[str, ...], float]]) -> None:
        """Let a declared counter or gauge be read at each scrape: label values, in order, to value."""
        if self._metrics[name].kind == "histogram":
            raise KeyError(f"{name} is a histogram and cannot be read as a value")
        self._readings[name] = read

    def _child(self, kind: type[Child], name: str, labels: dict[str, str]) -> Child:
        metric = self._metrics[name]
        if _KINDS[metric.kind] is not kind or set(labels) != set(metric.labels):
            raise KeyError(f"{name} is a {metric.kind} with the labels {', '.join(metric.labels) or 'none'}")
        children = self._children[name]
        values = tuple(labels[label] for label in metric.labels)
        if values not in children and len(children) >= CHILDREN_MAX:
            values = (OTHER,) * len(values)
        child = children.get(values)
        if child is None:
            child = children[values] = (
                Histogram(metric.buckets) if metric.kind == "histogram" else _KINDS[metric.kind]()
            )
        return cast("Child", child)

    async def render(self) -> bytes:
        """Return everything in the Prometheus text format (CONTENT_TYPE), the process's own metrics too."""
        process = await asyncio.to_thread(self._render_process)
        from prometheus_client.exposition import generate_latest

        return generate_latest(self) + process

    def _render_process(self) -> bytes:
        """Import the library (at the first call) and read the system's files: both block, so this runs in a thread."""
        from prometheus_client import GCCollector, ProcessCollector
        from prometheus_client.exposition import generate_latest
        from prometheus_client.registry import CollectorRegistry

        if self._process is None:
            self._process = CollectorRegistry(auto_describe=False)
            ProcessCollector(registry=self._process)
            GCCollector(registry=self._process)
        return generate_latest(self._process)

    def collect(self) -> Iterable[Family]:
        """Yield a family for each metric that has a value: what prometheus-client asks of a collector."""
        for name, metric in self._metrics.items():
            values = {
                labels: child.value for labels, child in self._children[name].items() if metric.kind != "histogram"
            }
            if name in self._readings:
                values.update(itertools.islice(self._readings[name]().items(), CHILDREN_MAX))
            if metric.kind == "histogram":
                yield from _histogram_family(metric, self._children[name])
            elif values:
                yield _value_family(metric, values)


def _value_family(metric: Metric, values: dict[tuple[str, ...], float]) -> Family:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.what, labels=metric.labels)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def _histogram_family(metric: Metric, children: dict[tuple[str, ...], Histogram]) -> Iterable[Family]:
    from prometheus_client.metrics_core import HistogramMetricFamily
    from prometheus_client.utils import floatToGoString

    if not children:
        return
    family = HistogramMetricFamily(metric.name, metric.what, labels=metric.labels)
    bounds = [*map(floatToGoString, metric.buckets), "+Inf"]
    for labels, child in sorted(children.items()):
        running = itertools.accumulate(child.counts)
        family.add_metric(labels, buckets=list(zip(bounds, running, strict=True)), sum_value=child.total)
    yield family
