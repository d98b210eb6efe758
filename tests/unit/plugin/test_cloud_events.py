"""Structured events: what an envelope's bytes become, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hostd.errors.base import HostdError
from hostd.plugin.cloud_events import Defaults, read_event

DEFAULTS = Defaults(datetime(2026, 1, 1, tzinfo=UTC), id="1", source="/s", type="t")


@pytest.mark.parametrize("text", ["#", "AP8", "AP8=\n", "é", 1])
def test_bytes_are_base64_or_refused(text: object) -> None:
    """What cannot be decoded is refused when it comes, not met by whoever reads it."""
    assert read_event({"data_base64": "AP8="}, DEFAULTS).data["base64"] == "AP8="  # type: ignore[index,call-overload]
    with pytest.raises(HostdError, match="EVENT_INVALID: `data_base64` is not"):
        read_event({"data_base64": text}, DEFAULTS)  # type: ignore[dict-item]
