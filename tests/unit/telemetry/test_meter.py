"""Counting and the text format."""

import asyncio
import subprocess
import sys

import pytest
from prometheus_client.openmetrics import parser as openly
from prometheus_client.parser import text_string_to_metric_families

from hostd.telemetry.meter import CHILDREN_MAX, CHOSEN_MAX, OTHER, Meter, takes_openmetrics
from hostd.telemetry.metrics import METRICS, Metric

COUNTED = Metric("things_total", "counter", "Things", ("state",))
WEIGHED = Metric("thing_bytes", "gauge", "Weight")
TIMED = Metric("thing_seconds", "histogram", "Time", ("kind",), (0.1, 1.0))


def samples(meter: Meter) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return what a scrape reads: (name, label values) to value."""
    families = text_string_to_metric_families(asyncio.run(meter.render()).decode())
    return {(item.name, tuple(item.labels.values())): item.value for family in families for item in family.samples}


def test_what_is_counted_is_what_is_scraped() -> None:
    """Counters, gauges and histograms come out as Prometheus reads them; buckets accumulate."""
    meter = Meter([COUNTED, WEIGHED, TIMED])
    meter.counter("things_total", state="DONE").inc()
    meter.counter("things_total", state="DONE").inc(2)
    meter.gauge("thing_bytes").set(7)
    for value in (0.05, 0.1, 0.5, 9.0):
        meter.histogram("thing_seconds", kind="a").observe(value)

    found = samples(meter)

    assert found["things_total", ("DONE",)] == 3
    assert found["thing_bytes", ()] == 7
    assert found["thing_seconds_bucket", ("a", "0.1")] == 2
    assert found["thing_seconds_bucket", ("a", "1.0")] == 3
    assert found["thing_seconds_bucket", ("a", "+Inf")] == 4
    assert found["thing_seconds_count", ("a",)] == 4
    assert found["thing_seconds_sum", ("a",)] == pytest.approx(9.65)


def test_a_reading_is_taken_when_somebody_looks() -> None:
    """A function stands in for a value that is kept elsewhere."""
    meter = Meter([WEIGHED, COUNTED])
    sizes = iter([1.0, 2.0])
    meter.reading("thing_bytes", lambda: {(): next(sizes)})

    assert samples(meter)["thing_bytes", ()] == 1
    assert samples(meter)["thing_bytes", ()] == 2


def test_only_declared_metrics_exist() -> None:
    """An unknown name, kind or label is a mistake at the call."""
    meter = Meter([COUNTED])
    with pytest.raises(KeyError):
        meter.counter("nothing_total")
    with pytest.raises(KeyError):
        meter.gauge("things_total", state="DONE")
    with pytest.raises(KeyError):
        meter.counter("things_total", color="red")


def test_labels_are_bounded() -> None:
    """Past the limit new combinations count under `other`; the old ones stay."""
    meter = Meter([COUNTED])
    for number in range(CHILDREN_MAX * 3):
        meter.counter("things_total", state=f"S{number}").inc()

    found = samples(meter)

    assert found["things_total", ("S0",)] == 1
    assert found["things_total", ("other",)] == CHILDREN_MAX * 2
    assert sum(1 for name, _ in found if name == "things_total") == CHILDREN_MAX + 1


def test_the_process_describes_itself() -> None:
    """Memory and garbage collection come with every scrape."""
    found = samples(Meter([]))

    assert ("process_resident_memory_bytes", ()) in found
    assert ("python_gc_collections_total", ("0",)) in found


def test_counting_imports_nothing() -> None:
    """The library for the text format is imported by the first scrape, not by counting."""
    code = (
        "import sys\nfrom hostd.telemetry.meter import Meter\n"
        "Meter().counter('hostd_runs_ended_total', outcome='x').inc()\nassert 'prometheus_client' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_declared_metrics_follow_the_conventions() -> None:
    """Counters end in _total, times in _seconds, sizes in _bytes; names are unique; histograms have rising buckets."""
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.name.startswith("hostd_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert bool(metric.buckets) == (metric.kind == "histogram")
        assert list(metric.buckets) == sorted(set(metric.buckets))
        own = set(metric.labels) - {metric.chosen}
        assert not own & {"workflow", "action", "namespace", "run_id", "trigger", "path", "le"}
        assert metric.chosen in {"", *metric.labels}


NAMED = Metric("named_total", "counter", "Named", ("who", "state"), chosen="who")


def test_ten_thousand_names_make_two_hundred_labels() -> None:
    """A label that callers choose is capped, what is counted and what is read alike; nothing is lost in the sum."""
    counted, read = Meter([NAMED]), Meter([NAMED])
    for number in range(10_000):
        counted.counter("named_total", who=f"n{number}", state="OK").inc()
        counted.counter("named_total", who=f"n{number}", state="BAD").inc(2)
    read.reading("named_total", lambda: {(f"n{number}", "OK"): 1.0 for number in range(10_000)})

    found, once, twice = (
        {labels: value for (name, labels), value in samples(meter).items() if name == "named_total"}
        for meter in (counted, read, read)
    )

    assert len(found) == 2 * (CHOSEN_MAX + 1)
    assert found["OK", OTHER] == 10_000 - CHOSEN_MAX
    assert found["BAD", OTHER] == 2 * (10_000 - CHOSEN_MAX)
    assert found["BAD", "n0"] == 2
    assert len(once) == CHOSEN_MAX + 1
    assert sum(once.values()) == 10_000
    assert once == twice


def test_openmetrics_has_exemplars() -> None:
    """Asked for OpenMetrics, the page is readable as such, ends as it must, and shows a trace beside its bucket."""
    meter = Meter([TIMED, COUNTED])
    meter.histogram("thing_seconds", kind="a").observe_traced(0.5, "ab" * 16, 12.5)
    meter.counter("things_total", state="DONE").inc()

    text = asyncio.run(meter.render(openmetrics=True)).decode()

    assert text.endswith("# EOF\n")
    families = {family.name: family for family in openly.text_string_to_metric_families(text)}
    shown = [sample.exemplar for sample in families["thing_seconds"].samples if sample.exemplar]
    assert [(one.labels, one.value, float(one.timestamp)) for one in shown] == [({"trace_id": "ab" * 16}, 0.5, 12.5)]
    assert families["things"].samples[0].value == 1


@pytest.mark.parametrize(
    "accept, openly_wanted",
    [
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", True),
        ("text/plain;version=0.0.4;q=0.9, application/openmetrics-text; q=0.4", False),
        ("text/plain", False),
        ("*/*", False),
        ("", False),
        ("application/openmetrics-text;q=nonsense", False),
    ],
)
def test_the_format_follows_what_is_accepted(accept: str, openly_wanted: bool) -> None:
    """Prometheus prefers OpenMetrics by weight; whoever says nothing gets the plain text."""
    assert takes_openmetrics(accept) is openly_wanted
