"""The dashboard and the alerts ask for metrics that are there: in the reference, and at a daemon that works."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml
from otlp_receiver import OtlpReceiver
from processes import DaemonProcess, wait_until
from promql import OF_EACH, asked_by
from requires import require_tool

from hostd.telemetry.metrics import METRICS

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana/hostd.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text(encoding="utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [(panel["title"], target["expr"], target["legendFormat"]) for panel in PANELS for target in panel["targets"]]
LABELS = {metric.name: set(metric.labels) for metric in METRICS}
LABELS |= {f"{metric.name}_bucket": set(metric.labels) for metric in METRICS if metric.kind == "histogram"}
LABELS |= {name: set() for name in ("up", "process_open_fds", "process_max_fds", "process_cpu_seconds_total")}
LABELS |= {"process_resident_memory_bytes": set()}

WORK = """
workflow: work
triggers:
  hook: {uses: http.webhook, with: {path: hook}}
steps:
  script: {uses: lua.script, with: {script: "return 1"}}
  slow: {uses: mock.sleep, needs: script, with: {duration: 1ms}}
"""
NOTHING_WRONG = {"up"}
READS = """
workflow: reads
triggers:
  news: {uses: event.subscribe, with: {topics: [news]}}
steps:
  a: {uses: mock.noop}
"""


@pytest.mark.parametrize("title, expression", [(title, text) for title, text, _ in QUERIES])
def test_a_panel_asks_for_what_there_is(title: str, expression: str) -> None:
    """Each metric and label of the dashboard stands in the reference."""
    check(expression)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_there_is(rule: dict[str, Any]) -> None:
    """Each metric and label stands in the reference; the words name only labels that the expression leaves."""
    check(rule["expr"])
    asked = asked_by(rule["expr"])
    left = (asked.grouped or set().union(*(LABELS[name] for name in asked.metrics))) | {"instance"}
    words = " ".join(rule["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", words)) <= left
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description"}


def check(expression: str) -> None:
    """Fail for a metric or a label that no daemon has."""
    asked = asked_by(expression)
    assert asked.metrics
    for name, labels in asked.metrics.items():
        assert name in LABELS, f"there is no metric {name}"
        assert labels <= LABELS[name] | OF_EACH
        assert asked.grouped <= LABELS[name] | OF_EACH


def test_the_dashboard_is_whole() -> None:
    """Panels have ids, places of their own and descriptions; every metric that hostd has is on one of them."""
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert all(panel["description"] and panel["targets"] for panel in PANELS)
    shown = {name.removesuffix("_bucket") for _, text, _ in QUERIES for name in asked_by(text).metrics}
    alerted = {name.removesuffix("_bucket") for rule in RULES for name in asked_by(rule["expr"]).metrics}
    assert {metric.name for metric in METRICS} - shown - alerted == set()
    for _, text, legend in QUERIES:
        asked = asked_by(text)
        left = asked.grouped or set().union(*(LABELS[name] for name in asked.metrics))
        assert set(re.findall(r"{{(\w+)}}", legend)) <= left


@pytest.mark.parametrize("what, file", [("rules", "alerts.yaml"), ("config", "prometheus.yaml")])
def test_prometheus_takes_the_files(what: str, file: str) -> None:
    """Prometheus' own tool reads them, and has nothing to say against them."""
    command = [require_tool("promtool"), "check", what, str(DEPLOY / "prometheus" / file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_daemon_that_works_fills_every_panel(tmp_path: Path) -> None:
    """After a run, a webhook, a failed call and a plugin's process there is a sample for each query and label."""
    with OtlpReceiver() as receiver:
        daemon = DaemonProcess(tmp_path)
        daemon.data.mkdir(mode=0o700)
        settings = {"plugins": {"process": ["kv"]}, "otel": {"endpoint": receiver.endpoint}}
        (daemon.data / "hostd.yaml").write_text(json.dumps(settings))
        try:
            check_that_every_panel_is_filled(daemon, tmp_path)
        finally:
            daemon.close()


def check_that_every_panel_is_filled(daemon: DaemonProcess, tmp_path: Path) -> None:
    """Start it, have it work, and wait for a sample of each metric."""
    (tmp_path / "w.yaml").write_text(WORK)
    (tmp_path / "r.yaml").write_text(READS)
    daemon.start()
    daemon.ok("workflow", "register", str(tmp_path / "r.yaml"))
    daemon.ok("workflow", "register", str(tmp_path / "w.yaml"))
    daemon.json("runs", "start", "work", "--wait")
    assert daemon.run("runs", "show", "0" * 26).returncode != 0
    wait_until(lambda: {one["state"] for one in daemon.json("trigger", "list")} == {"ACTIVE"}, "triggers")
    hook = Request(f"http://{daemon.http}/hooks/default/hook", b"{}", {"content-type": "application/json"})
    urlopen(hook, timeout=60).close()
    with pytest.raises(HTTPError) as refused:
        urlopen(f"http://{daemon.http}/nothing", timeout=60)
    refused.value.close()
    (tmp_path / "k.yaml").write_text("workflow: k\nsteps:\n  a: {uses: kv.get, with: {key: a}}\n")
    daemon.ok("workflow", "register", str(tmp_path / "k.yaml"))
    daemon.json("runs", "start", "k", "--wait")
    wanted = {name for _, text, _ in QUERIES for name in asked_by(text).metrics} - NOTHING_WRONG
    missing: set[str] = wanted

    def all_there() -> bool:
        nonlocal missing
        missing = wanted - found(daemon)
        return not missing

    try:
        wait_until(all_there, "every metric")
    except AssertionError:
        assert missing == set()


def found(daemon: DaemonProcess) -> set[str]:
    """Return the names of samples that a scrape gives."""
    with urlopen(f"http://{daemon.http}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    return set(re.findall(r"^(\w+)[ {]", text, re.MULTILINE))
