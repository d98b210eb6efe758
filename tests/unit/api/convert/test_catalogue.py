"""What the daemon tells of itself, as messages."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict

from hostd.api.convert.catalogue import audit_message, namespace_message, system_message
from hostd.model.administration import AuditView, IsolationView, JournalView, NamespaceView, SystemView

SECOND = "1970-01-01T00:00:01Z"
JOURNAL = JournalView("sqlite", "j1", 7, "/data/journal.db", "JOURNAL_FULL")
LUA = IsolationView("part", ("seccomp",), {"cgroup": "not ours"})
SYSTEM = SystemView(
    "0.1", "1.2", "3.11", "i1", 1_000, JOURNAL, LUA, {"runs": 5}, ("watch",), "2026a", 6, 8, "http:1", "grpc:2"
)


def texts(value: Any) -> Any:
    """Return a tree with all of its leaves as texts: 64-bit numbers are texts in JSON already."""
    if isinstance(value, dict):
        return {key: texts(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [texts(item) for item in value]
    return str(value)


@pytest.mark.parametrize(
    ("view", "make", "time"),
    [
        (SYSTEM, system_message, ("started_at_ms", "start_time")),
        (AuditView(3, 1_000, "me", "run.start", "w", {"key": "k"}), audit_message, ("at_ms", "time")),
        (NamespaceView("shop", 1, 2, 3, 4, 5), namespace_message, None),
    ],
)
def test_every_field_is_told(view: Any, make: Any, time: tuple[str, str] | None) -> None:
    """Under its own name, times as timestamps: what a view gains its message does not forget."""
    expected = msgspec.to_builtins(view)
    if time is not None:
        del expected[time[0]]
        expected[time[1]] = SECOND
    assert texts(MessageToDict(make(view), preserving_proto_field_name=True)) == texts(expected)
