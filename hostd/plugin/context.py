"""What the host hands to plugins. Protocols: the host implements them, `hostd.plugin.testing` has fakes.

There is no global context; everything a component may ask of the host is here. A minor version only adds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from hostd.plugin.event import Emitted, Event
from hostd.plugin.expressions import Expressions
from hostd.plugin.results import RunResult
from hostd.plugin.services import Blobs, Events, Http, KeyValue
from hostd.plugin.slots import CatchUp, Schedule
from hostd.plugin.webhook import DEFAULT_ANSWER_TIMEOUT, DEFAULT_BODY_BYTES_MAX, Route, WebhookHandler
from hostd.values.json_text import JsonValue


class Log(Protocol):
    """A bounded log; lines past the bound are counted and dropped. Fields are JSON values. Never log a secret.

    Arguments go into the message as in `logging`: `ctx.log.info("%d of %d", done, all)`.
    """

    def debug(self, message: str, /, *args: object, **fields: JsonValue) -> None: ...

    def info(self, message: str, /, *args: object, **fields: JsonValue) -> None: ...

    def warning(self, message: str, /, *args: object, **fields: JsonValue) -> None: ...

    def error(self, message: str, /, *args: object, **fields: JsonValue) -> None: ...


class Clock(Protocol):
    """The host's clock; tests turn it. Use it instead of `time` and `asyncio.sleep`."""

    def now(self) -> datetime:
        """Return the wall time, aware, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that never jump."""
        ...

    async def sleep(self, duration: timedelta | float) -> None:
        """Wait; a number is seconds."""
        ...


class TriggerClock(Clock, Protocol):
    """A clock that also knows the trigger's slots and resumes after its cursor."""

    def ticks(
        self, period: timedelta, offset: timedelta = timedelta(0), *, catch_up: CatchUp = "one"
    ) -> AsyncIterator[datetime]:
        """Yield the multiples of `period` since the epoch plus `offset`, each when it comes; see `slots`."""
        ...

    def slots(self, schedule: Schedule, *, catch_up: CatchUp = "one") -> AsyncIterator[datetime]:
        """Yield each slot of a schedule when it comes, none twice.

        Emit it with `cursor=slot`: after a restart it goes on behind the last slot that was durable; before the
        first, behind the trigger's activation.
        """
        ...


class Secrets(Protocol):
    """Secrets of the namespace."""

    async def get(self, name: str) -> str:
        """Return a secret's value. Raises HostdError SECRET_MISSING."""
        ...


class CancelToken(Protocol):
    """Whether the attempt is asked to stop.

    An `async def run` gets asyncio.CancelledError at the same moment and has the grace time (30 s) to clean up; a plain
    `def run` in a thread has only this to look at.
    """

    @property
    def requested(self) -> bool:
        """Safe to read from any thread."""
        ...

    async def wait(self) -> None:
        """Return when a stop is asked for."""
        ...


class ProvisionContext(Protocol):
    """Given to `provision`."""

    @property
    def plugin(self) -> str:
        """Id of the plugin."""
        ...

    @property
    def component(self) -> str:
        """Id of the component, `<domain>.<name>`."""
        ...

    @property
    def data_dir(self) -> Path | None:
        """The daemon's data folder; None when it keeps everything in memory."""
        ...

    @property
    def log(self) -> Log: ...

    @property
    def clock(self) -> Clock: ...


class ActionContext(Protocol):
    """Given to each attempt of an action."""

    @property
    def log(self) -> Log: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def namespace(self) -> str: ...

    @property
    def workflow(self) -> str: ...

    @property
    def run_id(self) -> str: ...

    @property
    def step(self) -> str:
        """Id of the step."""
        ...

    @property
    def attempt(self) -> int:
        """Counts from 1."""
        ...

    @property
    def idempotency_key(self) -> str:
        """The same for all tries of this step, on every peer: give it to whoever can deduplicate."""
        ...

    @property
    def trace(self) -> Mapping[str, str]:
        """W3C trace context, as headers (`traceparent`, `tracestate`): send them with what the attempt sends to others.

        Empty where there is no trace. `ctx.http`, `http.request` and published events carry it by themselves.
        """
        ...

    @property
    def deadline(self) -> datetime | None:
        """When the attempt is given up (its timeout), None when never."""
        ...

    @property
    def cancel(self) -> CancelToken: ...

    @property
    def secrets(self) -> Secrets: ...

    @property
    def kv(self) -> KeyValue: ...

    @property
    def blobs(self) -> Blobs: ...

    @property
    def events(self) -> Events: ...

    @property
    def http(self) -> Http: ...

    @property
    def expressions(self) -> Expressions: ...

    @property
    def progress(self) -> JsonValue:
        """What the attempt before this one last reported, None at first."""
        ...

    def heartbeat(self, progress: JsonValue = None) -> None:
        """Say that the attempt is alive, and how far it is (None: no news). Cheap; the host writes at most one in 5 s.

        Past 256 KiB it raises HostdError PAYLOAD_TOO_LARGE.
        """
        ...


class HttpDoor(Protocol):
    """The daemon's HTTP port, as a trigger may use it."""

    def route(
        self,
        path: str,
        methods: Sequence[str],
        handler: WebhookHandler,
        *,
        max_body_bytes: int = DEFAULT_BODY_BYTES_MAX,
        timeout: timedelta = DEFAULT_ANSWER_TIMEOUT,
    ) -> Route:
        """Answer `/hooks/<namespace>/<path>`; a larger body is refused with 413 before the handler.

        A handler that has not answered within `timeout` (at most 15 minutes) is canceled; the sender gets 504.

        Raises:
            HostdError: PATH_TAKEN when another trigger has the path and method.
        """
        ...


class TriggerContext(Protocol):
    """Given to a trigger's `run`."""

    @property
    def log(self) -> Log: ...

    @property
    def clock(self) -> TriggerClock: ...

    @property
    def secrets(self) -> Secrets: ...

    @property
    def http(self) -> HttpDoor: ...

    @property
    def kv(self) -> KeyValue: ...

    @property
    def events(self) -> Events: ...

    @property
    def namespace(self) -> str: ...

    @property
    def workflow(self) -> str: ...

    @property
    def name(self) -> str:
        """The trigger's name in its workflow."""
        ...

    @property
    def partition(self) -> str:
        """The key that this instance serves, of those `partitions` listed; empty where the trigger has none."""
        ...

    @property
    def cursor(self) -> JsonValue:
        """The last durable cursor, of the partition where there is one; None before the first."""
        ...

    def event(
        self,
        data: JsonValue = None,
        *,
        id: str | None = None,  # noqa: A002 the names of the envelope
        type: str | None = None,  # noqa: A002
        source: str | None = None,
        subject: str = "",
        time: datetime | None = None,
        extensions: dict[str, JsonValue] | None = None,
    ) -> Event:
        """Return an event; id is random, type the component's id, source the trigger, time now, where not given."""
        ...

    async def emit(self, *events: Event, cursor: JsonValue | datetime = None) -> list[Emitted]:
        """Hand events to the host; returns once events, starts and cursor are durable: then acknowledge upstream.

        Waits while intake is full. A cursor of None leaves the last one; without events it alone is kept.
        Answers in the order of the events.
        """
        ...

    def begun(self) -> None:
        """Say that what happens outside from here on reaches the trigger: a connection stands, a first look was had.

        For triggers with `tells_begun = True`, once in each `run`; more often is as once.
        """
        ...

    async def result(self, run_id: str, *, timeout: timedelta) -> RunResult:
        """Return a run of the trigger's workflow once it has ended, or as it is when the time is over (10 min at most).

        Raises:
            HostdError: RUN_MISSING.
        """
        ...

    async def stopped(self) -> None:
        """Wait until the host stops the trigger (by cancelling this): for triggers that only answer requests."""
        ...
