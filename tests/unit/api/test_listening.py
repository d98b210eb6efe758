"""Which addresses the gRPC port takes."""

import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from requires import lacking

from hostd.api.listening import is_loopback, listen_tcp
from hostd.config.rooms import Tls
from hostd.errors.base import HostdError

PLAIN = Tls()


@pytest.fixture
async def server() -> AsyncIterator[grpc.aio.Server]:
    """A server that serves nothing."""
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    yield server
    await server.stop(0)


@pytest.mark.parametrize("host, expected", [
    ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
    ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("localhost.example", False),
])  # fmt: skip
def test_loopback_is_this_machine_alone(host: str, expected: bool) -> None:
    """A name that merely looks like it is not."""
    assert is_loopback(host) is expected


async def test_beyond_loopback_needs_tls_or_a_word(server: grpc.aio.Server) -> None:
    """Tokens never go out in the clear by accident."""
    with pytest.raises(HostdError, match="INSECURE_LISTEN"):
        listen_tcp(server, "0.0.0.0:0", tls=PLAIN, insecure=False)
    assert listen_tcp(server, "0.0.0.0:0", tls=PLAIN, insecure=True).port > 0


async def test_a_taken_port_is_named(server: grpc.aio.Server) -> None:
    """A second daemon is told, and does not quietly share the port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(HostdError, match="ADDRESS_IN_USE"):
            listen_tcp(server, f"127.0.0.1:{taken.getsockname()[1]}", tls=PLAIN, insecure=False)


async def test_an_address_of_another_machine_is_refused(server: grpc.aio.Server) -> None:
    """The system's own words say why."""
    with pytest.raises(HostdError, match="ADDRESS_REFUSED"):
        listen_tcp(server, "192.0.2.1:7420", tls=PLAIN, insecure=True)


@pytest.mark.parametrize("fields", [
    {"certificate": "c.pem"}, {"client_ca": "c.pem"}, {"certificate": "gone.pem", "key": "gone.pem"},
    {"certificate": "c.pem", "key": "c.pem", "key_password": "x"},
])  # fmt: skip
async def test_half_a_tls_is_refused(server: grpc.aio.Server, tmp_path: Path, fields: dict[str, str]) -> None:
    """It never falls back to plain text."""
    (tmp_path / "c.pem").write_text("")
    paths = {name: value if name == "key_password" else tmp_path / value for name, value in fields.items()}
    with pytest.raises(HostdError, match="CONFIG_INVALID"):
        listen_tcp(server, "127.0.0.1:0", tls=Tls(**paths), insecure=False)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a key and a certificate for localhost that signs itself."""
    if shutil.which("openssl") is None:
        lacking("openssl is not installed")
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return key, cert


async def test_tls_is_spoken_and_clients_can_be_asked_for_theirs(server: grpc.aio.Server, tmp_path: Path) -> None:
    """With `tls` the port speaks TLS only, beyond loopback too; with `client_ca` only clients that it signed get in."""
    key, cert = certificate(tmp_path, "server")
    client_key, client_cert = certificate(tmp_path, "client")
    tls = Tls(certificate=cert, key=key, client_ca=client_cert)
    bound = listen_tcp(server, "0.0.0.0:0", tls=tls, insecure=False)
    await server.start()
    root = cert.read_bytes()
    known = grpc.ssl_channel_credentials(root, client_key.read_bytes(), client_cert.read_bytes())
    for credentials, code in (
        (known, grpc.StatusCode.UNIMPLEMENTED),
        (grpc.ssl_channel_credentials(root), grpc.StatusCode.UNAVAILABLE),
        (None, grpc.StatusCode.UNAVAILABLE),
    ):
        address = f"localhost:{bound.port}"
        channel = grpc.aio.secure_channel(address, credentials) if credentials else grpc.aio.insecure_channel(address)
        async with channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary("/nothing/There")(b"")
        assert caught.value.code() is code
