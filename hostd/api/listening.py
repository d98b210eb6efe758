"""Binding a gRPC server to addresses: what is refused, and why it could not be had."""

from __future__ import annotations

import errno
import ipaddress
import socket
from pathlib import Path

import grpc

from hostd.config.rooms import Tls
from hostd.config.types import HostPort, parse_address
from hostd.errors.base import HostdError, Kind, invalid


def listen_unix(server: grpc.aio.Server, path: Path) -> None:
    """Bind to a Unix socket, 0600. Its folder is ours alone, so nobody slips in before the mode is set."""
    try:
        server.add_insecure_port(f"unix:{path}")
        path.chmod(0o600)
    except (RuntimeError, OSError) as error:
        raise invalid("ADDRESS_REFUSED", f"cannot listen on {path}: {error}") from None


def listen_tcp(server: grpc.aio.Server, address: str, *, tls: Tls, insecure: bool) -> HostPort:
    """Bind to a TCP address; return it with the port that the system chose where it was 0.

    Raises:
        HostdError: INSECURE_LISTEN beyond loopback without TLS, ADDRESS_IN_USE, ADDRESS_REFUSED, CONFIG_INVALID.
    """
    host, port = parse_address(address)
    credentials = read_credentials(tls)
    if credentials is None and not insecure and not is_loopback(host):
        message = f"listening on {address} without TLS sends tokens in the clear; configure `tls`, or say --insecure"
        raise invalid("INSECURE_LISTEN", message)
    text = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if credentials is None:
            bound = server.add_insecure_port(text)
        else:
            bound = server.add_secure_port(text, credentials)
    except RuntimeError:
        raise _cannot_listen(address, host, port) from None
    return HostPort(host, bound)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine and reachable from nowhere else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_credentials(tls: Tls) -> grpc.ServerCredentials | None:
    """Return the TLS credentials, None where none are configured. Raises HostdError CONFIG_INVALID."""
    if tls.certificate is None and tls.key is None and tls.client_ca is None:
        return None
    if tls.certificate is None or tls.key is None:
        raise invalid("CONFIG_INVALID", "`tls` needs both `certificate` and `key`")
    try:
        key = tls.key.read_bytes()
        if tls.key_password is not None:
            key = _unlocked(key, tls.key_password.get_secret_value())
        pair = (key, tls.certificate.read_bytes())
        ca = tls.client_ca.read_bytes() if tls.client_ca is not None else None
    except OSError as error:
        raise invalid("CONFIG_INVALID", f"`tls`: {error}") from None
    return grpc.ssl_server_credentials([pair], root_certificates=ca, require_client_auth=ca is not None)


def _unlocked(key: bytes, password: str) -> bytes:
    """Return a private key without its password, in memory: gRPC takes none that has one. Raises CONFIG_INVALID."""
    try:
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
            load_pem_private_key,
        )
    except ImportError:
        message = "`tls.key_password` needs `pip install 'hostd[secrets]'`, or a key without one in a file of mode 0600"
        raise invalid("CONFIG_INVALID", message) from None
    try:
        found = load_pem_private_key(key, password.encode())
    except (ValueError, TypeError):
        raise invalid("CONFIG_INVALID", "`tls.key` is no PEM private key that `tls.key_password` opens") from None
    return found.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _cannot_listen(address: str, host: str, port: int) -> HostdError:
    """Return why grpc could not bind, which it does not say: the system does when we try ourselves."""
    try:
        family, kind, number, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen(1)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return invalid("ADDRESS_REFUSED", f"cannot listen on {address}: {error.strerror or error}")
    return HostdError(Kind.UNAVAILABLE, "ADDRESS_IN_USE", f"another program listens on {address}, our `listen`")
