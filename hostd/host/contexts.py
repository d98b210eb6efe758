"""The contexts plugins get. An action's is made for each attempt, so it is small and makes its parts when asked."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from hostd.aio import Clock
from hostd.host.clock import PluginClock, SlotsClock, at_ms
from hostd.host.logs import AttemptLog, DaemonLog
from hostd.host.ports import AttemptHost, EmitPort
from hostd.host.routes import HeldRoute, RouteTable
from hostd.model.ids import idempotency_key
from hostd.plugin import Emitted, Event, Secrets, WebhookHandler, rfc3339
from hostd.plugin.webhook import DEFAULT_BODY_BYTES_MAX
from hostd.values.json_text import JsonValue, normalize

ROUTES_MAX = 16


class CancelFlag:
    """Set once, from the loop; read from anywhere, waited for on the loop."""

    __slots__ = ("_event", "requested")

    def __init__(self) -> None:
        self.requested = False
        self._event: asyncio.Event | None = None

    async def wait(self) -> None:
        """Return when a stop is asked for."""
        if self.requested:
            return
        if self._event is None:
            self._event = asyncio.Event()
        await self._event.wait()

    def set(self) -> None:
        """Ask for a stop."""
        self.requested = True
        if self._event is not None:
            self._event.set()


class AttemptContext:
    """One attempt's ActionContext. `deadline_ms` is wall time, 0 = none; `lineage` and `scope` make the key.

    The runtime reads `log_lines`, sets `progress` from the attempt before, and calls `request_cancel`.
    """

    __slots__ = (
        "_cancel",
        "_host",
        "_log",
        "attempt",
        "deadline_ms",
        "lineage",
        "namespace",
        "progress",
        "run_id",
        "scope",
        "step",
        "workflow",
    )

    def __init__(
        self,
        host: AttemptHost,
        namespace: str,
        workflow: str,
        run_id: str,
        step: str,
        attempt: int,
        lineage: str = "",
        scope: str = "",
        deadline_ms: int = 0,
        progress: JsonValue = None,
    ) -> None:
        self._host = host
        self.namespace = namespace
        self.workflow = workflow
        self.run_id = run_id
        self.step = step
        self.attempt = attempt
        self.lineage = lineage
        self.scope = scope
        self.deadline_ms = deadline_ms
        self.progress = progress
        self._log: AttemptLog | None = None
        self._cancel: CancelFlag | None = None

    @property
    def log(self) -> AttemptLog:
        """The attempt's log."""
        if self._log is None:
            self._log = AttemptLog(self._host.clock.base)
        return self._log

    @property
    def kept_log(self) -> AttemptLog | None:
        """The log if anything was written; for the runtime."""
        return self._log

    @property
    def clock(self) -> PluginClock:
        """The daemon's clock."""
        return self._host.clock

    @property
    def idempotency_key(self) -> str:
        """The same for all tries of the step."""
        return idempotency_key(self.lineage or self.run_id, self.scope, self.step)

    @property
    def deadline(self) -> datetime | None:
        """When the attempt is given up."""
        return at_ms(self.deadline_ms) if self.deadline_ms else None

    @property
    def cancel(self) -> CancelFlag:
        """Whether a stop is asked for."""
        if self._cancel is None:
            self._cancel = CancelFlag()
        return self._cancel

    @property
    def secrets(self) -> Secrets:
        """Secrets of the namespace."""
        return self._host.secrets(self)

    def heartbeat(self, progress: JsonValue = None) -> None:
        """Say that the attempt is alive, and how far it is."""
        self._host.heartbeat(self, normalize(progress))

    def request_cancel(self) -> None:
        """Ask the attempt to stop; for the runtime, on the loop."""
        self.cancel.set()


make_action_context = AttemptContext
"""Makes an attempt's context, about a microsecond; arguments by position on the hot path."""


class ProvisionScope:
    """A component's ProvisionContext."""

    __slots__ = ("clock", "component", "data_dir", "log", "plugin")

    def __init__(self, plugin: str, component: str, clock: Clock, data_dir: Path | None) -> None:
        self.plugin = plugin
        self.component = component
        self.clock = PluginClock(clock)
        self.data_dir = data_dir
        self.log = DaemonLog(component)


class TriggerDoor:
    """The HTTP port as one trigger sees it; remembers its routes so that the host can take them back."""

    __slots__ = ("_namespace", "_owner", "_table", "held")

    def __init__(self, table: RouteTable, namespace: str, owner: str) -> None:
        self._table = table
        self._namespace = namespace
        self._owner = owner
        self.held: list[HeldRoute] = []

    def route(
        self,
        path: str,
        methods: Sequence[str],
        handler: WebhookHandler,
        *,
        max_body_bytes: int = DEFAULT_BODY_BYTES_MAX,
    ) -> HeldRoute:
        """Answer `/hooks/<namespace>/<path>`. Raises HostdError PATH_TAKEN."""
        if len(self.held) >= ROUTES_MAX:
            raise ValueError(f"one trigger answers at most {ROUTES_MAX} paths")
        route = self._table.add(
            self._namespace, path, methods, handler, owner=self._owner, max_body_bytes=max_body_bytes
        )
        self.held.append(route)
        return route


class TriggerScope:
    """A configured trigger's TriggerContext.

    Args:
        component: id of the trigger plugin, the events' default type.
        cursor: the last durable cursor.
        emit: see ports.EmitPort.
    """

    def __init__(
        self,
        *,
        namespace: str,
        workflow: str,
        name: str,
        component: str,
        clock: Clock,
        emit: EmitPort,
        routes: RouteTable,
        secrets: Secrets,
        cursor: JsonValue = None,
        dice: random.Random | None = None,
    ) -> None:
        self.namespace = namespace
        self.workflow = workflow
        self.name = name
        self.cursor = cursor
        self.secrets = secrets
        self.clock = SlotsClock(clock, cursor)
        self.log = DaemonLog(component, namespace=namespace, workflow=workflow, trigger=name)
        self.http = TriggerDoor(routes, namespace, f"{workflow}/{name}")
        self._component = component
        self._emit = emit
        self._dice = dice or random.SystemRandom()

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
        """Return an event with what is not given filled in."""
        return Event(
            id=id or f"{self._dice.getrandbits(128):032x}",
            source=source or f"/{self.namespace}/{self.workflow}/{self.name}",
            type=type or self._component,
            time=time or self.clock.now(),
            data=normalize(data),
            subject=subject,
            extensions=normalize(extensions) if extensions else {},  # type: ignore[arg-type]
        )

    async def emit(self, event: Event, *more: Event, cursor: JsonValue | datetime = None) -> list[Emitted]:
        """Hand events to the host; returns once they are durable."""
        place = rfc3339(cursor) if isinstance(cursor, datetime) else normalize(cursor)
        emitted = await self._emit((event, *more), place)
        if place is not None:
            self.cursor = place
        return emitted

    async def stopped(self) -> None:
        """Wait until the host cancels the trigger."""
        await asyncio.Event().wait()

    def close(self) -> None:
        """Take back what the trigger was given; for the runtime, when `run` has ended."""
        for route in self.http.held:
            route.close()
