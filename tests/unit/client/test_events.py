"""CloudEvents to and from messages."""

from __future__ import annotations

from typing import Any

import pytest

from hostd.client.events import cloud_event, cloud_events, envelope_of
from hostd.errors.base import HostdError

WHOLE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/till",
    "type": "paid",
    "subject": "o-1",
    "time": "2026-01-02T03:04:05.678901Z",
    "datacontenttype": "application/json",
    "data": {"n": 9007199254740993, "x": 0.5},
    "traceparent": "00-1",
    "count": 3,
    "late": True,
}


def test_there_and_back() -> None:
    """Every attribute, extensions and exact numbers survive."""
    assert envelope_of(cloud_event(WHOLE)) == WHOLE
    assert [one.id for one in cloud_events([WHOLE, WHOLE | {"id": "2"}])] == ["1", "2"]


def test_bytes_become_what_the_daemon_makes_of_them() -> None:
    """`data_base64` is data that says it is base64, and of what type."""
    event = cloud_event({"data_base64": "AP8=", "datacontenttype": "image/png"})
    assert envelope_of(event)["data"] == {"base64": "AP8=", "content_type": "image/png"}


@pytest.mark.parametrize(
    "envelope",
    [
        1,
        {"specversion": "0.3"},
        {"id": 1},
        {"time": "noon"},
        {"extra": [1]},
        {"data": 1, "data_base64": "AA=="},
        {"data_base64": "#"},
        {"data_base64": 1},
    ],
)
def test_what_is_no_event_is_refused_here(envelope: Any) -> None:
    """Before anything is sent, by name."""
    with pytest.raises(HostdError, match="EVENT_INVALID"):
        cloud_event(envelope)
