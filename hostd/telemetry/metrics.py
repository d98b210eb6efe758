"""Every metric hostd has: name, kind, meaning, unit (in the name), labels. Rooms may use no other.

Labels are few and bounded: states, outcomes, reasons, executors; never names, ids or paths that a caller chooses.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

FAST = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
SLOW = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)
COUNTS = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2000.0)


class Metric(NamedTuple):
    """One metric. `buckets` are upper bounds of a histogram, rising, without the last (infinite) one."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    what: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


METRICS: tuple[Metric, ...] = (
    # -- the daemon
    Metric("hostd_build_info", "gauge", "1, with the running version", ("version", "python")),
    Metric("hostd_loop_lag_seconds", "histogram", "How late the event loop runs what is due", (), FAST),
    # -- runs
    Metric("hostd_runs_started_total", "counter", "Runs accepted and durable", ("source",)),
    Metric("hostd_runs_ended_total", "counter", "Runs that reached an end", ("outcome",)),
    Metric("hostd_runs_resident", "gauge", "Live runs held in memory"),
    Metric("hostd_run_seconds", "histogram", "Time from a run's start to its end", ("outcome",), SLOW),
    Metric("hostd_steps_ended_total", "counter", "Steps that ended", ("state",)),
    Metric("hostd_attempts_ended_total", "counter", "Attempts that ended", ("executor", "outcome")),
    Metric("hostd_attempt_seconds", "histogram", "Time of an attempt that did not end at once", ("executor",), SLOW),
    Metric("hostd_attempts_in_flight", "gauge", "Attempts that run now", ("executor",)),
    Metric("hostd_timers_resident", "gauge", "Timers due soon, held in memory"),
    # -- the ring
    Metric("hostd_lane_messages", "gauge", "Messages waiting for the engine", ("lane",)),
    Metric("hostd_intake_refused_total", "counter", "Requests refused at the doors", ("reason",)),
    Metric("hostd_turn_messages", "histogram", "Messages decided in one turn", (), COUNTS),
    Metric("hostd_turn_seconds", "histogram", "Time of one turn, without its append", (), FAST),
    # -- the journal
    Metric(
        "hostd_journal_appends_total", "counter", "Appends that are durable, on the loop or by the writer", ("mode",)
    ),
    Metric(
        "hostd_journal_append_seconds", "histogram", "Time from handing a batch over to its being durable", (), FAST
    ),
    Metric("hostd_journal_failures_total", "counter", "Appends that failed", ("reason",)),
    Metric("hostd_journal_size_bytes", "gauge", "Size of the journal with its log"),
    # -- guests
    Metric(
        "hostd_loop_stalls_total",
        "counter",
        "Times the event loop stood still past 250 ms, by the plugin whose code held it (`none`: no plugin's)",
        ("plugin",),
    ),
    Metric("hostd_triggers", "gauge", "Configured triggers", ("state",)),
    Metric("hostd_events_total", "counter", "Events that triggers emitted, durable", ("outcome",)),
    Metric("hostd_plugins", "gauge", "Plugins found", ("state",)),
    Metric("hostd_lua_workers", "gauge", "Processes for scripts", ("state",)),
    Metric("hostd_lua_scripts_total", "counter", "Scripts that ended", ("outcome",)),
    # -- doors
    Metric("hostd_rpcs_total", "counter", "Calls answered", ("method", "code")),
    Metric("hostd_rpc_seconds", "histogram", "Time of a call that is not a stream", ("method",), SLOW),
    Metric("hostd_watches", "gauge", "Open watches", ("kind",)),
    Metric("hostd_http_requests_total", "counter", "HTTP requests answered", ("route", "code")),
    Metric("hostd_http_request_seconds", "histogram", "Time of an HTTP request", ("route",), SLOW),
)


def metrics_reference() -> str:
    """Return the page `docs/reference/metrics.md`."""
    lines = [
        "# Metrics\n",
        "Served at `/metrics` of the HTTP port in the Prometheus text format: without a token on loopback, with the",
        "owner's token elsewhere. A metric appears once it has a value. Beside these there are the usual `process_*`",
        "and `python_gc_*`. No label holds a name that a caller chooses; past 200 combinations of its labels a metric",
        "counts under `other`.\n",
        "| metric | kind | labels | what |\n|---|---|---|---|",
    ]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.what} |")
    return "\n".join(lines) + "\n"
