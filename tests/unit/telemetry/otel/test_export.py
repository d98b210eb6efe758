"""Spans and metrics on their way: what the libraries make of them, and a receiver that is not there."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from otlp_receiver import OtlpReceiver

from hostd.aio import SystemClock
from hostd.errors.base import HostdError
from hostd.telemetry.logs import configure_logs
from hostd.telemetry.meter import Meter
from hostd.telemetry.otel import export
from hostd.telemetry.otel.export import OtelExport
from hostd.telemetry.otel.target import Batching, Receiver, Said, Target, target_of
from hostd.telemetry.otel.wire import Wire
from hostd.telemetry.spans import Span
from hostd.values.trace import Trace

PLACE = Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", True, "a=1")


def target(endpoint: str) -> Target:
    """Return a target for both signals."""
    return Target(Receiver(f"{endpoint}/v1/traces"), Receiver(f"{endpoint}/v1/metrics"), 1.0, 3600)


def by_grpc(receiver: OtlpReceiver, **said: str) -> Target:
    """Return a target for both signals, as a configuration names it."""
    scheme = "https" if said else "http"
    endpoint = f"{scheme}://localhost:{receiver.grpc_port}"
    found = target_of(Said(endpoint, "grpc", "x-key=s%20ecret", **said), share=1.0, metrics_every_s=3600, environ={})
    assert found is not None
    return found


def test_a_span_arrives_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids, times, kind, state, attributes and error; the name is the variable's."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=ours,team=a")
    with OtlpReceiver() as receiver:
        wire = Wire(target(receiver.endpoint))
        span = Span("one", PLACE, "1" * 16, 1_000.5, 2_000, "server", {"n": 1, "b": True, "t": "x"}, "BAD: why")
        assert wire.spans([span])
        wire.close()
    [span] = receiver.spans
    assert (span.name, span.trace_id, span.span_id, span.parent_id) == ("one", *PLACE[:2], "1" * 16)
    assert (span.began_ns, span.ended_ns, span.kind, span.state) == (1_000_500_000, 2_000_000_000, 2, "a=1")
    assert (span.attributes, span.error) == ({"n": 1, "b": True, "t": "x"}, "BAD: why")
    assert receiver.resources[0]["service.name"] == "ours"
    assert receiver.resources[0]["team"] == "a"


async def sent(to: Target) -> OtelExport:
    """Send a span that is sampled, one that is not, and a metric; return what sent them."""
    meter = Meter()
    meter.counter("hostd_runs_ended_total", outcome="SUCCEEDED").inc(3)
    sender = OtelExport(to, meter=meter, clock=SystemClock())
    await sender.start()
    sender.take(Span("one", PLACE, "", 1, 2))
    sender.take(Span("two", PLACE._replace(sampled=False), "", 1, 2))
    assert await sender.close()
    sender.take(Span("late", PLACE, "", 1, 2))
    return sender


def shown(receiver: OtlpReceiver) -> tuple[list[str], float]:
    """Return the names of the spans that came, and the metric."""
    metric = receiver.metrics["hostd_runs_ended_total"]
    return [span.name for span in receiver.spans], metric.sum.data_points[0].as_double


async def test_what_waits_is_sent_at_the_end() -> None:
    """Closing sends spans and metrics that no period has sent yet; what is not sampled, or late, stays here."""
    with OtlpReceiver() as receiver:
        sender = await sent(target(receiver.endpoint))
    assert shown(receiver) == (["one"], 3)
    assert sender.outcomes() == {"SENT": 1, "FAILED": 0, "DROPPED": 0}


async def test_grpc_does_as_well() -> None:
    """Over gRPC without TLS come the same spans and metrics, with the headers."""
    with OtlpReceiver() as receiver:
        await sent(by_grpc(receiver))
    assert shown(receiver) == (["one"], 3)
    assert {headers["x-key"] for headers in receiver.headers} == {"s ecret"}


async def test_both_ends_may_show_certificates(tmp_path: Path) -> None:
    """Over TLS each side checks the other's; a receiver of another authority gets nothing, over gRPC and HTTP."""
    authority, stranger = trustme.CA(), trustme.CA()
    files = pem_files(tmp_path, authority)
    stranger.cert_pem.write_to_path(tmp_path / "other.pem")
    with OtlpReceiver(authority) as receiver:
        await sent(by_grpc(receiver, **files))
        assert shown(receiver) == (["one"], 3)
        over_http = Receiver(f"{receiver.endpoint}/v1/traces", timeout_s=60, **files)
        await sent(Target(over_http, Receiver(f"{receiver.endpoint}/v1/metrics", timeout_s=60, **files), 1.0, 60))
        assert len(receiver.spans) == 2
        for refused in (
            by_grpc(receiver, **files | {"ca": str(tmp_path / "other.pem")}).traces,
            over_http._replace(ca=str(tmp_path / "other.pem")),
        ):
            assert refused is not None
            wire = Wire(Target(refused._replace(timeout_s=0.5), None, 1.0, 0))
            assert not wire.spans([Span("three", PLACE, "", 1, 2)])
            wire.close()
    assert len(receiver.spans) == 2


def pem_files(folder: Path, authority: trustme.CA) -> dict[str, str]:
    """Write what a client shows and believes."""
    authority.cert_pem.write_to_path(folder / "ca.pem")
    mine = authority.issue_cert("client")
    mine.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    mine.private_key_pem.write_to_path(folder / "key.pem")
    return {name: str(folder / f"{file}.pem") for name, file in (("ca", "ca"), ("certificate", "cert"), ("key", "key"))}


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
async def test_a_certificate_of_no_use_is_refused_at_the_start(tmp_path: Path, protocol: str) -> None:
    """A file that is not there, or is none, is named before anything is sent."""
    (tmp_path / "none.pem").write_text("nothing")
    for path in (tmp_path / "none.pem", tmp_path / "missing.pem"):
        said = Said("https://localhost:1", protocol, ca=str(path))
        found = target_of(said, share=1, metrics_every_s=0, environ={})
        assert found is not None
        with pytest.raises(HostdError, match=f"CONFIG_INVALID.*{path.name}"):
            await OtelExport(found, meter=Meter(), clock=SystemClock()).start()


async def test_sendings_of_metrics_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """What the receiver took, and what could not even be written: the second is told, and ends nothing."""
    with OtlpReceiver() as receiver:
        meter = Meter()
        meter.gauge("hostd_timers_resident").set(1)
        sender = OtelExport(target(receiver.endpoint), meter=meter, clock=SystemClock())
        await sender.start()
        await sender._send_once()
        assert sender.metrics_outcomes() == {"SENT": 1, "FAILED": 0}
        meter.reading("hostd_timers", lambda: {("one label too many",): 1.0})
        await sender._send_once()
        assert sender.metrics_outcomes() == {"SENT": 1, "FAILED": 1}
        assert "metrics_failed error=" in caplog.text
        await sender.close()


@pytest.mark.filterwarnings("ignore")
async def test_a_receiver_that_is_gone_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans past the queue are dropped and counted, and the end comes though nobody takes them."""
    monkeypatch.setattr(export, "CLOSE_S", 0.2)
    with socket.socket() as silent:  # takes connections, and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        to = target(address)._replace(metrics=None, batching=Batching(1_000, 100, 60))
        sender = OtelExport(to, meter=Meter(), clock=SystemClock())
        await sender.start()
        for number in range(2_000):
            sender.take(Span(f"s{number}", PLACE, "", 1, 2))
        assert 900 <= sender.outcomes()["DROPPED"] <= 1_000, "all but the queue, and a batch on its way"
        assert sender.waiting() <= 1_000
        assert not await sender.close()
        assert sender.outcomes()["DROPPED"] >= 1_900
        assert sender.waiting() == 0


async def test_a_header_is_in_no_event(capsys: pytest.CaptureFixture[str]) -> None:
    """While it is sent, whatever any library writes is without what the headers hold."""
    configure_logs()
    with OtlpReceiver() as receiver:
        to = by_grpc(receiver)
        traces = to.traces
        assert traces is not None
        sender = OtelExport(
            to._replace(traces=traces._replace(headers={"authorization": "Bearer t0ps3cret"}), metrics=None),
            meter=Meter(),
            clock=SystemClock(),
        )
        await sender.start()
        logging.getLogger("opentelemetry").error("refused %s", "authorization: Bearer t0ps3cret; t0ps3cret")
        await sender.close()
    assert "refused authorization: ***; ***" in capsys.readouterr().err


def test_nothing_is_imported_where_nothing_is_sent() -> None:
    """A daemon's modules bring none of OpenTelemetry's; only a target does."""
    code = "import sys, hostd.daemon, hostd.api.server, hostd.http.server; print([*sys.modules].count('opentelemetry'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "0\n"
