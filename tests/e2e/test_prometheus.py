"""A real Prometheus with the files of `deploy/`: it scrapes a daemon, and evaluates every rule and every query."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml
from processes import DaemonProcess, wait_until
from requires import require_tool

DEPLOY = Path(__file__).parents[2] / "deploy"
WORK = """
workflow: work
steps:
  a: {uses: mock.sleep, with: {duration: 1ms}}
"""


class Prometheus:
    """One that runs, asked over its HTTP API."""

    def __init__(self, folder: Path, target: str) -> None:
        self._log = folder / "prometheus.log"
        settings = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text(encoding="utf-8"))
        [job] = settings["scrape_configs"]
        job["static_configs"] = [{"targets": [target]}]
        job["scrape_interval"] = "1s"
        settings["global"] = {"evaluation_interval": "1s"}
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(settings))
        (folder / "alerts.yaml").write_bytes((DEPLOY / "prometheus/alerts.yaml").read_bytes())
        files = [f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
        command = [require_tool("prometheus"), *files, "--web.listen-address=127.0.0.1:0", "--log.format=json"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._ready, "Prometheus")

    def _address(self) -> str:
        assert self._process.poll() is None, self._log.read_text()
        found = re.search(r'"address":"(127\.0\.0\.1:[1-9][0-9]*)"', self._log.read_text())
        return found[1] if found else ""

    def _ready(self) -> bool:
        """Say whether it answers: it listens first, and refuses with 503 until its storage is open."""
        if not (address := self._address()):
            return False
        try:
            with urlopen(f"http://{address}/-/ready", timeout=60):
                return True
        except HTTPError as refused:
            refused.close()
            return False

    def ask(self, path: str, **query: str) -> Any:
        """Return the data of an answer that is a success."""
        with urlopen(f"http://{self._address()}/api/v1/{path}?{urlencode(query)}", timeout=60) as answer:
            said = json.loads(answer.read())
        assert said["status"] == "success", said
        return said["data"]

    def targets(self) -> list[tuple[str, str]]:
        """Return health and last error of each target."""
        return [(one["health"], one["lastError"]) for one in self.ask("targets")["activeTargets"]]

    def rules(self) -> dict[str, dict[str, Any]]:
        """Return the rules by name."""
        return {rule["name"]: rule for group in self.ask("rules")["groups"] for rule in group["rules"]}

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """Yield a daemon that has run a workflow."""
    daemon = DaemonProcess(tmp_path)
    (tmp_path / "w.yaml").write_text(WORK)
    daemon.start()
    try:
        daemon.ok("workflow", "register", str(tmp_path / "w.yaml"))
        daemon.json("runs", "start", "work", "--wait")
        yield daemon
    finally:
        daemon.close()


def test_prometheus_scrapes_and_watches(daemon: DaemonProcess, tmp_path: Path) -> None:
    """Its scrape is understood, exemplars too; rules and the dashboard's queries evaluate; it tells a daemon's end."""
    prometheus = Prometheus(tmp_path, daemon.http)
    try:
        wait_until(lambda: prometheus.targets() == [("up", "")], "a scrape")
        wait_until(lambda: prometheus.ask("query", query="hostd_runs_ended_total")["result"], "what ran")
        wait_until(lambda: {rule["health"] for rule in prometheus.rules().values()} == {"ok"}, "every rule")
        for expression in queries():
            prometheus.ask("query", query=expression)
        wait_until(lambda: prometheus.rules()["HostdDown"]["state"] == "inactive", "a scrape in time")
        daemon.close()
        wait_until(lambda: prometheus.rules()["HostdDown"]["state"] != "inactive", "the alert")
    finally:
        prometheus.close()


def queries() -> list[str]:
    """Return what the dashboard asks, its variables filled in."""
    board = json.loads((DEPLOY / "grafana/hostd.json").read_text(encoding="utf-8"))
    texts = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    return [text.replace("$instance", ".*").replace("$__rate_interval", "1m") for text in texts]
