"""A watch of triggers that is resumed behind a `kill -9`: its token holds with the next daemon on the journal."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import HOSTD, DaemonProcess

from hostd.client import connect_blocking
from hostd.v1.run_service_pb2 import ChangeKind
from hostd.v1.trigger_service_pb2 import WatchTriggersRequest, WatchTriggersResponse

WORKFLOW = "workflow: w\nversion: VERSION\ntriggers:\nTRIGGERSsteps:\n  a: {uses: flow.pass}\n"
EVERY = "  NAME: {uses: cron.every, with: {period: 24h, catch_up: none}}\n"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A daemon."""
    daemon = DaemonProcess(tmp_path)
    daemon.start()
    yield daemon
    daemon.close()


def register(daemon: DaemonProcess, version: str, *names: str) -> None:
    """Register and activate a version with these triggers."""
    file = daemon.folder / "w.yaml"
    triggers = "".join(EVERY.replace("NAME", name) for name in names)
    file.write_text(WORKFLOW.replace("VERSION", version).replace("TRIGGERS", triggers))
    daemon.ok("workflow", "register", str(file))


def first_message(daemon: DaemonProcess, token: str = "") -> WatchTriggersResponse:
    """Return the first message of a watch."""
    with connect_blocking(data=daemon.data) as client:
        call = client.triggers.WatchTriggers(WatchTriggersRequest(resume_token=token), timeout=60)
        message: WatchTriggersResponse = next(iter(call))
        call.cancel()
    return message


def told(message: WatchTriggersResponse) -> list[tuple[str, str]]:
    """Return kinds and names."""
    return sorted((ChangeKind.Name(one.kind).removeprefix("CHANGE_KIND_"), one.trigger.name) for one in message.changes)


def test_a_watch_of_triggers_is_resumed_behind_a_kill(daemon: DaemonProcess) -> None:
    """What came and went before and after the kill is told once; what is still there began anew, and says so."""
    register(daemon, "1.0.0", "stays", "goes", "gone")
    snapshot = first_message(daemon)
    register(daemon, "1.1.0", "stays", "goes", "early")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon.start()
    register(daemon, "1.2.0", "stays", "late", "early")
    daemon.ok("trigger", "pause", "w", "stays")
    after = first_message(daemon, snapshot.resume_token)

    assert told(snapshot) == [("ADDED", "goes"), ("ADDED", "gone"), ("ADDED", "stays")]
    expected = [("ADDED", "early"), ("ADDED", "late"), ("DELETED", "goes"), ("DELETED", "gone"), ("MODIFIED", "stays")]
    assert told(after) == expected


def test_the_command_watches_on_behind_a_kill(daemon: DaemonProcess) -> None:
    """`hostd trigger watch` says that the daemon is away, finds it again, and prints what changes there."""
    register(daemon, "1.0.0", "stays")
    watch = subprocess.Popen(
        [*HOSTD, "trigger", "watch", "-o", "json"],
        env=daemon.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watch.stdout is not None
    changes = (json.loads(line) for line in watch.stdout)
    try:
        assert next(changes)["kind"] == "ADDED"
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        daemon.start()
        daemon.ok("trigger", "pause", "w", "stays")
        assert any(change["trigger"]["state"] == "PAUSED" for change in changes)
    finally:
        watch.kill()
        _, told = watch.communicate(timeout=60)
    assert told == "the connection was lost; looking for the daemon for up to 60 s\n"
