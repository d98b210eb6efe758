"""What an attempt gets: its ActionContext, over the wire."""

from __future__ import annotations

from datetime import datetime

from hostd.plugin.cancel import CancelFlag
from hostd.plugin.clocks import PluginClock, at_ms
from hostd.plugin.process.actions import Workplace
from hostd.plugin.process.heartbeats import Heartbeats
from hostd.plugin.process.host_calls import (
    HostCalls,
    WireBlobs,
    WireEvents,
    WireExpressions,
    WireHttp,
    WireKeyValue,
    WireSecrets,
)
from hostd.plugin.process.wire import AttemptKey, value_of
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import JsonValue


class ActionScope:
    """One attempt's ActionContext."""

    def __init__(
        self, start: pb.StartAttempt, key: AttemptKey, workplace: Workplace, calls: HostCalls, heartbeats: Heartbeats
    ) -> None:
        self.namespace = start.namespace
        self.workflow = start.workflow
        self.run_id, self.step, self.attempt, _ = key
        self.idempotency_key = start.idempotency_key
        self.deadline: datetime | None = at_ms(start.deadline_ms) if start.deadline_ms else None
        named = {"traceparent": start.traceparent, "tracestate": start.tracestate}
        self.trace = {name: text for name, text in named.items() if text}
        self.progress: JsonValue = value_of(start.progress)
        self.log = workplace.logs.log(key)
        self.clock = PluginClock(workplace.clock)
        self.cancel = CancelFlag()
        self.secrets = WireSecrets(calls)
        self.kv = WireKeyValue(calls)
        self.blobs = WireBlobs(calls)
        self.events = WireEvents(calls)
        self.http = WireHttp(calls)
        self.expressions = WireExpressions(calls)
        self._heartbeats = heartbeats

    def heartbeat(self, progress: JsonValue = None) -> None:
        """Say that the attempt is alive, and how far it is."""
        self._heartbeats.beat(progress)
