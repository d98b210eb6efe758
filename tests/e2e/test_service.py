"""A daemon below a service manager: what it is told, the port it hands over, and reloading by signal and by command."""

from __future__ import annotations

import json
import queue
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from effects import shows
from processes import HOSTD, DaemonProcess

# What a manager does between fork and exec: descriptor 3 is the socket, and LISTEN_PID is who gets it.
AS_SERVICE = 'exec 3<&"$1"; shift; LISTEN_PID=$$ exec "$@"'


class Manager:
    """Listens to a daemon, and holds the HTTP port while it is away."""

    def __init__(self, folder: Path) -> None:
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(str(folder / "notify"))
        self._heard: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._hear, daemon=True)
        self._reader.start()
        self.port = socket.create_server(("127.0.0.1", 0))
        self.daemon = DaemonProcess(
            folder,
            NOTIFY_SOCKET=str(folder / "notify"),
            WATCHDOG_USEC="200000",
            LISTEN_FDS="1",
            LISTEN_FDNAMES="http",
        )

    def _hear(self) -> None:
        """Take what comes at once: a socket holds as few as ten messages, and what finds it full is lost."""
        while message := self.notified.recv(4096):
            self._heard.put(message.decode().split("\n"))

    def begin(self) -> None:
        """Start the daemon and wait until it says what it does first."""
        number = self.port.fileno()
        command = ["bash", "-c", AS_SERVICE, "manager", str(number), *HOSTD, "serve", "--listen", "127.0.0.1:0"]
        with self.daemon.log.open("ab") as log:
            self.daemon.process = subprocess.Popen(
                command, env=self.daemon.env, stdout=log, stderr=log, pass_fds=[number]
            )
        self.until("STATUS=opens the journal and loads plugins")

    def start(self) -> None:
        """Start the daemon and wait until it says that it is ready."""
        self.begin()
        self.until("READY=1")

    def until(self, first: str) -> list[str]:
        """Return the lines of the first message that begins so."""
        while True:
            lines = self._heard.get(timeout=120)
            if lines[0] == first:
                return lines

    def livez(self, host: str) -> int:
        """Return what the port answers to a request that calls it so."""
        address = f"http://127.0.0.1:{self.port.getsockname()[1]}/livez"
        try:
            with urllib.request.urlopen(urllib.request.Request(address, headers={"Host": host}), timeout=60) as answer:
                status: int = answer.status
                return status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def close(self) -> None:
        """Let go of everything."""
        self.daemon.close()
        self.port.close()
        self.notified.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self.notified.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """Return a manager whose daemon is not started yet."""
    (tmp_path / "data").mkdir(mode=0o700)
    found = Manager(tmp_path)
    yield found
    found.close()


@pytest.mark.timeout(400)
@shows("limits.drain", "log.level", "log.format")
def test_a_daemon_is_a_good_service(manager: Manager) -> None:
    """READY, watchdog, RELOADING, STOPPING; the port it was given; what came while it was away is answered after."""
    daemon, file = manager.daemon, manager.daemon.data / "hostd.yaml"
    manager.start()
    manager.until("WATCHDOG=1")
    assert (manager.livez("127.0.0.1"), manager.livez("a.example")) == (200, 403)

    file.write_text("http: {hosts: [a.example]}\nlua: {workers: 2}\n")
    daemon.signal(signal.SIGHUP)
    begun = manager.until("RELOADING=1")
    assert begun[1].removeprefix("MONOTONIC_USEC=").isdecimal()
    assert "1 changed, 1 wait" in manager.until("READY=1")[1]
    assert manager.livez("a.example") == 200

    file.write_text("http: {hosts: [b.example], prot: 1}\n")
    daemon.signal(signal.SIGHUP)
    assert "http.prot" in manager.until("READY=1")[1]
    assert (manager.livez("a.example"), manager.livez("b.example")) == (200, 403)
    refused = daemon.run("config", "reload")
    assert refused.returncode == 2
    assert f"{file}:1:28 http.prot: KEY_UNKNOWN" in refused.stderr

    running = {item["key"]: item for item in daemon.json("config", "show", "--running", "--origin")}
    assert running["http.hosts"]["value"] == ["a.example"]
    assert (running["lua.workers"]["value"], running["lua.workers"]["restart_needed"]) == (4, True)

    file.write_text("limits: {drain: 7s}\n")
    assert daemon.json("config", "reload")["changes"]
    daemon.signal(signal.SIGTERM)
    assert manager.until("STOPPING=1")[1] == f"EXTEND_TIMEOUT_USEC={(7 + 30) * 1_000_000}"
    assert daemon.wait() == 0

    size = daemon.log.stat().st_size
    file.write_text("log: {level: warning}\n")
    with socket.create_connection(manager.port.getsockname()) as early:
        early.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        manager.start()
        early.settimeout(60)
        assert early.recv(4096).startswith(b"HTTP/1.1 200")
    assert "daemon_ready" not in daemon.log.read_text()[size:]
    _logs_more_on_demand(daemon)


@pytest.mark.timeout(400)
def test_signals_that_come_while_it_starts_wait_until_it_has(manager: Manager) -> None:
    """A reload asked for early happens after the start; an early end drains as any other."""
    daemon = manager.daemon
    manager.begin()
    daemon.signal(signal.SIGHUP)
    manager.until("READY=1")
    manager.until("RELOADING=1")
    manager.until("READY=1")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0

    manager.begin()
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert "daemon_stopped" in daemon.log.read_text()


def _logs_more_on_demand(daemon: DaemonProcess) -> None:
    """Check that the level changes while the daemon runs, and that a reload that finds another one holds at once."""
    size = daemon.log.stat().st_size
    assert daemon.json("config", "log-level", "hostd.runtime=info") == {"log_levels": {"hostd.runtime": "info"}}
    daemon.ok("config", "log-level", "error", "hostd.runtime=")
    assert json.loads(daemon.ok("config", "log-level", "-o", "json")) == {"log_levels": {"": "error"}}
    (daemon.data / "hostd.yaml").write_text("log: {level: info, format: json}\n")
    daemon.ok("config", "reload")
    assert json.loads(daemon.ok("config", "log-level", "-o", "json")) == {"log_levels": {}}
    said = daemon.log.read_text()[size:].splitlines()
    assert any("log_level_changed of=hostd.runtime to=info" in line for line in said)
    assert any(line.startswith("{") and json.loads(line)["event"] == "config_reloaded" for line in said)


def test_a_socket_for_grpc_is_refused_with_the_reason(manager: Manager) -> None:
    """gRPC's server opens its own port; a unit that hands it one is told so at the start."""
    manager.daemon.env["LISTEN_FDNAMES"] = "grpc"
    number = manager.port.fileno()

    done = subprocess.run(
        ["bash", "-c", AS_SERVICE, "manager", str(number), *HOSTD, "serve"],
        env=manager.daemon.env, pass_fds=[number], capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert done.returncode == 2
    assert "gRPC opens its own port" in done.stderr
