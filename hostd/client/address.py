"""Where a daemon listens and with which token: flags, then environment, then the data folder. Standard library only."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hostd.client.typed_errors import bad_argument
from hostd.errors.base import HostdError

SOCKET = Path("run") / "hostd.sock"
ELSEWHERE = Path("run") / "address"  # written where the data folder's path is too long for a socket
_LOOPBACK_NAMES = {"localhost", "ip6-localhost"}


class Tls(NamedTuple):
    """PEM files: the authority the daemon's certificate is checked against, and our own certificate with its key."""

    authority: Path | str
    certificate: Path | str | None = None
    key: Path | str | None = None


class Door(NamedTuple):
    """How to reach a daemon. `address` is `HOST:PORT` or `unix:PATH`; an empty token is not sent."""

    address: str
    token: str = ""
    tls: Tls | None = None

    @property
    def local(self) -> bool:
        """Whether the address is on this machine for certain."""
        return is_local(self.address)


def find_door(
    *,
    address: str | None = None,
    data: str | Path | None = None,
    token: str | None = None,
    tls: Tls | None = None,
    env: Mapping[str, str] | None = None,
) -> Door:
    """Return how to reach the daemon that flags, environment and data folder name, in this order.

    The data folder's token is sent to an address of this machine, or when the folder was named: the token of the
    folder that merely is the default is not shown to strangers.

    Args:
        env: the environment; the process's own when not given.

    Raises:
        HostdError: ARGUMENT_INVALID for an address or a token that cannot be one, or a token file that cannot be read.
    """
    env = os.environ if env is None else env
    named = data or env.get("HOSTD_DATA")
    folder = data_folder(data, env)
    where = checked_address(address or env.get("HOSTD_ADDRESS") or _socket_of(folder))
    if token is None:
        token = _token(env, folder, own=bool(named) or is_local(where))
    return Door(where, _checked_token(token), tls)


def found_door(
    *,
    address: str | None,
    token: str | None,
    data: str | Path | None,
    tls: Tls | None,
    env: Mapping[str, str] | None = None,
) -> Door:
    """Return what `find_door` does, with the TLS files that the environment names. Raises as both."""
    return find_door(address=address, token=token, data=data, tls=tls or found_tls(env), env=env)


def found_tls(env: Mapping[str, str] | None = None) -> Tls | None:
    """Return the files that HOSTD_TLS_CA, HOSTD_TLS_CERT and HOSTD_TLS_KEY name; None without an authority.

    Raises:
        HostdError: ARGUMENT_INVALID for a certificate without its key, or without an authority.
    """
    env = os.environ if env is None else env
    authority, certificate, key = (env.get(f"HOSTD_TLS_{name}") for name in ("CA", "CERT", "KEY"))
    if bool(certificate) != bool(key) or (certificate and not authority):
        raise bad_argument("HOSTD_TLS_CERT and HOSTD_TLS_KEY go together, and with HOSTD_TLS_CA")
    if not authority:
        return None
    return Tls(Path(authority), Path(certificate) if certificate else None, Path(key) if key else None)


def found_namespace(namespace: str | None, env: Mapping[str, str] | None = None) -> str:
    """Return the namespace as named, else HOSTD_NAMESPACE; empty means `default`."""
    env = os.environ if env is None else env
    return env.get("HOSTD_NAMESPACE", "") if namespace is None else namespace


def data_folder(data: str | Path | None = None, env: Mapping[str, str] | None = None) -> Path:
    """Return the data folder: as named, else HOSTD_DATA, else the service's state directory, else the user's own."""
    env = os.environ if env is None else env
    if named := data or env.get("HOSTD_DATA"):
        return Path(named).expanduser().absolute()
    if state := env.get("STATE_DIRECTORY"):
        return Path(state.split(":")[0])
    base = env.get("XDG_DATA_HOME") or os.path.join(env.get("HOME") or os.path.expanduser("~"), ".local/share")
    return Path(base) / "hostd"


def checked_address(text: str) -> str:
    """Return an address in its plain form. Raises ARGUMENT_INVALID with the forms that are taken."""
    if text.startswith("/"):
        return f"unix:{text}"
    if text.startswith("unix:"):
        path = text.removeprefix("unix:").removeprefix("//")
        if path:
            return f"unix:{Path(path).expanduser().absolute()}"
        raise _bad_address(text, "the path of the socket is missing")
    if "://" in text:
        bare = text.partition("://")[2].split("/")[0]
        raise _bad_address(text, f"leave the scheme out: {bare if ':' in bare else f'{bare}:7420'}")
    host, colon, port = text.rpartition(":")
    if not colon or not host:
        raise _bad_address(text, f"name the port, too: {text.strip(':')[:200] or '127.0.0.1'}:7420")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise _bad_address(text, "an IPv6 address stands in brackets")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise _bad_address(text, "the port is a number from 1 to 65535")
    return text


def is_local(address: str) -> bool:
    """Say whether an address is on this machine for certain: a socket file, or loopback."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host in _LOOPBACK_NAMES or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bad_address(text: str, why: str) -> HostdError:
    return bad_argument(f"{text[:200]!r} is not an address such as 127.0.0.1:7420 or unix:/run/hostd.sock: {why}")


def _socket_of(folder: Path) -> str:
    """Return the socket of a data folder, or what its `run/address` names instead."""
    socket = folder / SOCKET
    if not socket.exists():
        try:
            written = (folder / ELSEWHERE).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            written = ""
        if written:
            return written
    return f"unix:{socket}"


def _token(env: Mapping[str, str], folder: Path, *, own: bool) -> str:
    if given := env.get("HOSTD_TOKEN"):
        return given
    if file := env.get("HOSTD_TOKEN_FILE"):
        try:
            return Path(file).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            what = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise bad_argument(f"HOSTD_TOKEN_FILE: {file} cannot be read: {what}") from None
    try:
        return (folder / "token").read_text(encoding="utf-8") if own else ""
    except (OSError, UnicodeDecodeError):
        return ""  # the socket needs none, and a port will say that it misses one


def _checked_token(text: str) -> str:
    token = text.strip()
    if not token.isascii() or not (token.isprintable() and " " not in token):
        raise bad_argument(
            "the token holds characters that no token has; give HOSTD_TOKEN what is in <data>/token, in one line"
        )
    return token
