"""What an attempt of an action gets. One is made for each attempt, so it is small and makes its parts when asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from hostd.aio import Clock
from hostd.host.expressions import AttemptExpressions
from hostd.host.guard import fault_of
from hostd.host.logs import AttemptLog
from hostd.host.ports import AttemptFacts, Heartbeats, SecretReader
from hostd.host.services import AttemptBlobs, AttemptRequests, NamespaceEvents, NamespaceKeys, Services
from hostd.model.records import Failure
from hostd.plugin.cancel import CancelFlag
from hostd.plugin.clocks import PluginClock
from hostd.telemetry.tracing import Tracing
from hostd.values.json_text import JsonValue, normalize


class AttemptSecrets:
    """Secrets of an attempt's namespace; the attempt remembers each value handed out, to keep it out of records."""

    __slots__ = ("_attempt", "_read")

    def __init__(self, attempt: AttemptFacts, read: SecretReader) -> None:
        self._attempt = attempt
        self._read = read

    async def get(self, name: str) -> str:
        """Return a secret's value. Raises HostdError SECRET_MISSING."""
        value = await self._read(self._attempt.namespace, name)
        if value not in self._attempt.hidden:
            self._attempt.hidden = (*self._attempt.hidden, value)
        return value


class AttemptContext(msgspec.Struct, eq=False):
    """One attempt's ActionContext; the runtime reads `lines` and calls `request_cancel`."""

    _home: AttemptContexts
    _attempt: AttemptFacts
    _deadline: datetime | None = None
    _log: AttemptLog | None = None
    _cancel: CancelFlag | None = None
    _http: AttemptRequests | None = None
    when_recorded: Callable[[], object] | None = None  # called once the outcome is durable

    def __repr__(self) -> str:
        """Without what it holds: there may be secrets among it."""
        return f"<context of {self._attempt!r}>"

    @property
    def namespace(self) -> str:
        """Namespace of the run."""
        return self._attempt.namespace

    @property
    def workflow(self) -> str:
        """Name of the workflow."""
        return self._attempt.plan.workflow

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return self._attempt.run_id

    @property
    def step(self) -> str:
        """Id of the step."""
        return self._attempt.step.id

    @property
    def attempt(self) -> int:
        """Counts from 1."""
        return self._attempt.number

    @property
    def idempotency_key(self) -> str:
        """The same for all tries of the step."""
        return self._attempt.idempotency_key

    @property
    def trace(self) -> dict[str, str]:
        """W3C trace context for what the attempt sends to others, as headers; empty for none."""
        attempt = self._attempt
        return self._home.tracing.headers(attempt.run_id, attempt.step.id, attempt.number, attempt.trace)

    @property
    def deadline(self) -> datetime | None:
        """When the attempt is given up."""
        return self._deadline

    @property
    def clock(self) -> PluginClock:
        """The daemon's clock."""
        return self._home.clock

    @property
    def log(self) -> AttemptLog:
        """The attempt's log."""
        if self._log is None:
            self._log = AttemptLog(self._home.clock)
        return self._log

    @property
    def lines(self) -> Sequence[str]:
        """What was logged so far, for the runtime."""
        return self._log.lines if self._log is not None else ()

    @property
    def cancel(self) -> CancelFlag:
        """Whether a stop is asked for."""
        if self._cancel is None:
            self._cancel = CancelFlag()
        return self._cancel

    def request_cancel(self) -> None:
        """Ask the attempt to stop; for the runtime, on the loop."""
        self.cancel.set()

    @property
    def secrets(self) -> AttemptSecrets:
        """Secrets of the namespace."""
        return AttemptSecrets(self._attempt, self._home.read_secret)

    @property
    def kv(self) -> NamespaceKeys:
        """Small values by key."""
        return NamespaceKeys(self._home.services.cells, self._attempt.namespace, self._attempt)

    @property
    def blobs(self) -> AttemptBlobs:
        """Large bytes, kept with the run."""
        return AttemptBlobs(self._home.services.blobs, self._attempt)

    @property
    def events(self) -> NamespaceEvents:
        """The namespace's topics."""
        home, attempt = self._home, self._attempt
        trace = " ".join(self.trace.values())
        return NamespaceEvents(home.services.topics, attempt.namespace, attempt, trace=trace, tracing=home.tracing)

    @property
    def http(self) -> AttemptRequests:
        """Requests under the operator's rules."""
        if self._http is None:
            self._http = AttemptRequests(self._home.services.requests, self)
        return self._http

    @property
    def expressions(self) -> AttemptExpressions:
        """The expression language; a retry draws the same random values."""
        now_ms = round(self._home.clock.now().timestamp() * 1000)
        return AttemptExpressions(now_ms=now_ms, seed=self._attempt.idempotency_key.encode())

    @property
    def progress(self) -> JsonValue:
        """What the attempt before this one last reported."""
        return self._home.heartbeats.progress(self._attempt)

    def heartbeat(self, progress: JsonValue = None) -> None:
        """Say that the attempt is alive, and how far it is."""
        self._home.heartbeats.beat(self._attempt, normalize(progress))


class LastHeartbeats:
    """Keeps the last progress of each step in memory, bounded: the oldest go first."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._last: dict[tuple[str, str], JsonValue] = {}

    def beat(self, attempt: AttemptFacts, progress: JsonValue) -> None:
        """Take note."""
        key = (attempt.run_id, attempt.step.id)
        self._last.pop(key, None)
        self._last[key] = progress
        if len(self._last) > self._most:
            del self._last[next(iter(self._last))]

    def progress(self, attempt: AttemptFacts) -> JsonValue:
        """Return what the attempt before this one last reported, None when it did not or it is forgotten."""
        return self._last.get((attempt.run_id, attempt.step.id))


class AttemptContexts:
    """Makes what actions are given, and understands what they raise; one per daemon.

    Whoever builds the rooms sets `services` before the first attempt.
    """

    services: Services

    def __init__(self, *, clock: Clock, read_secret: SecretReader, heartbeats: Heartbeats | None = None) -> None:
        self.clock = PluginClock(clock)
        self.read_secret = read_secret
        self.heartbeats: Heartbeats = heartbeats or LastHeartbeats()
        self.tracing = Tracing(clock)

    def action(self, attempt: AttemptFacts) -> AttemptContext:
        """Return an attempt's context."""
        timeout_ms = attempt.step.timeout_ms
        deadline = self.clock.now() + timedelta(milliseconds=timeout_ms) if timeout_ms else None
        return AttemptContext(self, attempt, deadline)

    def failure(self, error: BaseException, attempt: AttemptFacts) -> tuple[Failure, int | None]:
        """Return what an action raised as a failure, and its retry_after in milliseconds; log a bug's traceback."""
        fault = fault_of(error)
        context = getattr(attempt, "context", None)
        if fault.traceback and isinstance(context, AttemptContext):
            context.log.error(fault.traceback)
        return fault.failure, fault.retry_after_ms
