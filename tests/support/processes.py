"""Real daemons as processes, driven by the command line: what a person has."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HOSTD = [sys.executable, "-m", "hostd"]


FIRST_PORT, PORTS_OF_A_WORKER = 10_000, 1_000  # below what systems hand out to who asks for any


def _ports() -> Iterator[int]:
    """Yield ports of this worker's own, round and round: none comes twice soon, none to another test meanwhile."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 5
    at = random.randrange(PORTS_OF_A_WORKER)
    while True:
        yield FIRST_PORT + worker * PORTS_OF_A_WORKER + at
        at = (at + 1) % PORTS_OF_A_WORKER


PORTS = _ports()


def free_port() -> int:
    """Return a port that nobody listens on, and nobody will before who asked does."""
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("it goes on for ever")


class DaemonProcess:
    """One data folder and the daemon on it."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "daemon.log"
        self.listen = f"127.0.0.1:{free_port()}"
        self.http = f"127.0.0.1:{free_port()}"
        outer = {name: value for name, value in os.environ.items() if not name.startswith("HOSTD_")}
        self.env = {**outer, "HOSTD_DATA": str(self.data), **env}
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self, *flags: str) -> subprocess.Popen[bytes]:
        """Start the process and wait for nothing."""
        command = [*HOSTD, "serve", "--listen", self.listen, "--http", self.http, *flags]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        return self.process

    def start(self, *flags: str) -> None:
        """Start the process and wait until it answers."""
        process = self.spawn(*flags)
        wait_until(lambda: self.run("health").returncode == 0 or process.poll() is not None, "the daemon")
        assert process.poll() is None, self.log.read_text()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command against the daemon."""
        return subprocess.run(
            [*HOSTD, *arguments], env=self.env, capture_output=True, text=True, check=False, timeout=120
        )

    def ok(self, *arguments: str) -> str:
        """Run a command that must succeed; return what it prints."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"hostd {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """Run a command and return the JSON it prints; several lines give a list."""
        lines = [json.loads(line) for line in self.ok(*arguments, "-o", "json").splitlines()]
        return lines[0] if len(lines) == 1 else lines

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; return the exit code."""
        self.signal(number)
        return self.wait()

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Send a signal to the daemon."""
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds: float = 120) -> int:
        """Wait for the daemon's end; return its exit code."""
        assert self.process is not None
        return self.process.wait(timeout=seconds)

    def close(self) -> None:
        """End the daemon, whatever it does."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def wait_until(test: Callable[[], Any], what: str, seconds: float = 120) -> None:
    """Ask again and again until it holds."""
    until = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < until, f"gave up waiting for {what}"
        time.sleep(0.05)
