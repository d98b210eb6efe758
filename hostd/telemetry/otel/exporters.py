"""OpenTelemetry's own exporters, made for one receiver. Blocks: files are read and libraries imported here."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostd.errors.base import HostdError, Kind
from hostd.telemetry.otel.target import Receiver

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.trace.export import SpanExporter


def span_exporter(receiver: Receiver) -> SpanExporter:
    """Return what sends spans. Raises HostdError CONFIG_INVALID for files that cannot be used."""
    if receiver.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as ByGrpc

        return ByGrpc(**_by_grpc(receiver))
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as ByHttp

    return ByHttp(**_by_http(receiver))


def metric_exporter(receiver: Receiver) -> MetricExporter:
    """Return what sends metrics. Raises HostdError CONFIG_INVALID for files that cannot be used."""
    if receiver.protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as ByGrpc

        return ByGrpc(**_by_grpc(receiver))
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as ByHttp

    return ByHttp(**_by_http(receiver))


def _by_grpc(receiver: Receiver) -> dict[str, Any]:
    import grpc

    names = {"none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip}
    credentials = None
    if receiver.tls:
        _check_files(receiver)
        credentials = grpc.ssl_channel_credentials(
            _bytes_of(receiver.ca), _bytes_of(receiver.key), _bytes_of(receiver.certificate)
        )
    return {
        "endpoint": receiver.address,
        "insecure": not receiver.tls,
        "credentials": credentials,
        "headers": tuple(receiver.headers.items()),
        "timeout": receiver.timeout_s,
        "compression": names[receiver.compression],
    }


def _by_http(receiver: Receiver) -> dict[str, Any]:
    from opentelemetry.exporter.otlp.proto.http import Compression

    if receiver.address.startswith("https:"):
        _check_files(receiver)
    return {
        "endpoint": receiver.address,
        "headers": receiver.headers,
        "timeout": receiver.timeout_s,
        "compression": Compression(receiver.compression),
        "certificate_file": receiver.ca or None,
        "client_certificate_file": receiver.certificate or None,
        "client_key_file": receiver.key or None,
        "session": _session_with(receiver.ca) if receiver.ca else None,
    }


def _session_with(ca: str) -> Any:
    """Return a session that believes these authorities alone: by itself the library lets REQUESTS_CA_BUNDLE win."""
    from requests import Session

    class Own(Session):  # type: ignore[misc,unused-ignore]
        def merge_environment_settings(self, *given: Any) -> Any:
            return {**super().merge_environment_settings(*given), "verify": ca}

    return Own()


def _check_files(receiver: Receiver) -> None:
    """Raise for certificates that cannot be used: the libraries would say so at the first span, or never."""
    if bool(receiver.key) and not receiver.certificate:
        raise _refused("otel.key is the key of otel.certificate, which is not set")
    context = ssl.create_default_context()
    try:
        if receiver.ca:
            context.load_verify_locations(receiver.ca)
        if receiver.certificate:
            context.load_cert_chain(receiver.certificate, receiver.key or None, _no_password)
    except (OSError, ssl.SSLError) as error:
        names = ", ".join(filter(None, (receiver.ca, receiver.certificate, receiver.key)))
        raise _refused(f"otel.ca, otel.certificate or otel.key cannot be used ({names}): {error}") from None


def _no_password() -> str:
    """Answer for a key with a password: asked for at a terminal it would wait for ever."""
    return ""


def _bytes_of(path: str) -> bytes | None:
    return Path(path).read_bytes() if path else None


def _refused(message: str) -> HostdError:
    return HostdError(Kind.INVALID, "CONFIG_INVALID", message)
