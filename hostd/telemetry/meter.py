"""Counting, cheaply: rooms hold children of declared metrics; the text format's library comes in at the first scrape.

A child is a plain number (tens of nanoseconds a change). It belongs to one thread; what lives on another thread, or is
expensive to keep, is given as a function that is read when somebody looks.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

from hostd.telemetry.metrics import METRICS, Metric

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.registry import CollectorRegistry

CHILDREN_MAX = 200
CHOSEN_MAX = 200  # values of a label that callers choose
CHOSEN_CHILDREN_MAX = 4_000  # of such a metric, whatever its other labels
OTHER = "other"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPEN_CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Distribution(NamedTuple):
    """A histogram as it is now: how many values fell into each bucket, the last one without a bound."""

    bounds: tuple[float, ...]
    counts: list[int]
    total: float


Reading: TypeAlias = "tuple[Metric, dict[tuple[str, ...], float | Distribution]]"
"""A metric, and its values by label values."""


def takes_openmetrics(accept: str) -> bool:
    """Say whether somebody who sends this `Accept` header would rather have OpenMetrics than Prometheus' own text."""
    weights = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for part in accept.lower().split(",")[:20]:
        kind, *parameters = (word.strip() for word in part.split(";"))
        quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        if kind in weights and re.fullmatch(r"[01](\.[0-9]{0,3})?", quality):
            weights[kind] = max(weights[kind], float(quality))
    return weights["application/openmetrics-text"] > weights["text/plain"]


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

    __slots__ = ("bounds", "counts", "examples", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.examples: dict[int, tuple[str, float, float]] = {}  # by bucket: trace id, value, when in seconds

    def observe(self, value: float) -> None:
        """Count one value, in the metric's unit."""
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.total += value

    def now(self) -> Distribution:
        """Return what was counted so far."""
        return Distribution(self.bounds, list(self.counts), self.total)

    def observe_traced(self, value: float, trace_id: str, at_s: float) -> None:
        """Count one value that a trace tells more about; the last one of each bucket is shown."""
        self.observe(value)
        self.examples[bisect.bisect_left(self.bounds, value)] = (trace_id, value, at_s)


Child = TypeVar("Child", Counter, Gauge, Histogram)
_KINDS: dict[str, type] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


class Meter:
    """All metrics of one daemon. Ask for a child once and keep it."""

    def __init__(self, metrics: Iterable[Metric] = METRICS) -> None:
        self._metrics = {metric.name: metric for metric in metrics}
        self._children: dict[str, dict[tuple[str, ...], Any]] = {name: {} for name in self._metrics}
        self._readings: dict[str, Callable[[], dict[tuple[str, ...], float]]] = {}
        self._chosen: dict[str, set[str]] = {}  # by metric: values of its label that callers choose
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
        values = self._bounded(metric, tuple(labels[label] for label in metric.labels))
        if values not in children and len(children) >= (CHOSEN_CHILDREN_MAX if metric.chosen else CHILDREN_MAX):
            values = (OTHER,) * len(values)
        child = children.get(values)
        if child is None:
            child = children[values] = (
                Histogram(metric.buckets) if metric.kind == "histogram" else _KINDS[metric.kind]()
            )
        return cast("Child", child)

    def _bounded(self, metric: Metric, values: tuple[str, ...]) -> tuple[str, ...]:
        """Return label values with `other` for a name past the first 200 of the label that callers choose."""
        if not metric.chosen:
            return values
        place = metric.labels.index(metric.chosen)
        known = self._chosen.setdefault(metric.name, set())
        if values[place] not in known:
            if len(known) >= CHOSEN_MAX:
                return (*values[:place], OTHER, *values[place + 1 :])
            known.add(values[place])
        return values

    async def render(self, *, openmetrics: bool = False) -> bytes:
        """Return everything, the process's own metrics too.

        Args:
            openmetrics: in OpenMetrics' format (OPEN_CONTENT_TYPE), with exemplars; else in Prometheus' own.
        """
        process = await asyncio.to_thread(self._process_families)
        from prometheus_client import exposition
        from prometheus_client.openmetrics import exposition as openly

        families = _Families([*self.collect(), *process])
        write = openly.generate_latest if openmetrics else exposition.generate_latest
        return write(cast("CollectorRegistry", families))

    def _process_families(self) -> list[Family]:
        """Import the library (at the first call) and read the system's files: both block, so this runs in a thread."""
        from prometheus_client import GCCollector, ProcessCollector
        from prometheus_client.openmetrics import exposition as _openly  # noqa: F401 so that it is there on the loop
        from prometheus_client.registry import CollectorRegistry

        if self._process is None:
            self._process = CollectorRegistry(auto_describe=False)
            ProcessCollector(registry=self._process)
            GCCollector(registry=self._process)
        return list(self._process.collect())

    def read(self) -> list[Reading]:
        """Return each metric that has a value, as it is now."""
        readings: list[Reading] = []
        for name, metric in self._metrics.items():
            values: dict[tuple[str, ...], float | Distribution] = {}
            for labels, child in self._children[name].items():
                values[labels] = child.now() if metric.kind == "histogram" else child.value
            if name in self._readings:
                values.update(self._folded(metric, self._readings[name]()))
            if values:
                readings.append((metric, values))
        return readings

    def _folded(self, metric: Metric, values: Mapping[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
        """Return values that were read, those past the bound of labels added up under `other`."""
        folded: dict[tuple[str, ...], float] = {}
        for labels, value in values.items():
            kept = self._bounded(metric, labels)
            if kept not in folded and len(folded) >= (CHOSEN_CHILDREN_MAX if metric.chosen else CHILDREN_MAX):
                kept = (OTHER,) * len(labels)
            folded[kept] = folded.get(kept, 0.0) + value
        return folded

    def collect(self) -> Iterable[Family]:
        """Yield a family for each metric that has a value: what prometheus-client asks of a collector."""
        for metric, values in self.read():
            if metric.kind == "histogram":
                yield _histogram_family(metric, self._children[metric.name])
            else:
                yield _value_family(metric, cast("dict[tuple[str, ...], float]", values))


class _Families:
    """Families as a registry gives them."""

    def __init__(self, families: list[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def _value_family(metric: Metric, values: dict[tuple[str, ...], float]) -> Family:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.what, labels=metric.labels)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def _histogram_family(metric: Metric, children: dict[tuple[str, ...], Histogram]) -> Family:
    from prometheus_client.metrics_core import HistogramMetricFamily
    from prometheus_client.samples import Exemplar
    from prometheus_client.utils import floatToGoString

    family = HistogramMetricFamily(metric.name, metric.what, labels=metric.labels)
    bounds = [*map(floatToGoString, metric.buckets), "+Inf"]
    for labels, child in sorted(children.items()):
        buckets: list[Any] = []
        for place, (bound, running) in enumerate(zip(bounds, itertools.accumulate(child.counts), strict=True)):
            seen = child.examples.get(place)
            shown = Exemplar({"trace_id": seen[0]}, seen[1], seen[2]) if seen is not None else None
            buckets.append((bound, running, shown))
        family.add_metric(labels, buckets=buckets, sum_value=child.total)
    return family
