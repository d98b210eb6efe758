"""Where OpenTelemetry data goes: what the configuration says, and behind it the standard's own variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from hostd.errors.base import HostdError, Kind

EXTRA = "pip install 'hostd[otel]'"
HEADERS_MAX = 64


class Target(NamedTuple):
    """Whom to send to. An empty address: that signal is not sent.

    Attributes:
        headers: sent with every request; secret.
        share: of the traces nobody decided about, how many are recorded.
        metrics_every_s: 0 for never.
    """

    traces: str
    metrics: str
    headers: dict[str, str]
    share: float
    metrics_every_s: float


def target_of(
    *, endpoint: str | None, headers: str, share: float, metrics_every_s: float, environ: Mapping[str, str]
) -> Target | None:
    """Return whom to send to, None for nobody.

    Raises:
        HostdError: CONFIG_INVALID for headers that are none.
    """
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    said = headers or environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    taken = read_headers(said, "otel.headers" if headers else "OTEL_EXPORTER_OTLP_HEADERS")
    traces, metrics = _address(environ, endpoint, "traces"), _address(environ, endpoint, "metrics")
    metrics = metrics if metrics_every_s else ""
    if not traces and not metrics:
        return None
    return Target(traces, metrics, taken, share, metrics_every_s)


def _address(environ: Mapping[str, str], endpoint: str | None, signal: str) -> str:
    if environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip() == "none":
        return ""
    own = environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "")
    base = endpoint or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    if own and endpoint is None:
        return own
    return f"{base.rstrip('/')}/v1/{signal}" if base else ""


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
