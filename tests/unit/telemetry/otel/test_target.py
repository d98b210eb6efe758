"""Where OpenTelemetry data goes."""

from __future__ import annotations

import pytest

from hostd.errors.base import HostdError
from hostd.telemetry.otel.target import Batching, Receiver, Said, Target, read_headers, target_of

BASE = "http://collector:4318"


def found(every_s: float = 60, environ: dict[str, str] | None = None, **said: str) -> Target | None:
    """Return the target of a configuration and variables."""
    return target_of(Said(**said), share=0.5, metrics_every_s=every_s, environ=environ or {})


def by(environ: dict[str, str] | None = None, **said: str) -> Receiver:
    """Return who takes traces."""
    target = found(environ=environ, **said)
    assert target is not None
    assert target.traces is not None
    return target.traces


def general(**variables: str) -> dict[str, str]:
    """Return variables of the exporter, with an endpoint."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": BASE} | {f"OTEL_EXPORTER_OTLP_{name}": v for name, v in variables.items()}


def test_the_configuration_wins_over_the_variables() -> None:
    """Nothing said is nothing sent; variables name the base or each signal; the configuration's base is for both."""
    both = Target(Receiver(f"{BASE}/v1/traces"), Receiver(f"{BASE}/v1/metrics"), 0.5, 60)
    own = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/x"}
    assert found() is None
    assert found(endpoint=BASE) == found(endpoint=f"{BASE}/") == found(environ=general()) == both
    assert found(endpoint=BASE, environ=own | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://other"}) == both
    assert found(environ=own) == both._replace(traces=Receiver("http://t/x"), metrics=None)
    assert found(0, endpoint=BASE) == both._replace(metrics=None, metrics_every_s=0)
    assert found(endpoint=BASE, environ={"OTEL_METRICS_EXPORTER": "none"}) == both._replace(metrics=None)
    assert found(endpoint=BASE, environ={"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}) is None
    assert found(endpoint=BASE, environ={"OTEL_SDK_DISABLED": "true"}) is None
    assert by(general(HEADERS="b=2"), endpoint=BASE, headers="a=1").headers == {"a": "1"}
    assert by(general(HEADERS="b=2", TRACES_HEADERS="c=3"), endpoint=BASE).headers == {"c": "3"}


def test_a_mistake_in_an_address_names_who_said_it() -> None:
    """The variable of the signal, the general one, or the configuration."""
    for where in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        with pytest.raises(HostdError, match=f" {where}: it is no address"):
            found(environ={where: "http://who:what@collector"})
    with pytest.raises(HostdError, match=r" otel\.endpoint: it is no address"):
        found(endpoint="http://collector:port", environ={"OTEL_EXPORTER_OTLP_ENDPOINT": BASE})


def test_headers_stand_in_no_repr() -> None:
    """Who prints a target, what the configuration says, or a traceback with either, shows no header."""
    said = Said(endpoint=BASE, headers="authorization=Bearer%20not-a-real-one")
    target = target_of(said, share=1.0, metrics_every_s=60, environ={})
    assert target is not None
    assert target.traces is not None
    assert target.traces.headers == {"authorization": "Bearer not-a-real-one"}
    assert "not-a-real-one" not in repr([said, target])


def test_grpc_wants_a_host_and_a_port() -> None:
    """The scheme says whether TLS is spoken, without one the variable, else it is; a path is refused."""
    assert by(endpoint="http://c:4317", protocol="grpc") == Receiver("c:4317", "grpc")
    assert by(endpoint="https://c:4317/", protocol="grpc") == Receiver("c:4317", "grpc", tls=True)
    assert by(general(PROTOCOL="grpc", ENDPOINT="c:4317")) == Receiver("c:4317", "grpc", tls=True)
    assert by(general(PROTOCOL="grpc", ENDPOINT="c:4317", TRACES_INSECURE="true")) == Receiver("c:4317", "grpc")
    assert by(general(PROTOCOL="grpc"), endpoint=BASE, protocol="http/protobuf").protocol == "http/protobuf"
    assert by(general(PROTOCOL="grpc"), endpoint=BASE).protocol == "grpc"
    with pytest.raises(HostdError, match="has a path"):
        found(endpoint="http://c:4317/v1", protocol="grpc")


def test_the_standards_other_variables_count() -> None:
    """Time, compression, certificates and how spans are batched, for one signal or for all."""
    files = {"CERTIFICATE": "/ca", "CLIENT_CERTIFICATE": "/cert", "CLIENT_KEY": "/key"}
    assert by(general(**files)) == Receiver(f"{BASE}/v1/traces", ca="/ca", certificate="/cert", key="/key")
    assert by(general(**files), ca="/own").ca == "/own"
    assert by(general(TIMEOUT="2500", TRACES_TIMEOUT="500", COMPRESSION="gzip"))[3:5] == (0.5, "gzip")
    sizes = {"OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_SCHEDULE_DELAY": "200"}
    batched = found(endpoint=BASE, environ=sizes)
    assert batched is not None
    assert batched.batching == Batching(100, 100, 0.2)


@pytest.mark.parametrize(
    "variables, where",
    [
        ({"PROTOCOL": "http/json"}, "OTEL_EXPORTER_OTLP_PROTOCOL"),
        ({"TIMEOUT": "10s"}, "OTEL_EXPORTER_OTLP_TIMEOUT"),
        ({"TRACES_COMPRESSION": "zstd"}, "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION"),
        ({"ENDPOINT": "http://me:secret@c"}, "credentials go into headers"),
        ({"ENDPOINT": "http://c/?key=secret"}, "credentials go into headers"),
        ({"ENDPOINT": "c:4318"}, "write http:// or https://"),
        ({"ENDPOINT": "http://c:99999"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ],
)
def test_what_is_wrong_is_refused_by_name(variables: dict[str, str], where: str) -> None:
    """The message names the variable, and never shows what may be a password in an address."""
    with pytest.raises(HostdError) as refused:
        found(environ=general(**variables))
    assert refused.value.reason == "CONFIG_INVALID"
    assert where in refused.value.message
    assert "secret" not in refused.value.message


def test_headers_are_read_as_the_standard_writes_them() -> None:
    """Names get small, values are percent-decoded; what is no header is refused without being shown."""
    assert read_headers("X-Key=a%20b, authorization=Bearer t=", "w") == {"x-key": "a b", "authorization": "Bearer t="}
    for wrong in ("secret", "a b=secret", "a=secret%0a", ",".join(f"h{n}=secret" for n in range(65))):
        with pytest.raises(HostdError) as refused:
            read_headers(wrong, "otel.headers")
        assert refused.value.reason == "CONFIG_INVALID"
        assert "otel.headers" in refused.value.message
        assert "secret" not in refused.value.message
