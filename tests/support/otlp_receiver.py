"""A real OTLP receiver, by HTTP and gRPC: what is sent to it is decoded by OpenTelemetry's own messages."""

from __future__ import annotations

import gzip
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import grpc
import trustme
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import (
    MetricsServiceServicer,
    add_MetricsServiceServicer_to_server,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)


class Seen(NamedTuple):
    """One span that came. Ids are hexadecimal, times nanoseconds, an empty error is success."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    state: str
    kind: int
    began_ns: int
    ended_ns: int
    attributes: dict[str, Any]
    error: str


class OtlpReceiver:
    """Listens on two ports of its own; `with` it. With an authority it speaks TLS, and wants to see certificates."""

    def __init__(self, authority: trustme.CA | None = None) -> None:
        self.spans: list[Seen] = []
        self.metrics: dict[str, Any] = {}  # by name, the last that came
        self.resources: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
                receiver.take(self.path, body)
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if authority is not None:
            scheme = "https"
            self._server.socket = _context(authority).wrap_socket(self._server.socket, server_side=True)
        self.endpoint = f"{scheme}://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._grpc = grpc.server(ThreadPoolExecutor(2))
        add_TraceServiceServicer_to_server(_Traces(self), self._grpc)
        add_MetricsServiceServicer_to_server(_Metrics(self), self._grpc)
        if authority is None:
            self.grpc_port = self._grpc.add_insecure_port("127.0.0.1:0")
        else:
            self.grpc_port = self._grpc.add_secure_port("127.0.0.1:0", _credentials(authority))

    def called(self, context: grpc.ServicerContext) -> None:
        """Keep the metadata of a call."""
        self.headers.append({name: str(value) for name, value in context.invocation_metadata()})

    def take(self, path: str, body: bytes) -> None:
        """Keep what a request holds."""
        if path == "/v1/traces":
            self.take_traces(ExportTraceServiceRequest.FromString(body))
        elif path == "/v1/metrics":
            self.take_metrics(ExportMetricsServiceRequest.FromString(body))

    def take_traces(self, traces: ExportTraceServiceRequest) -> None:
        """Keep spans."""
        for part in traces.resource_spans:
            self.resources.append(_attributes(part.resource.attributes))
            self.spans += [_seen(span) for scope in part.scope_spans for span in scope.spans]

    def take_metrics(self, metrics: ExportMetricsServiceRequest) -> None:
        """Keep metrics."""
        for group in metrics.resource_metrics:
            self.metrics |= {one.name: one for scope in group.scope_metrics for one in scope.metrics}

    def named(self, name: str) -> list[Seen]:
        """Return the spans of a name."""
        return [span for span in list(self.spans) if span.name == name]

    def __enter__(self) -> OtlpReceiver:
        self._thread.start()
        self._grpc.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._grpc.stop(None).wait()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Traces(TraceServiceServicer):
    def __init__(self, receiver: OtlpReceiver) -> None:
        self._receiver = receiver

    def Export(self, request: Any, context: Any) -> Any:
        self._receiver.called(context)
        self._receiver.take_traces(request)
        return ExportTraceServiceResponse()


class _Metrics(MetricsServiceServicer):
    def __init__(self, receiver: OtlpReceiver) -> None:
        self._receiver = receiver

    def Export(self, request: Any, context: Any) -> Any:
        self._receiver.called(context)
        self._receiver.take_metrics(request)
        return ExportMetricsServiceResponse()


def _context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _credentials(authority: trustme.CA) -> grpc.ServerCredentials:
    mine = authority.issue_cert("localhost")
    chain = b"".join(pem.bytes() for pem in mine.cert_chain_pems)
    pair = (mine.private_key_pem.bytes(), chain)
    return grpc.ssl_server_credentials([pair], authority.cert_pem.bytes(), require_client_auth=True)


def _seen(span: Any) -> Seen:
    return Seen(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.trace_state,
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _attributes(span.attributes),
        span.status.message if span.status.code == 2 else "",
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
