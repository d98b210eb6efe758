"""The daemon as a process: how it starts, stops, and what it says when it cannot."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import DaemonProcess, wait_until

SLOW = """
workflow: slow
steps:
  a: {uses: mock.sleep, with: {duration: 1500ms}}
  b: {uses: mock.echo, needs: a, with: {value: done}}
output: ${{ steps.b.output }}
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A data folder whose daemon is ended after the test."""
    process = DaemonProcess(tmp_path)
    yield process
    process.close()


def register(daemon: DaemonProcess, text: str = SLOW) -> None:
    """Register a document."""
    file = daemon.log.with_name("workflow.yaml")
    file.write_text(text)
    daemon.ok("workflow", "register", str(file))


def mode(path: Path) -> int:
    """Return a file's permission bits."""
    return stat.S_IMODE(os.stat(path).st_mode)


def start_run(daemon: DaemonProcess) -> str:
    """Start the slow workflow; return the run's id once its first step runs."""
    run_id: str = daemon.json("runs", "start", "slow")["run_id"]
    return run_id


def test_a_stop_lets_running_attempts_end_and_starts_nothing_new(daemon: DaemonProcess) -> None:
    """SIGTERM: the running step's result is recorded, the next step waits for the next start; nothing is lost."""
    daemon.start()
    register(daemon)
    run_id = start_run(daemon)

    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    daemon.start()

    wait_until(lambda: daemon.json("runs", "show", run_id)["state"] == "SUCCEEDED", "the run")
    kinds = [record["kind"] for record in daemon.json("runs", "history", run_id)]
    assert "ATTEMPT_LOST" not in kinds
    assert kinds.count("ATTEMPT_SUCCEEDED") == 2


def test_a_second_signal_ends_it_at_once(daemon: DaemonProcess) -> None:
    """The attempt that was cut off is lost, and issued again at the next start."""
    daemon.start()
    register(daemon, SLOW.replace("1500ms", "20s"))
    start_run(daemon)

    daemon.signal(signal.SIGTERM)
    wait_until(lambda: "daemon_drains" in daemon.log.read_text(), "the drain")
    daemon.signal(signal.SIGTERM)

    assert daemon.wait(18) == 130  # less than the attempt takes


def test_the_data_folder_is_ours_alone(daemon: DaemonProcess) -> None:
    """Folder and socket folder are 0700, token and socket 0600."""
    daemon.start()

    assert mode(daemon.data) == mode(daemon.data / "run") == 0o700
    assert mode(daemon.data / "token") == mode(daemon.data / "run" / "hostd.sock") == 0o600


def test_a_port_in_use_is_named(daemon: DaemonProcess, tmp_path: Path) -> None:
    """The second daemon ends with ADDRESS_IN_USE and says which flag helps; the first goes on."""
    daemon.start()
    other = DaemonProcess(tmp_path / "other")
    other.data.parent.mkdir()
    other.listen = daemon.listen

    assert other.spawn().wait(timeout=120) != 0

    assert "ADDRESS_IN_USE" in other.log.read_text()
    assert "--listen" in other.log.read_text()
    assert "Traceback" not in other.log.read_text()
    assert daemon.run("health").returncode == 0


def test_one_folder_has_one_daemon(daemon: DaemonProcess, tmp_path: Path) -> None:
    """A second daemon on the same data folder ends with JOURNAL_LOCKED; the first goes on."""
    daemon.start()
    other = DaemonProcess(tmp_path)
    other.log = tmp_path / "other.log"

    assert other.spawn().wait(timeout=120) != 0

    assert "JOURNAL_LOCKED" in other.log.read_text()
    assert "Traceback" not in other.log.read_text()
    assert daemon.run("health").returncode == 0


def test_a_killed_daemon_leaves_no_process_behind(daemon: DaemonProcess) -> None:
    """kill -9 of the daemon ends its script workers, too."""
    daemon.start()
    assert daemon.process is not None
    wait_until(lambda: descendants(daemon.process.pid), "the script pool")  # type: ignore[union-attr]
    left = descendants(daemon.process.pid)

    daemon.signal(signal.SIGKILL)
    daemon.wait()

    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), "the workers' end")


def descendants(pid: int) -> list[int]:
    """Return the processes below one."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in thread.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def test_insecure_listening_is_refused(daemon: DaemonProcess) -> None:
    """Beyond loopback without TLS the daemon does not start unless told so."""
    daemon.listen = "0.0.0.0:0"

    assert daemon.spawn().wait(timeout=120) != 0

    said = daemon.log.read_text()
    assert "`listen` 0.0.0.0:0 is reachable from other machines" in said
    assert "--insecure" in said
