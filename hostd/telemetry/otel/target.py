"""Where OpenTelemetry data goes: what the configuration says, and behind it the standard's own variables.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/ names them. One for a signal, such as
`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, wins over the general one, and what the configuration says over both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias, cast
from urllib.parse import unquote, urlsplit

from hostd.errors.base import HostdError, Kind

EXTRA = "pip install 'hostd[otel]'"
HEADERS_MAX = 64
TIMEOUT_MS = 10_000
QUEUE_SPANS_MAX = 20_000
QUEUE_SPANS_MOST = 1_000_000
BATCH_SPANS = 512
DELAY_MS = 5_000
Signal: TypeAlias = Literal["traces", "metrics"]
Protocol: TypeAlias = Literal["http/protobuf", "grpc"]
PROTOCOLS = ("http/protobuf", "grpc")
COMPRESSIONS = ("none", "gzip")
_ADDRESS = re.compile(r"(https?://)?[^\s/?#@]+(/(?!/)[^\s?#@]*)?")


class Receiver(NamedTuple):
    """Who takes one signal.

    Attributes:
        address: for http/protobuf the whole URL; for grpc `host:port`.
        headers: sent with every request; secret.
        tls: for grpc, whether it is spoken; an HTTP address says so itself.
        ca, certificate, key: paths of PEM files, empty for none.
    """

    address: str
    protocol: Protocol = "http/protobuf"
    headers: Mapping[str, str] = {}
    timeout_s: float = TIMEOUT_MS / 1000
    compression: str = "none"
    tls: bool = False
    ca: str = ""
    certificate: str = ""
    key: str = ""

    def __repr__(self) -> str:
        """Without the headers."""
        return f"<receiver {self.address} by {self.protocol}>"


class Batching(NamedTuple):
    """How spans wait: so many at most, sent so many at a time, and after so many seconds at the latest."""

    queue_max: int = QUEUE_SPANS_MAX
    batch_max: int = BATCH_SPANS
    delay_s: float = DELAY_MS / 1000


class Target(NamedTuple):
    """Whom to send to; None: that signal is not sent.

    Attributes:
        share: of the traces nobody decided about, how many are recorded.
        metrics_every_s: 0 for never.
    """

    traces: Receiver | None
    metrics: Receiver | None
    share: float
    metrics_every_s: float
    batching: Batching = Batching()


class Said(NamedTuple):
    """What the configuration says; empty is nothing. `headers` are secret."""

    endpoint: str = ""
    protocol: str = ""
    headers: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""

    def __repr__(self) -> str:
        """Without the headers."""
        return f"<said {self.endpoint or 'no endpoint'}>"


def target_of(said: Said, *, share: float, metrics_every_s: float, environ: Mapping[str, str]) -> Target | None:
    """Return whom to send to, None for nobody.

    Raises:
        HostdError: CONFIG_INVALID for what is not as the standard says; no message shows a header.
    """
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    traces = _receiver("traces", said, environ)
    metrics = _receiver("metrics", said, environ) if metrics_every_s else None
    if traces is None and metrics is None:
        return None
    return Target(traces, metrics, share, metrics_every_s, _batching(environ))


def _receiver(signal: Signal, said: Said, environ: Mapping[str, str]) -> Receiver | None:
    if environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip() == "none":
        return None
    endpoint, address, path = _endpoint(signal, said, environ)
    if not address:
        return None
    where, protocol = _variable("PROTOCOL", signal, environ)
    if said.protocol:
        where, protocol = "otel.protocol", said.protocol
    protocol = protocol or PROTOCOLS[0]
    if protocol not in PROTOCOLS:
        raise _refused(f"{where}: {protocol[:40]!r} is none of {', '.join(PROTOCOLS)}")
    where, headers = _variable("HEADERS", signal, environ)
    if said.headers:
        where, headers = "otel.headers", said.headers
    plain = Receiver(
        _checked_address(address, endpoint),
        cast("Protocol", protocol),
        read_headers(headers, where),
        _whole("TIMEOUT", signal, environ) / 1000,
        _compression(signal, environ),
        ca=said.ca or _variable("CERTIFICATE", signal, environ)[1],
        certificate=said.certificate or _variable("CLIENT_CERTIFICATE", signal, environ)[1],
        key=said.key or _variable("CLIENT_KEY", signal, environ)[1],
    )
    if protocol == "grpc":
        return _by_grpc(plain, insecure=_variable("INSECURE", signal, environ)[1].lower() == "true")
    return _by_http(plain, path)


def _endpoint(signal: Signal, said: Said, environ: Mapping[str, str]) -> tuple[str, str, str]:
    """Return where the address is said, the address, empty for none, and what goes behind it for HTTP."""
    where, address = "otel.endpoint", said.endpoint
    if not address:
        where, address = _variable("ENDPOINT", signal, environ)
    own = where == f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"  # which is taken as it is
    return where, address, "" if own else f"/v1/{signal}"


def _by_grpc(plain: Receiver, *, insecure: bool) -> Receiver:
    """Return it with an address as gRPC has it: a scheme says whether TLS is spoken, else the variable."""
    scheme, found, rest = plain.address.partition("://")
    address = (rest if found else plain.address).rstrip("/")
    if "/" in address:
        raise _refused(f"otel: {plain.address[:200]} has a path, which grpc knows none of; name only host and port")
    return plain._replace(address=address, tls=scheme == "https" if found else not insecure)


def _by_http(plain: Receiver, path: str) -> Receiver:
    if "://" not in plain.address:
        raise _refused(f"otel: {plain.address[:200]} is no URL; write http:// or https:// before it")
    return plain._replace(address=plain.address.rstrip("/") + path if path else plain.address)


def _checked_address(address: str, where: str) -> str:
    """Return an address that can be logged: one that holds a password or a key is refused, and not shown."""
    try:
        if _ADDRESS.fullmatch(address) and len(address) <= 2_000:
            _ = urlsplit(address).port
            return address
    except ValueError:
        pass
    raise _refused(
        f"{where}: it is no address such as http://localhost:4318, or holds more than one; credentials go into headers"
    )


def _variable(name: str, signal: Signal, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return which variable says it, and what."""
    own, general = f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}", f"OTEL_EXPORTER_OTLP_{name}"
    where = own if environ.get(own, "").strip() else general
    return where, environ.get(where, "").strip()


def _whole(name: str, signal: Signal, environ: Mapping[str, str]) -> float:
    where, text = _variable(name, signal, environ)
    return _number(where, text, TIMEOUT_MS, 600_000)


def _number(where: str, text: str, default: int, most: int) -> int:
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise _refused(f"{where}: it is no whole number from 1 to {most}")
    return int(text)


def _compression(signal: Signal, environ: Mapping[str, str]) -> str:
    where, said = _variable("COMPRESSION", signal, environ)
    said = said.lower() or COMPRESSIONS[0]
    if said not in COMPRESSIONS:
        raise _refused(f"{where}: {said[:40]!r} is none of {', '.join(COMPRESSIONS)}")
    return said


def _batching(environ: Mapping[str, str]) -> Batching:
    def number(name: str, default: int, most: int) -> int:
        where = f"OTEL_BSP_{name}"
        return _number(where, environ.get(where, "").strip(), default, most)

    queue_max = number("MAX_QUEUE_SIZE", QUEUE_SPANS_MAX, QUEUE_SPANS_MOST)
    batch_max = number("MAX_EXPORT_BATCH_SIZE", BATCH_SPANS, QUEUE_SPANS_MAX)
    return Batching(queue_max, min(batch_max, queue_max), number("SCHEDULE_DELAY", DELAY_MS, 600_000) / 1000)


def read_headers(text: str, where: str) -> dict[str, str]:
    """Return headers of a text `name=value,name=value`, values percent-encoded where they need it.

    Raises:
        HostdError: CONFIG_INVALID; the message shows none of the text.
    """
    found: dict[str, str] = {}
    for number, pair in enumerate(part for part in text.split(",") if part.strip()):
        name, equals, value = pair.partition("=")
        name, value = name.strip().lower(), unquote(value.strip())
        if not equals or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise _refused(f"{where}: header {number + 1} is not name=value")
        if not value.isascii() or not value.isprintable() or number >= HEADERS_MAX:
            raise _refused(f"{where}: header {number + 1} holds what no header can, or there are more than 64")
        found[name] = value
    return found


def _refused(message: str) -> HostdError:
    return HostdError(Kind.INVALID, "CONFIG_INVALID", message)
