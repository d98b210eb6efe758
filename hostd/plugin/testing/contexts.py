"""Fake contexts: everything a component asks of the host, kept where a test can look."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hostd.errors.base import HostdError, Kind
from hostd.plugin.event import EmitOutcome, Emitted, Event, rfc3339
from hostd.plugin.expressions import Expressions
from hostd.plugin.log_lines import LeveledLog
from hostd.plugin.results import RunResult
from hostd.plugin.testing.clock import FakeClock
from hostd.plugin.testing.services import FakeBlobs, FakeEvents, FakeExpressions, FakeHttp, FakeKv
from hostd.plugin.webhook import (
    DEFAULT_ANSWER_TIMEOUT,
    DEFAULT_BODY_BYTES_MAX,
    WebhookHandler,
    WebhookRequest,
    WebhookResponse,
    answer_timeout_s,
    path_params,
)
from hostd.values.json_text import JsonValue, normalize


class FakeLog(LeveledLog):
    """Keeps `(level, message, fields)`."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, JsonValue]]] = []

    def add(self, level: str, message: str, fields: dict[str, JsonValue]) -> None:
        """Keep a line."""
        self.lines.append((level, message, fields))


class FakeSecrets:
    """Knows what the test gives it."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(values or {})

    async def get(self, name: str) -> str:
        """Return a value. Raises HostdError SECRET_MISSING."""
        if name not in self.values:
            raise HostdError(Kind.MISSING, "SECRET_MISSING", f"there is no secret {name}")
        return self.values[name]


class FakeCancel:
    """A CancelToken that a test sets."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def requested(self) -> bool:
        """Whether `set` was called."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Return when `set` is called."""
        await self._event.wait()

    def set(self) -> None:
        """Ask for a stop."""
        self._event.set()


@dataclass
class FakeProvisionContext:
    """A ProvisionContext."""

    plugin: str = "test"
    component: str = "test.component"
    data_dir: Path | None = None
    log: FakeLog = field(default_factory=FakeLog)
    clock: FakeClock = field(default_factory=FakeClock)


@dataclass
class FakeActionContext:
    """An ActionContext; `beats` holds what was reported."""

    namespace: str = "default"
    workflow: str = "test"
    run_id: str = "0" * 26
    step: str = "step"
    attempt: int = 1
    idempotency_key: str = "testkey"
    trace: dict[str, str] = field(default_factory=dict)
    deadline: datetime | None = None
    progress: JsonValue = None
    log: FakeLog = field(default_factory=FakeLog)
    clock: FakeClock = field(default_factory=FakeClock)
    secrets: FakeSecrets = field(default_factory=FakeSecrets)
    cancel: FakeCancel = field(default_factory=FakeCancel)
    kv: FakeKv = field(default_factory=FakeKv)
    blobs: FakeBlobs = field(default_factory=FakeBlobs)
    events: FakeEvents = field(default_factory=FakeEvents)
    http: FakeHttp = field(default_factory=FakeHttp)
    expressions: Expressions = field(default_factory=FakeExpressions)
    beats: list[JsonValue] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kv.clock = self.clock

    def heartbeat(self, progress: JsonValue = None) -> None:
        """Keep a report."""
        self.beats.append(normalize(progress))

    def next_attempt(self) -> FakeActionContext:
        """Return the context of the attempt after this one."""
        last = self.beats[-1] if self.beats else self.progress
        return dataclasses.replace(self, attempt=self.attempt + 1, progress=last, beats=[])


class FakeRoute:
    """A Route; closed ones answer no more."""

    def __init__(self, url_path: str, forget: Callable[[], None]) -> None:
        self.url_path = url_path
        self._forget = forget

    def close(self) -> None:
        """Stop answering."""
        self._forget()


class FakeDoor:
    """An HttpDoor; tests send requests with `request`."""

    def __init__(self, namespace: str = "default") -> None:
        self._namespace = namespace
        self.routes: dict[tuple[str, str], tuple[WebhookHandler, int]] = {}

    def route(
        self,
        path: str,
        methods: Sequence[str],
        handler: WebhookHandler,
        *,
        max_body_bytes: int = DEFAULT_BODY_BYTES_MAX,
        timeout: timedelta = DEFAULT_ANSWER_TIMEOUT,
    ) -> FakeRoute:
        """Answer a path. Raises HostdError PATH_TAKEN. Nobody looks at the time here."""
        answer_timeout_s(timeout)
        url_path = f"/hooks/{self._namespace}/{path.removeprefix('/')}"
        keys = [(method, url_path) for method in methods]
        if any(key in self.routes for key in keys):
            raise HostdError(Kind.EXISTS, "PATH_TAKEN", f"{url_path} is answered already")
        self.routes.update(dict.fromkeys(keys, (handler, max_body_bytes)))

        def forget() -> None:
            for key in keys:
                self.routes.pop(key, None)

        return FakeRoute(url_path, forget)

    async def request(
        self,
        method: str,
        url_path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        remote: str = "127.0.0.1",
    ) -> WebhookResponse:
        """Send a request as the daemon would: 404 without a route, 413 for a body that is too large."""
        pattern, found = self._found(method, url_path)
        if found is None:
            return WebhookResponse(404)
        handler, most_bytes = found
        if len(body) > most_bytes:
            return WebhookResponse(413)
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        params = path_params(pattern, url_path)
        return await handler(WebhookRequest(method, url_path, lower, dict(query or {}), body, remote, params))

    def _found(self, method: str, url_path: str) -> tuple[str, tuple[WebhookHandler, int] | None]:
        """Return the path as it was opened, and who answers it."""
        parts = url_path.split("/")
        for (each, pattern), route in self.routes.items():
            words = pattern.split("/")
            fits = len(words) == len(parts) and all(
                word == part or (word.startswith("{") and part) for word, part in zip(words, parts, strict=True)
            )
            if each == method and fits:
                return pattern, route
        return url_path, None


class FakeTriggerContext:
    """A TriggerContext. `emitted` holds what was emitted, `cursors` each durable cursor in order.

    An id emitted twice is DUPLICATE with the first one's run.
    `results` holds what became of runs. Set `failure` to make the next emit raise. `has_begun`: `begun` was called.
    """

    def __init__(
        self,
        *,
        component: str = "test.trigger",
        clock: FakeClock | None = None,
        cursor: JsonValue = None,
        secrets: Mapping[str, str] | None = None,
        partition: str = "",
    ) -> None:
        self.partition = partition
        self.namespace = "default"
        self.workflow = "test"
        self.name = "trigger"
        self.component = component
        self.clock = clock or FakeClock()
        self.cursor = cursor
        self.secrets = FakeSecrets(secrets)
        self.log = FakeLog()
        self.http = FakeDoor()
        self.kv = FakeKv(clock=self.clock)
        self.events = FakeEvents(begin=0)
        self.emitted: list[Event] = []
        self.cursors: list[JsonValue] = []
        self.failure: Exception | None = None
        self.results: dict[str, RunResult] = {}
        self._runs: dict[str, tuple[str, ...]] = {}
        self._numbers = itertools.count(1)
        self.has_begun = False

    def begun(self) -> None:
        """Note that the trigger said so."""
        self.has_begun = True

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
        """Return an event; an id that is not given counts `event-1`, `event-2`, ..."""
        return Event(
            id=id or f"event-{next(self._numbers)}",
            source=source or f"/{self.namespace}/{self.workflow}/{self.name}",
            type=type or self.component,
            time=time or self.clock.now(),
            data=normalize(data),
            subject=subject,
            extensions=dict(extensions or {}),
        )

    async def emit(self, *events: Event, cursor: JsonValue | datetime = None) -> list[Emitted]:
        """Keep events and cursor."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        if cursor is not None:
            self.cursor = rfc3339(cursor) if isinstance(cursor, datetime) else normalize(cursor)
            self.cursors.append(self.cursor)
        return [self._keep(one) for one in events]

    def _keep(self, event: Event) -> Emitted:
        if event.id in self._runs:
            return Emitted(event.id, EmitOutcome.DUPLICATE, self._runs[event.id])
        self.emitted.append(event)
        self._runs[event.id] = (f"run-{len(self.emitted)}",)
        return Emitted(event.id, EmitOutcome.STARTED, self._runs[event.id])

    async def result(self, run_id: str, *, timeout: timedelta) -> RunResult:
        """Return what the test put into `results`, else RUNNING once the clock was turned so far."""
        if run_id not in self.results:
            await self.clock.sleep(timeout)
        return self.results.get(run_id) or RunResult(run_id, "RUNNING")

    async def stopped(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()
