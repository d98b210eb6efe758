"""Sockets that are handed over, as file descriptors from 3 on."""

import json
import socket
import subprocess
import sys
from typing import Any

import pytest

from hostd.config.given_sockets import given_http_socket

ASK = """
import json, os, sys
from hostd.config.given_sockets import bound_to, given_http_socket
from hostd.errors.base import HostdError
os.environ["LISTEN_PID"] = str(os.getpid())
try:
    given = given_http_socket(os.environ)
    found = [list(bound_to(given)), os.get_inheritable(given.fileno())] if given else None
except HostdError as error:
    found = [error.reason, error.message]
print(json.dumps([found, [name for name in os.environ if name.startswith("LISTEN_")]]))
"""


def handed(number: int, *, count: int = 1, names: str = "") -> Any:
    """Return what a process makes of a descriptor of ours that is its third, and what it leaves in its environment."""
    shell = f'exec 3<&{number}; exec "$0" -c "$1"'
    done = subprocess.run(
        ["bash", "-c", shell, sys.executable, ASK],
        env={"LISTEN_FDS": str(count), "LISTEN_FDNAMES": names, "PYTHONPATH": ":".join(sys.path)},
        pass_fds=[number],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["http", "", "hostd.socket"])
def test_a_listening_socket_is_the_http_port(name: str) -> None:
    """By its name, by none, and by the name systemd gives; no process of ours inherits it or thinks it is its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = list(server.getsockname())

        assert handed(server.fileno(), names=name) == [[address, False], []]


def test_what_cannot_be_used_is_refused_with_a_reason() -> None:
    """Two sockets, one for gRPC, a datagram, one that does not listen, none at all."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as idle, socket.socket(type=2) as datagram:
        found = [
            handed(server.fileno(), count=2, names="http:grpc")[0],
            handed(server.fileno(), names="grpc")[0],
            handed(idle.fileno())[0],
            handed(datagram.fileno())[0],
        ]

    assert {reason for reason, _ in found} == {"CONFIG_INVALID"}
    assert all("gRPC opens its own port" in message for _, message in found[:2])
    assert all("no listening TCP socket" in message for _, message in found[2:])


@pytest.mark.parametrize("environ", [{}, {"LISTEN_FDS": "1", "LISTEN_PID": "1"}, {"LISTEN_FDS": "x"}])
def test_sockets_of_somebody_else_are_left_alone(environ: dict[str, str]) -> None:
    """A process below the one that was started has none."""
    assert given_http_socket(dict(environ), pid=42) is None
