"""How a client is made: from arguments, environment and data folder; what its calls carry."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import grpc
import pytest
import trustme
from scripted_server import Scripted, ScriptedServer

from hostd.client import BlockingClient, Client, Door, Tls, connect, connect_blocking, errors
from hostd.client.address import found_tls

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_tls_and_token_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both clients speak TLS, mutually, with the files that variables name, and send the token of a file."""
    authority = trustme.CA()
    theirs, ours = authority.issue_cert("127.0.0.1"), authority.issue_cert("client@example.org")
    files = {"CA": authority.cert_pem, "CERT": ours.cert_chain_pems[0], "KEY": ours.private_key_pem}
    for name, pem in files.items():
        pem.write_to_path(tmp_path / name)
        monkeypatch.setenv(f"HOSTD_TLS_{name}", str(tmp_path / name))
    (tmp_path / "token").write_text("secret\n")
    monkeypatch.setenv("HOSTD_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("HOSTD_NAMESPACE", "team")
    pair = (theirs.private_key_pem.bytes(), b"".join(pem.bytes() for pem in theirs.cert_chain_pems))
    secure = grpc.ssl_server_credentials([pair], authority.cert_pem.bytes(), require_client_auth=True)
    servicer = Scripted()
    with ScriptedServer(servicer, secure) as server:
        with connect_blocking(server.address) as blocking:
            blocking.get_run("r")
        async with connect(server.address) as client:
            await client.get_run("r")
            await client.with_options(namespace="other").get_run("r")
        monkeypatch.delenv("HOSTD_TLS_CA")
        monkeypatch.delenv("HOSTD_TLS_CERT")
        monkeypatch.delenv("HOSTD_TLS_KEY")
        with connect_blocking(server.address) as plain, pytest.raises(errors.Unreachable):
            plain.get_run("r")

    assert [request.namespace for request in servicer.requests] == ["team", "team", "other"]
    assert {sent["authorization"] for sent in servicer.metadata} == {"Bearer secret"}


@pytest.mark.parametrize("given", [{"CERT": "c"}, {"CA": "a", "KEY": "k"}, {"CERT": "c", "KEY": "k"}])
def test_halves_of_tls_are_refused(given: dict[str, str]) -> None:
    """A certificate without its key, or without an authority, is a mistake."""
    with pytest.raises(errors.HostdError, match="go together"):
        found_tls({f"HOSTD_TLS_{name}": value for name, value in given.items()})


def test_what_cannot_be_an_address_is_an_argument() -> None:
    """Errors of connecting have classes, too."""
    with pytest.raises(errors.ArgumentInvalid, match="not an address"):
        connect_blocking("nowhere")
    with pytest.raises(errors.ArgumentInvalid, match="cannot be read"):
        connect_blocking("127.0.0.1:1", tls=Tls(Path("/nonexistent")))


@pytest.mark.parametrize(
    "name,value", [("X-A", "x"), ("authorization", "x"), ("grpc-x", "y"), ("a b", "c"), ("a", "\n")]
)
def test_metadata_that_cannot_be_sent_is_refused(name: str, value: str) -> None:
    """Nothing is quietly dropped, and the token is not to be replaced."""
    with BlockingClient(Door("127.0.0.1:1")) as client, pytest.raises(errors.ArgumentInvalid):
        client.with_options(metadata={name: value})


async def test_metadata_goes_with_every_call() -> None:
    """What was given last wins, the client it was derived from stays as it was."""
    servicer = Scripted()
    with ScriptedServer(servicer) as server:
        async with Client(Door(server.address, "t")) as client:
            traced = client.with_options(metadata={"traceparent": PARENT, "x-tenant": "a"})
            await traced.with_options(metadata={"x-tenant": "b"}).get_run("r")
            await client.get_run("r")

    first, second = servicer.metadata
    assert (first["traceparent"], first["x-tenant"], first["authorization"]) == (PARENT, "b", "Bearer t")
    assert "traceparent" not in second


def test_the_current_span_travels_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the program uses OpenTelemetry, its propagator says what is sent; what the caller gives goes before."""
    current = {"traceparent": PARENT, "tracestate": "a=1"}
    propagate = ModuleType("opentelemetry.propagate")
    propagate.inject = lambda carrier: carrier.update(current)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", ModuleType("opentelemetry.trace"))
    monkeypatch.setitem(sys.modules, "opentelemetry.propagate", propagate)
    servicer = Scripted()
    other = PARENT.replace("b7", "c8")
    with ScriptedServer(servicer) as server, BlockingClient(Door(server.address)) as client:
        client.get_run("r")
        client.with_options(metadata={"traceparent": other}).get_run("r")

    assert [(sent["traceparent"], sent["tracestate"]) for sent in servicer.metadata] == [
        (PARENT, "a=1"),
        (other, "a=1"),
    ]


def test_a_client_does_not_survive_a_fork() -> None:
    """A child that uses its parent's client is told so instead of hanging in gRPC."""
    client = BlockingClient(Door("127.0.0.1:1"))
    client._life._process = os.getpid() + 1  # as a child of it sees it
    with pytest.raises(RuntimeError, match="fork"):
        client.get_run("r")
    client.close()
