"""Where OpenTelemetry data goes."""

from __future__ import annotations

import pytest

from hostd.errors.base import HostdError
from hostd.telemetry.otel.target import Target, read_headers, target_of

BASE = "http://collector:4318"


def found(endpoint: str | None = None, headers: str = "", every_s: float = 60, **environ: str) -> Target | None:
    """Return the target of a configuration and variables."""
    return target_of(endpoint=endpoint, headers=headers, share=0.5, metrics_every_s=every_s, environ=environ)


def test_the_configuration_wins_over_the_variables() -> None:
    """Nothing said is nothing sent; variables name the base or each signal; the configuration's base is for both."""
    both = Target(f"{BASE}/v1/traces", f"{BASE}/v1/metrics", {}, 0.5, 60)
    own = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/x"}
    assert found() is None
    assert found(BASE) == found(f"{BASE}/") == found(OTEL_EXPORTER_OTLP_ENDPOINT=BASE) == both
    assert found(BASE, **own, OTEL_EXPORTER_OTLP_ENDPOINT="http://other") == both
    assert found(**own) == both._replace(traces="http://t/x", metrics="")
    assert found(BASE, every_s=0) == both._replace(metrics="", metrics_every_s=0)
    assert found(BASE, OTEL_METRICS_EXPORTER="none") == both._replace(metrics="")
    assert found(BASE, OTEL_TRACES_EXPORTER="none", OTEL_METRICS_EXPORTER="none") is None
    assert found(BASE, OTEL_SDK_DISABLED="true") is None
    assert found(BASE, "a=1", OTEL_EXPORTER_OTLP_HEADERS="b=2") == both._replace(headers={"a": "1"})
    assert found(BASE, OTEL_EXPORTER_OTLP_HEADERS="b=2") == both._replace(headers={"b": "2"})


def test_headers_are_read_as_the_standard_writes_them() -> None:
    """Names get small, values are percent-decoded; what is no header is refused without being shown."""
    assert read_headers("X-Key=a%20b, authorization=Bearer t=", "w") == {"x-key": "a b", "authorization": "Bearer t="}
    for wrong in ("secret", "a b=secret", "a=secret%0a", ",".join(f"h{n}=secret" for n in range(65))):
        with pytest.raises(HostdError) as refused:
            read_headers(wrong, "otel.headers")
        assert refused.value.reason == "CONFIG_INVALID"
        assert "otel.headers" in refused.value.message
        assert "secret" not in refused.value.message
