"""Every metric hostd has: name, kind, meaning, unit (in the name), labels. Rooms may use no other.

Labels are few and bounded: states, outcomes, reasons, executors; never ids or paths. The one that may hold names which
callers choose is named in `chosen`: past its first 200 values a name counts under `other`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

FAST = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
SLOW = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)
COUNTS = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2000.0)


class Metric(NamedTuple):
    """One metric. `buckets` are upper bounds of a histogram, rising, without the last (infinite) one.

    Attributes:
        chosen: the label whose values callers choose; empty for none.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    what: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    chosen: str = ""

    @property
    def unit(self) -> str:
        """Its unit as OpenTelemetry writes it, by the name; empty for a count."""
        name = self.name.removesuffix("_total")
        return "s" if name.endswith("_seconds") else "By" if name.endswith("_bytes") else ""


METRICS: tuple[Metric, ...] = (
    # -- the daemon
    Metric("hostd_build_info", "gauge", "1, with the running version", ("version", "python")),
    Metric("hostd_loop_lag_seconds", "histogram", "How late the event loop runs what is due", (), FAST),
    Metric(
        "hostd_clock_steps_total",
        "counter",
        "Times the machine's clock jumped by a second or more against the time that passed: it was set, or the machine "
        "slept",
        ("direction",),
    ),
    # -- runs
    Metric("hostd_runs_started_total", "counter", "Runs accepted and durable", ("source",)),
    Metric("hostd_runs_ended_total", "counter", "Runs that reached an end", ("outcome",)),
    Metric(
        "hostd_workflow_runs_ended_total",
        "counter",
        "Runs that reached an end, by the workflow's name",
        ("workflow", "outcome"),
        chosen="workflow",
    ),
    Metric("hostd_runs", "gauge", "Runs that have not ended", ("state",)),
    Metric("hostd_runs_resident", "gauge", "Live runs held in memory"),
    Metric("hostd_run_seconds", "histogram", "Time from a run's start to its end", ("outcome",), SLOW),
    Metric("hostd_steps_ended_total", "counter", "Steps that ended", ("state",)),
    Metric("hostd_attempts_ended_total", "counter", "Attempts that ended", ("executor", "outcome")),
    Metric(
        "hostd_action_attempts_ended_total",
        "counter",
        "Attempts that ended, by the action's id",
        ("action", "outcome"),
        chosen="action",
    ),
    Metric(
        "hostd_step_seconds",
        "histogram",
        "Time from a step's being ready to its success, in line and between attempts included; not of those that "
        "succeed at once",
        ("executor",),
        SLOW,
    ),
    Metric("hostd_steps_in_line", "gauge", "Steps that wait for room to run"),
    Metric(
        "hostd_oldest_step_seconds",
        "gauge",
        "How long the first in line of the steps that wait for room has been ready",
    ),
    Metric("hostd_permits", "gauge", "Attempts that may wait at once: `limits`, or a pool's size", ("executor",)),
    Metric("hostd_permits_taken", "gauge", "Attempts that wait and hold a permit", ("executor",)),
    Metric("hostd_attempt_seconds", "histogram", "Time of an attempt that did not end at once", ("executor",), SLOW),
    Metric("hostd_attempts_in_flight", "gauge", "Attempts that run now", ("executor",)),
    Metric("hostd_timers", "gauge", "Runs with a timer: of a wait, a retry, a deadline"),
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
    Metric("hostd_journal_append_bytes_total", "counter", "Records and blobs appended"),
    Metric("hostd_journal_failures_total", "counter", "Appends that failed", ("reason",)),
    Metric("hostd_journal_size_bytes", "gauge", "Size of the journal with its log"),
    Metric("hostd_data_free_bytes", "gauge", "Space left where the data folder lies, read every ten seconds"),
    # -- guests
    Metric(
        "hostd_loop_stalls_total",
        "counter",
        "Times the event loop stood still past 250 ms, by the plugin whose code held it (`none`: no plugin's)",
        ("plugin",),
    ),
    Metric("hostd_triggers", "gauge", "Configured triggers", ("state",)),
    Metric("hostd_events_total", "counter", "Events that triggers emitted, durable", ("outcome",)),
    Metric(
        "hostd_dead_letters",
        "gauge",
        "Events that could not be handled and wait to be redriven or purged, read every ten seconds",
        ("namespace",),
        chosen="namespace",
    ),
    Metric(
        "hostd_subscription_behind_events",
        "gauge",
        "Events that wait for the subscription of a workflow that is most behind, at most 10,000; read every ten "
        "seconds",
        ("workflow",),
        chosen="workflow",
    ),
    Metric("hostd_plugins", "gauge", "Plugins found", ("state",)),
    Metric("hostd_plugin_processes", "gauge", "Processes of plugins", ("state",)),
    Metric(
        "hostd_plugin_process_restarts_total",
        "counter",
        "Times a plugin's process was started again after it had ended by itself",
        ("plugin",),
        chosen="plugin",
    ),
    Metric(
        "hostd_plugin_process_memory_bytes",
        "gauge",
        "Memory of a plugin's process that is in use, read every ten seconds",
        ("plugin",),
        chosen="plugin",
    ),
    Metric(
        "hostd_plugin_process_cpu_seconds",
        "gauge",
        "Processor time of a plugin's process that runs, with what it started; begins anew with the process",
        ("plugin",),
        chosen="plugin",
    ),
    Metric(
        "hostd_log_events_dropped_total",
        "counter",
        "Events that were left out of the daemon's log, where one logger wrote more than 500 a second",
    ),
    Metric("hostd_log_lines_dropped_total", "counter", "Lines of attempts that found no room on their way to the disk"),
    Metric("hostd_lua_workers", "gauge", "Processes for scripts", ("state",)),
    Metric("hostd_lua_scripts_total", "counter", "Scripts that ended", ("outcome",)),
    # -- OpenTelemetry
    Metric(
        "hostd_otel_spans_total",
        "counter",
        "Spans by what became of them: SENT, FAILED at the receiver, or DROPPED from a full queue",
        ("outcome",),
    ),
    Metric("hostd_otel_queue_spans", "gauge", "Spans that wait to be sent"),
    Metric(
        "hostd_otel_runs_skipped_total",
        "counter",
        "Runs some of whose spans were not sent, each once: too many waited to be read back, or could not be read",
    ),
    Metric(
        "hostd_otel_metrics_sent_total",
        "counter",
        "Times all metrics were sent, by outcome: SENT, or FAILED, at the receiver or before",
        ("outcome",),
    ),
    # -- doors
    Metric("hostd_rpcs_total", "counter", "Calls answered", ("method", "code")),
    Metric("hostd_rpc_seconds", "histogram", "Time of a call that is not a stream", ("method",), SLOW),
    Metric("hostd_watches", "gauge", "Open watches", ("kind",)),
    Metric("hostd_http_requests_total", "counter", "HTTP requests answered", ("route", "code")),
    Metric("hostd_http_requests_in_flight", "gauge", "HTTP requests, webhooks too, that are being answered"),
    Metric("hostd_http_request_seconds", "histogram", "Time of an HTTP request", ("route",), SLOW),
)


def metrics_reference() -> str:
    """Return the page `docs/reference/metrics.md`."""
    lines = [
        "# Metrics\n",
        "Served at `/metrics` of the HTTP port: without a token on loopback, with the owner's token elsewhere. In the",
        "Prometheus text format, or in OpenMetrics' where that is asked for (`Accept`), which has exemplars: trace ids",
        "of runs beside `hostd_run_seconds`. A metric appears once it has a value. Beside these there are the usual",
        "`process_*` and `python_gc_*`. [How to](../how-to/observe.md): dashboard, alerts, OpenTelemetry.\n",
        "Labels that hold names (`workflow`, `action`, `namespace`, `plugin` of its process) know the first 200; what",
        "is past them counts under `other`. So does any metric past 200 combinations of its other labels.\n",
        "| metric | kind | labels | what |\n|---|---|---|---|",
    ]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.what} |")
    return "\n".join(lines) + "\n"
