"""A plugin in another language, in a real daemon: dropped in, used, killed, back again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import DaemonProcess, wait_until
from requires import lacking, require_tool

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "plugins/examples/node_plugin"
PROTO = ROOT / "proto/hostd/plugin/v1/host.proto"
TURN = """
workflow: turn
inputs: {type: object, properties: {text: {type: string}, after_ms: {type: integer, default: 0}}}
steps:
  turn: {uses: words.reverse, with: {text: "${{ input.text }}", after_ms: "${{ input.after_ms }}"}}
output: ${{ steps.turn.output }}
"""
TICKS = """
workflow: ticks
triggers:
  t: {uses: words.ticks, with: {every_ms: 50, count: 4}, input: "${{ event.data }}"}
inputs: {type: object}
steps:
  s: {uses: mock.noop}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with what it depends on, installed as its README says."""
    require_tool("node")
    npm = require_tool("npm")
    folder = tmp_path_factory.mktemp("built") / "node-words"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("node_modules"))
    command = [npm, "install", "--no-audit", "--no-fund", "--silent", "--prefer-offline"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=220)
    if done.returncode:
        lacking(f"npm could not install the example: {done.stderr[-300:]}")
    return folder


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A daemon that has run before the plugin comes."""
    process = DaemonProcess(tmp_path)
    process.start()
    yield process
    process.close()


def plugin(daemon: DaemonProcess) -> dict[str, Any] | None:
    """Return what the daemon says of the plugin."""
    return next((one for one in daemon.json("plugin", "list") if one["id"] == "node-words"), None)


def drop_in(built: Path, daemon: DaemonProcess) -> None:
    """Give the plugin to the daemon, and wait until it serves it."""
    plugins = daemon.data / "plugins"
    shutil.copytree(built, plugins / ".node-words")  # a dotted name is not looked at: it is served when it is whole
    (plugins / ".node-words").rename(plugins / "node-words")
    wait_until(lambda: (found := plugin(daemon)) is not None and found["state"] == "LOADED", "the plugin")


def run(daemon: DaemonProcess, text: str) -> Any:
    """Run the workflow to its end; return its output."""
    started = daemon.json("runs", "start", "turn", "--input", f'{{"text": "{text}"}}')
    wait_until(lambda: daemon.json("runs", "show", started["run_id"])["state"] in ("SUCCEEDED", "FAILED"), "the run")
    return daemon.json("runs", "show", started["run_id"])


@pytest.mark.timeout(240)
def test_it_is_dropped_in_used_killed_and_back(built: Path, daemon: DaemonProcess, tmp_path: Path) -> None:
    """Action, options, failure in its own words, trigger with a cursor; after kill -9 the daemon starts it again."""
    drop_in(built, daemon)
    for name, text in (("turn", TURN), ("ticks", TICKS)):
        (tmp_path / f"{name}.yaml").write_text(text)
        daemon.ok("workflow", "register", str(tmp_path / f"{name}.yaml"))

    first = run(daemon, "hello")["output"]
    assert (first["text"], first["count"]) == ("olleh", 1)
    assert run(daemon, "")["failures"][0]["code"] == "EMPTY"
    assert "Give one in `text`" in daemon.ok("explain", "EMPTY")
    wait_until(lambda: len(daemon.json("runs", "list", "--filter", 'workflow == "ticks"')) == 4, "four ticks")

    found = plugin(daemon)
    assert found is not None
    assert found["process"]["pid"] == first["pid"]
    os.kill(first["pid"], signal.SIGKILL)
    again = run(daemon, "again")["output"]
    assert (again["text"], again["count"]) == ("niaga", 2)
    assert again["pid"] != first["pid"]
    found = plugin(daemon)
    assert found is not None
    assert found["process"]["restarts"] == 1


@pytest.mark.timeout(400)
def test_an_attempt_outlives_two_daemons(built: Path, tmp_path: Path) -> None:
    """After kill -9 of the daemon, and of the next one, the process dials again: attempt 1 goes on and succeeds."""
    daemon = DaemonProcess(tmp_path, HOSTD_PLUGINS__LIMITS__ORPHAN="5m", HOSTD_PLUGINS__LIMITS__START="5m")
    try:
        daemon.start()
        drop_in(built, daemon)
        (tmp_path / "turn.yaml").write_text(TURN)
        daemon.ok("workflow", "register", str(tmp_path / "turn.yaml"))
        run_id = daemon.json("runs", "start", "turn", "--input", '{"text": "hello", "after_ms": 5000}')["run_id"]
        wait_until(lambda: daemon.json("runs", "show", run_id)["steps"][0]["state"] == "RUNNING", "the attempt")
        pid = (plugin(daemon) or {})["process"]["pid"]
        for _ in range(2):
            daemon.signal(signal.SIGKILL)
            daemon.wait()
            daemon.start()
            wait_until(lambda: (found := plugin(daemon)) is not None and found["state"] == "LOADED", "its coming back")

        wait_until(lambda: daemon.json("runs", "show", run_id)["state"] in ("SUCCEEDED", "FAILED"), "the run")
        ended = daemon.json("runs", "show", run_id)
        assert ended["output"] == {"text": "olleh", "count": 1, "pid": pid}
        assert ended["steps"][0]["attempts"] == 1
        assert "ATTEMPT_LOST" not in daemon.ok("runs", "history", run_id)
        assert daemon.stop() == 0
    finally:
        daemon.close()


def test_its_protocol_is_the_one_that_is_served() -> None:
    """The example's copy of the protocol's file is the original."""
    assert (EXAMPLE / "host.proto").read_bytes() == PROTO.read_bytes()
