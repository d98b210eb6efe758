"""Telling a service manager, over a real socket."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostd.config.service_manager import ServiceManager


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen as a service manager does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(120)
        yield listener


def lines(listener: socket.socket) -> list[str]:
    """Return one datagram's lines."""
    return listener.recv(4096).decode().split("\n")


def test_every_state_is_said_in_one_datagram(heard: socket.socket) -> None:
    """Names and values are those of sd_notify(3); a status is one line."""
    manager = ServiceManager({"NOTIFY_SOCKET": heard.getsockname()})

    manager.ready("serves\nall")
    manager.reloading(123)
    manager.stopping("drains", within_s=2.5)
    manager.alive()
    manager.status("x" * 1000)

    assert lines(heard) == ["READY=1", "STATUS=serves all"]
    assert lines(heard) == ["RELOADING=1", "MONOTONIC_USEC=123"]
    assert lines(heard) == ["STOPPING=1", "EXTEND_TIMEOUT_USEC=2500000", "STATUS=drains"]
    assert lines(heard) == ["WATCHDOG=1"]
    assert len(lines(heard)[0]) < 400


def test_a_name_without_a_file_works_too() -> None:
    """Linux has sockets in no folder; containers use them."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("")  # the kernel chooses a free abstract name
        listener.settimeout(120)
        ServiceManager({"NOTIFY_SOCKET": "@" + listener.getsockname()[1:].decode()}).alive()

        assert lines(listener) == ["WATCHDOG=1"]


def test_processes_we_start_cannot_speak_for_us() -> None:
    """The variables are taken out of the environment."""
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "7", "PATH": "/bin"}

    ServiceManager(environ)

    assert environ == {"PATH": "/bin"}


@pytest.mark.parametrize(
    ("environ", "every_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "41"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_twice_in_its_time(environ: dict[str, str], every_s: float | None) -> None:
    """Only where it is ours."""
    assert ServiceManager(environ, pid=42).watchdog_s == every_s


def test_a_manager_that_is_gone_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The daemon goes on."""
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")})

    with caplog.at_level(logging.WARNING, "hostd.config"):
        manager.alive()
        manager.alive()

    assert len(caplog.records) == 1
