"""A plugin in a process of its own, and a daemon that is killed above it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import DaemonProcess, wait_until

OUTSIDE = {"HOSTD_PLUGINS__PROCESS": '["mock"]', "HOSTD_PLUGINS__SETTINGS__MOCK__HARMFUL": "true"}
SLOW = """
workflow: slow
steps:
  a: {uses: mock.append, with: {file: "%s", then_wait: 3s}}
  b: {uses: mock.echo, needs: a, with: {value: "${{ steps.a.output.attempt }}"}}
output: ${{ steps.b.output }}
"""

LATE = '''
import asyncio
from hostd.plugin import Action, Field, Options, Registry, hookimpl

class SayOptions(Options):
    hold: bool = Field(False, description="Come to no end.")

class Say(Action[SayOptions]):
    """Says nothing."""

    id, since, stability, effects, executors = "late.say", "0.1", "stable", "at_most_once", ("inline", "process")

    async def run(self, ctx, options):
        await asyncio.sleep(3600 if options.hold else 0)

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Say)
'''


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A data folder whose daemon runs the mock plugin outside."""
    process = DaemonProcess(tmp_path, **OUTSIDE)
    yield process
    if process.process is not None and process.process.poll() is None:
        process.signal(signal.SIGTERM)
        process.wait()
    process.close()


def begin(daemon: DaemonProcess) -> tuple[str, Path]:
    """Register and start; return the run, and the file its step wrote to."""
    marks = daemon.log.with_name("marks.txt")
    file = daemon.log.with_name("workflow.yaml")
    file.write_text(SLOW % marks)
    daemon.ok("workflow", "register", str(file))
    run_id: str = daemon.json("runs", "start", "slow")["run_id"]
    wait_until(lambda: marks.exists() and marks.read_text(), "the step's mark")
    return run_id, marks


def ended(daemon: DaemonProcess, run_id: str) -> dict[str, object]:
    """Wait for a run's end."""
    wait_until(lambda: daemon.json("runs", "show", run_id)["state"] in ("SUCCEEDED", "FAILED"), "the run")
    run: dict[str, object] = daemon.json("runs", "show", run_id)
    return run


def plugin_pid(daemon: DaemonProcess) -> int:
    """Return the id of the plugin's process."""
    import json

    [note] = (daemon.data / "run" / "plugins").glob("mock.*.json")
    pid: int = json.loads(note.read_text())["pid"]
    return pid


def test_an_attempt_outlives_its_daemon(daemon: DaemonProcess) -> None:
    """After kill -9 the process dials the next daemon and hands over what it holds: the step runs once."""
    daemon.start()
    run_id, marks = begin(daemon)
    pid = plugin_pid(daemon)

    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon.start()

    assert ended(daemon, run_id)["output"] == 1
    assert len(marks.read_text().splitlines()) == 1
    assert plugin_pid(daemon) == pid
    kinds = [record["kind"] for record in daemon.json("runs", "history", run_id)]
    assert "ATTEMPT_LOST" not in kinds


def test_an_attempt_of_a_starter_without_the_sdk_outlives_its_daemon(tmp_path: Path) -> None:
    """What `plugin new --runtime exec` writes names no path of its author's, and goes on over kill -9 of the daemon."""
    limits = {"HOSTD_PLUGINS__LIMITS__ORPHAN": "5m", "HOSTD_PLUGINS__LIMITS__START": "5m"}
    daemon = DaemonProcess(tmp_path, PATH="/usr/bin:/bin", **limits)
    daemon.ok("plugin", "new", "greeter", "--runtime", "exec", "--dir", str(tmp_path))
    written = tmp_path / "greeter" / "plugin.py"
    assert all(sys.prefix not in file.read_text() for file in written.parent.iterdir())
    began = tmp_path / "began"  # not in its folder: that would be a change of the plugin
    noted = f"open({str(began)!r}, 'a').write('x'); time.sleep(5)\n    return" + ' {"text"'
    written.write_text(written.read_text().replace('return {"text"', noted))
    try:
        daemon.start()
        written.parent.rename(daemon.data / "plugins" / "greeter")
        wait_until(lambda: "greeter.say" in daemon.run("plugin", "show", "greeter").stdout, "the plugin")
        (tmp_path / "w.yaml").write_text(
            "{workflow: greet, steps: {a: {uses: greeter.say, with: {name: Ed}}}, output: '${{ steps.a.output.text }}'}"
        )
        daemon.ok("workflow", "register", str(tmp_path / "w.yaml"))
        run_id: str = daemon.json("runs", "start", "greet")["run_id"]
        wait_until(began.exists, "the attempt")

        daemon.signal(signal.SIGKILL)
        daemon.wait()
        daemon.start()

        assert ended(daemon, run_id)["output"] == "hello Ed"
        assert began.read_text() == "x"
        assert "ATTEMPT_LOST" not in daemon.ok("runs", "history", run_id)
        assert daemon.stop() == 0
    finally:
        daemon.close()


def test_a_process_that_comes_long_after_its_daemon_hands_over_too(daemon: DaemonProcess) -> None:
    """The next daemon serves, and has decided about everything else, before the process dials: the step runs once."""
    daemon.env |= {"HOSTD_PLUGINS__LIMITS__ORPHAN": "10m", "HOSTD_PLUGINS__LIMITS__START": "5m"}
    daemon.start()
    run_id, marks = begin(daemon)
    pid = daemon.json("plugin", "show", "mock")["process"]["pid"]

    os.kill(pid, signal.SIGSTOP)
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon.start()
    steps = daemon.json("runs", "show", run_id)["steps"]
    assert [step["state"] for step in steps] == ["RUNNING", "PENDING"]
    os.kill(pid, signal.SIGCONT)

    assert ended(daemon, run_id)["output"] == 1
    assert len(marks.read_text().splitlines()) == 1
    assert "ATTEMPT_LOST" not in daemon.ok("runs", "history", run_id)


def test_an_attempt_whose_process_dies_with_the_daemon_is_issued_again(daemon: DaemonProcess) -> None:
    """Both are killed: the next daemon starts the process anew and the step again."""
    daemon.start()
    run_id, marks = begin(daemon)
    pid = plugin_pid(daemon)

    daemon.signal(signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    daemon.wait()
    daemon.start()

    assert ended(daemon, run_id)["output"] == 2
    assert len(marks.read_text().splitlines()) == 2


@pytest.mark.slow
def test_steps_wait_for_a_plugin_that_changed_while_the_daemon_was_down(tmp_path: Path) -> None:
    """What ran is judged by the action's own `effects`, what is READY begins, both when the plugin has come at last."""
    daemon, go = DaemonProcess(tmp_path), tmp_path / "go"
    plugin = daemon.data / "plugins" / "late" / "__init__.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(LATE)
    for name, hold in (("held", "true"), ("free", "false")):
        (tmp_path / name).write_text(f"workflow: {name}\nsteps:\n  a: {{uses: late.say, with: {{hold: {hold}}}}}\n")
    try:
        daemon.start()
        for name in ("held", "free"):
            daemon.ok("workflow", "register", str(tmp_path / name))
        ran = daemon.json("runs", "start", "held")["run_id"]
        wait_until(lambda: "RUNNING" in states(daemon, ran), "the step that runs")
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        plugin.write_text(
            f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.05)\n{LATE}"
        )
        daemon.start()
        started = daemon.json("runs", "start", "free")["run_id"]
        wait_until(lambda: "READY" in states(daemon, started), "the step that waits")
        assert states(daemon, ran) == ["RUNNING"]
        assert daemon.json("plugin", "show", "late")["state"] == "STARTING"

        go.touch()

        assert ended(daemon, started)["state"] == "SUCCEEDED"
        assert ended(daemon, ran)["state"] == "FAILED"
        assert "OUTCOME_UNKNOWN" in daemon.ok("runs", "history", ran)
        assert daemon.stop() == 0
    finally:
        daemon.close()


def states(daemon: DaemonProcess, run_id: str) -> list[str]:
    """Return how the steps of a run are."""
    return [step["state"] for step in daemon.json("runs", "show", run_id)["steps"]]


def test_the_process_goes_when_the_daemon_stops(daemon: DaemonProcess) -> None:
    """A daemon that stops in good order leaves no process behind."""
    daemon.start()
    pid = plugin_pid(daemon)

    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_process_goes_when_no_daemon_comes_back(daemon: DaemonProcess) -> None:
    """An orphan waits for the next daemon a while, then ends by itself."""
    daemon.env["HOSTD_PLUGINS__LIMITS__ORPHAN"] = "1s"
    daemon.start()
    pid = plugin_pid(daemon)

    daemon.signal(signal.SIGKILL)
    daemon.wait()

    wait_until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text(), "its end")
