"""Spans and metrics of a real daemon, at a real OTLP receiver."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import trustme
from effects import shows
from otlp_receiver import OtlpReceiver
from processes import DaemonProcess, wait_until

from hostd.client import connect_blocking
from hostd.values.trace import span_of

TRACE_ID, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACE = {"traceparent": f"00-{TRACE_ID}-{CALLER}-01", "tracestate": "vendor=a"}

WORK = """
workflow: work
steps:
  first: {uses: mock.noop}
  slow: {uses: mock.sleep, needs: first, with: {duration: 6s}}
  shaky:
    uses: mock.fail
    needs: slow
    with: {times: 1}
    retry: {max_attempts: 2, initial_interval: 1ms}
  never: {uses: mock.noop, needs: shaky, if: "${{ false }}"}
  tell: {uses: event.publish, needs: shaky, with: {topic: told}}
"""
HEARER = """
workflow: hearer
triggers:
  told: {uses: event.subscribe, with: {topics: [told]}}
  hook: {uses: http.webhook, with: {path: hook}}
steps:
  done: {uses: mock.noop}
"""


def started(folder: Path, otel: dict[str, object], **env: str) -> DaemonProcess:
    """Return a daemon that runs with both workflows."""
    env = {"OTEL_BSP_SCHEDULE_DELAY": "100", **env}
    daemon = DaemonProcess(folder, **env)
    daemon.data.mkdir(mode=0o700)
    (daemon.data / "hostd.yaml").write_text(json.dumps({"otel": otel}))
    daemon.start()
    for name, text in (("work", WORK), ("hearer", HEARER)):
        (folder / f"{name}.yaml").write_text(text)
        daemon.ok("workflow", "register", str(folder / f"{name}.yaml"))
    return daemon


@shows("otel.endpoint", "otel.headers")
def test_a_run_is_one_trace_through_a_kill(tmp_path: Path) -> None:
    """From the caller's span through call, run, steps and attempts to the next run, though the daemon was killed."""
    with OtlpReceiver() as receiver:
        daemon = started(tmp_path, {"endpoint": receiver.endpoint, "headers": "x-key=s%20ecret", "metrics_every": "0s"})
        try:
            token = (daemon.data / "token").read_text().strip()
            with connect_blocking(daemon.listen, token=token, metadata=TRACE) as client:
                run_id = client.start("work").run_id
            wait_until(lambda: receiver.named("hostd.v1.RunService/StartRun"), "the span of the call")
            wait_until(lambda: receiver.named("step first"), "the first step, while the second runs")
            assert receiver.named("run work") == receiver.named("step slow") == []
            daemon.signal(signal.SIGKILL)
            daemon.wait()
            daemon.start()
            wait_until(lambda: receiver.named("run work") and receiver.named("run hearer"), "both runs")
        finally:
            daemon.close()

    assert {span.span_id for span in receiver.named("step first")} == {span_of(run_id, "first")}
    [call] = receiver.named("hostd.v1.RunService/StartRun")
    [run] = receiver.named("run work")
    [step] = receiver.named("step slow")
    assert (call.trace_id, call.parent_id, call.state, call.kind) == (TRACE_ID, CALLER, "vendor=a", 2)
    assert (run.trace_id, run.parent_id, run.span_id) == (TRACE_ID, call.span_id, span_of(run_id))
    assert (run.attributes["hostd.outcome"], run.attributes["hostd.run_id"], run.error) == ("SUCCEEDED", run_id, "")
    assert (step.parent_id, step.attributes["hostd.state"]) == (run.span_id, "SUCCEEDED")
    lost, done = receiver.named("attempt mock.sleep")
    assert (lost.parent_id, done.parent_id, step.began_ns) == (step.span_id, step.span_id, lost.began_ns)
    assert lost.error.startswith("ATTEMPT_LOST")
    assert done.ended_ns - done.began_ns >= 6_000_000_000
    failed, again = sorted(receiver.named("attempt mock.fail"), key=lambda span: span.attributes["hostd.attempt"])
    assert (bool(failed.error), again.error) == (True, "")
    assert receiver.named("step never") == []
    [published] = receiver.named("publish told")
    assert (published.parent_id, published.kind) == (receiver.named("attempt event.publish")[0].span_id, 4)
    [heard] = receiver.named("run hearer")
    assert (heard.trace_id, heard.parent_id, heard.kind) == (TRACE_ID, published.span_id, 5)
    assert receiver.resources[0]["service.name"] == "hostd"
    assert {headers["x-key"] for headers in receiver.headers} == {"s ecret"}
    assert "s ecret" not in daemon.log.read_text()


@shows("otel.protocol", "otel.ca", "otel.certificate", "otel.key")
def test_a_run_that_was_not_sent_is_sent_again(tmp_path: Path) -> None:
    """Killed with its last spans still in the queue, a daemon leaves them to the next one: same trace, same ids."""
    authority = trustme.CA()
    mine = authority.issue_cert("daemon")
    files = {name: str(tmp_path / f"{name}.pem") for name in ("ca", "certificate", "key")}
    authority.cert_pem.write_to_path(files["ca"])
    mine.cert_chain_pems[0].write_to_path(files["certificate"])
    mine.private_key_pem.write_to_path(files["key"])
    with OtlpReceiver(authority) as receiver:
        endpoint = f"https://localhost:{receiver.grpc_port}"
        otel = {"endpoint": endpoint, "protocol": "grpc", "metrics_every": "0s", **files}
        daemon = started(tmp_path, otel, OTEL_BSP_SCHEDULE_DELAY="600000")
        try:
            run_id = daemon.json("runs", "start", "hearer", "--wait")["run_id"]
            daemon.signal(signal.SIGKILL)
            daemon.wait()
            assert receiver.spans == []
            restart_and_stop(daemon)
            [run], [step], [attempt] = map(receiver.named, ("run hearer", "step done", "attempt mock.noop"))
            assert (run.span_id, step.span_id) == (span_of(run_id), span_of(run_id, "done"))
            assert attempt.span_id == span_of(run_id, "done", 1)
            assert run.trace_id == step.trace_id == attempt.trace_id
            restart_and_stop(daemon)
            assert len(receiver.named("run hearer")) == 1, "a stop in good order leaves nothing to send again"
        finally:
            daemon.close()


def restart_and_stop(daemon: DaemonProcess) -> None:
    """Start a daemon, and let it end in good order when it is ready."""
    before = daemon.log.read_text().count("daemon_ready")
    daemon.start()
    wait_until(lambda: daemon.log.read_text().count("daemon_ready") > before, "that it is ready")
    assert daemon.stop() == 0


@shows("otel.metrics_every")
def test_metrics_come_too(tmp_path: Path) -> None:
    """Counters, gauges and histograms with their labels, by the standard's variable alone; traces can be left out."""
    with OtlpReceiver() as receiver:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_TRACES_EXPORTER": "none"}
        daemon = started(tmp_path, {"metrics_every": "200ms"}, **variables, OTEL_SERVICE_NAME="ours")
        try:
            daemon.json("runs", "start", "hearer", "--wait")
            wanted = {"hostd_runs_ended_total", "hostd_run_seconds", "hostd_triggers"}
            wait_until(lambda: wanted <= receiver.metrics.keys(), "the run's metrics")
        finally:
            daemon.close()

    ended, took = receiver.metrics["hostd_runs_ended_total"], receiver.metrics["hostd_run_seconds"]
    [point] = [point for point in ended.sum.data_points if point.as_double]
    assert (ended.sum.is_monotonic, ended.sum.aggregation_temporality, point.as_double) == (True, 2, 1.0)
    assert {pair.key: pair.value.string_value for pair in point.attributes} == {"outcome": "SUCCEEDED"}
    [shape] = took.histogram.data_points
    assert (took.unit, shape.count, sum(shape.bucket_counts)) == ("s", 1, 1)
    assert len(shape.bucket_counts) == len(shape.explicit_bounds) + 1
    assert receiver.metrics["hostd_triggers"].gauge.data_points
    assert receiver.spans == []


@shows("otel.sample")
def test_who_asks_decides_what_is_recorded(tmp_path: Path) -> None:
    """With a share of none only what came in as sampled is recorded; a webhook's request is the parent of its run."""
    with OtlpReceiver() as receiver:
        daemon = started(tmp_path, {"endpoint": receiver.endpoint, "sample": 0, "metrics_every": "0s"})
        hook = f"http://{daemon.http}/hooks/default/hook"
        try:
            wait_until(lambda: {one["state"] for one in daemon.json("trigger", "list")} == {"ACTIVE"}, "the triggers")
            for headers in ({}, {"traceparent": TRACE["traceparent"][:-2] + "00"}, TRACE):
                urlopen(Request(hook, b"{}", {"content-type": "application/json", **headers}), timeout=60).close()
            wait_until(lambda: receiver.named("run hearer") and receiver.named("POST webhook"), "the run")
        finally:
            daemon.close()

    [asked], [run] = receiver.named("POST webhook"), receiver.named("run hearer")
    assert (asked.trace_id, asked.parent_id, asked.kind) == (TRACE_ID, CALLER, 2)
    assert asked.attributes["http.response.status_code"] in (200, 202, 204)
    assert (run.trace_id, run.parent_id, run.attributes["hostd.trigger"]) == (TRACE_ID, asked.span_id, "hook")
    assert {span.trace_id for span in receiver.spans} == {TRACE_ID}


@pytest.mark.parametrize("asked", ["config", "variable"])
def test_without_the_extra_it_is_said(tmp_path: Path, asked: str) -> None:
    """Configured, it is refused with the command that helps; by a variable alone, the daemon warns and goes on."""
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry/__init__.py").write_text("")
    env = {"PYTHONPATH": str(tmp_path)}
    if asked == "variable":
        env["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
    else:
        env["HOSTD_OTEL__ENDPOINT"] = "http://127.0.0.1:9"
    daemon = DaemonProcess(tmp_path, **env)
    try:
        process = daemon.spawn()
        wait_until(lambda: "pip install 'hostd[otel]'" in daemon.log.read_text(), "what is missing")
        if asked == "variable":
            wait_until(lambda: "daemon_ready" in daemon.log.read_text(), "the daemon")
        else:
            assert process.wait(120) != 0
            assert "CONFIG_INVALID" in daemon.log.read_text()
    finally:
        daemon.close()
