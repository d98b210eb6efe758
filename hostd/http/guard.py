"""Who may ask what is not a webhook: against pages of other origins and names that were made to point here.

A browser on this machine can be led to call a loopback port by any page (cross-origin), or by a name that is made to
resolve to 127.0.0.1 (DNS rebinding). So a request names an address or a name we know in Host, and where it has an
Origin, one that we know. Webhooks are called by strangers on purpose and check what they declare.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web

from hostd.errors.base import HostdError, Kind
from hostd.http.ports import TokenCheck

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Visitors:
    """Checks of one HTTP port.

    Args:
        hosts: names beside loopback that this daemon is called by.
        origins: web origins whose pages may call it, `https://name[:port]`.
    """

    def __init__(self, *, hosts: tuple[str, ...], origins: tuple[str, ...], check_token: TokenCheck) -> None:
        self._hosts = {"localhost", *(host.lower().rstrip(".") for host in hosts)}
        self._origins = {origin.lower().rstrip("/") for origin in origins}
        self._check_token = check_token

    def check_names(self, request: web.BaseRequest) -> None:
        """Raise HOST_REFUSED or ORIGIN_REFUSED for names that are not ours."""
        host = request.headers.get("host", "")
        name = _host_name(host)
        if not (_is_address(name) or name in self._hosts):
            raise HostdError(Kind.DENIED, "HOST_REFUSED", f"this daemon is not called {name[:100]!r}; see `http.hosts`")
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() not in {*self._origins, f"{request.scheme}://{host.lower()}"}:
            raise HostdError(
                Kind.DENIED, "ORIGIN_REFUSED", f"pages of {origin[:100]!r} may not ask; see `http.origins`"
            )

    def check_owner(self, request: web.BaseRequest) -> None:
        """Raise TOKEN_MISSING or TOKEN_INVALID unless the owner's token is sent, from this machine too."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            message = "send `authorization: Bearer ...` with the owner's token"
            raise HostdError(Kind.UNAUTHENTICATED, "TOKEN_MISSING", message)
        if not self._check_token(token.strip()):
            raise HostdError(Kind.UNAUTHENTICATED, "TOKEN_INVALID", "the token is not known")

    def check_operator(self, request: web.BaseRequest) -> None:
        """Raise TOKEN_MISSING or TOKEN_INVALID unless the token is good, or none is sent and the peer is loopback."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            if not self._check_token(token.strip()):
                raise HostdError(Kind.UNAUTHENTICATED, "TOKEN_INVALID", "the token is not known")
        elif not _from_this_machine(request):
            raise HostdError(
                Kind.UNAUTHENTICATED, "TOKEN_MISSING", "send `authorization: Bearer ...` with the owner's token"
            )


def _from_this_machine(request: web.BaseRequest) -> bool:
    """Say whether the peer is loopback and speaks for itself; a proxy on this machine speaks for somebody else."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    name = _host_name(request.headers.get("host", ""))
    return _is_loopback(request.remote or "") and (name == "localhost" or _is_loopback(name))


def _host_name(host: str) -> str:
    """Return the name of a Host header without port and brackets, in lower case."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_loopback(text: str) -> bool:
    return _is_address(text) and ipaddress.ip_address(text).is_loopback
