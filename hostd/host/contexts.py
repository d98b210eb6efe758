"""What components get when they are provisioned, and what a configured trigger gets."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from hostd.aio import Clock
from hostd.errors.base import HostdError, Kind
from hostd.host.logs import DaemonLog
from hostd.host.ports import EmitPort, Hides, RunEnds, SecretReader
from hostd.host.routes import HeldRoute, PathTakenError, RouteTable
from hostd.host.services import NamespaceEvents, NamespaceKeys, Services
from hostd.plugin import Emitted, Event, RunResult, WebhookHandler, rfc3339
from hostd.plugin.clocks import PluginClock, SlotMark
from hostd.plugin.results import RESULT_WAIT_MAX
from hostd.plugin.trigger_facts import TriggerFacts
from hostd.plugin.webhook import DEFAULT_ANSWER_TIMEOUT, DEFAULT_BODY_BYTES_MAX, answer_timeout_s
from hostd.values.json_text import JsonValue, normalize

ROUTES_MAX = 16


class ProvisionScope:
    """A component's ProvisionContext."""

    __slots__ = ("clock", "component", "data_dir", "log", "plugin")

    def __init__(self, plugin: str, component: str, clock: Clock, data_dir: Path | None) -> None:
        self.plugin = plugin
        self.component = component
        self.clock = PluginClock(clock)
        self.data_dir = data_dir
        self.log = DaemonLog(component, plugin=plugin)


class TriggerDoor:
    """The HTTP port as one trigger sees it; remembers its routes so that the host can take them back.

    `taken`: the refusal of a path that somebody else answered, None while there was none.
    """

    __slots__ = ("_namespace", "_owner", "_table", "held", "taken")

    def __init__(self, table: RouteTable, namespace: str, owner: str) -> None:
        self._table = table
        self._namespace = namespace
        self._owner = owner
        self.held: list[HeldRoute] = []
        self.taken: PathTakenError | None = None

    def route(
        self,
        path: str,
        methods: Sequence[str],
        handler: WebhookHandler,
        *,
        max_body_bytes: int = DEFAULT_BODY_BYTES_MAX,
        timeout: timedelta = DEFAULT_ANSWER_TIMEOUT,
    ) -> HeldRoute:
        """Answer `/hooks/<namespace>/<path>`. Raises HostdError PATH_TAKEN."""
        if len(self.held) >= ROUTES_MAX:
            raise ValueError(f"one trigger answers at most {ROUTES_MAX} paths")
        try:
            route = self._table.add(
                self._namespace,
                path,
                methods,
                handler,
                owner=self._owner,
                max_body_bytes=max_body_bytes,
                timeout_s=answer_timeout_s(timeout),
            )
        except PathTakenError as taken:
            if not any(route.holds(taken.holder) for route in self.held):  # its own never becomes free for it
                self.taken = taken
            raise
        self.held.append(route)
        return route


class NamespaceSecrets:
    """Secrets of one namespace."""

    __slots__ = ("_namespace", "_read")

    def __init__(self, namespace: str, read: SecretReader) -> None:
        self._namespace = namespace
        self._read = read

    async def get(self, name: str) -> str:
        """Return a secret's value. Raises HostdError SECRET_MISSING."""
        return await self._read(self._namespace, name)


class TriggerScope(TriggerFacts):
    """A configured trigger's TriggerContext.

    Args:
        component: id of the trigger, the events' default type.
        called: what commands call it; `workflow/name` where not given.
        plugin: id of the plugin that has it, for the log.
        cursor: the last durable cursor.
        since: when the trigger was activated; its first slot lies behind it.
        begins: the position of topics when it was; None where that is not known.
        emit: see ports.EmitPort.
        services: what `kv` and `events` are made of; `whose` knows the secrets that must not get into them.
        ends: what became of runs.
        begun: told once when the trigger listens, unless it has ended by then.
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
        read_secret: SecretReader,
        services: Services | None = None,
        whose: Hides | None = None,
        ends: RunEnds | None = None,
        begun: Callable[[], None] | None = None,
        cursor: JsonValue = None,
        since: datetime | None = None,
        begins: int | None = None,
        dice: random.Random | None = None,
        partition: str = "",
        plugin: str = "",
        called: str = "",
    ) -> None:
        super().__init__(
            namespace=namespace,
            workflow=workflow,
            name=name,
            component=component,
            clock=clock,
            cursor=cursor,
            since=since,
            dice=dice,
            partition=partition,
        )
        self.secrets = NamespaceSecrets(namespace, read_secret)
        place = f"{name}[{partition}]" if partition else name
        self.log = DaemonLog(component, plugin=plugin, namespace=namespace, workflow=workflow, trigger=place)
        self.http = TriggerDoor(routes, namespace, called or f"{workflow}/{name}")
        self._emit = emit
        self._services = services
        self._whose = whose
        self._ends = ends
        self._begins = begins
        self._begun = begun
        self._since_ms = None if since is None else round(since.timestamp() * 1000)

    @property
    def kv(self) -> NamespaceKeys:
        """Small values by key."""
        return NamespaceKeys(self._served().cells, self.namespace, self._whose)

    @property
    def events(self) -> NamespaceEvents:
        """The namespace's topics."""
        topics, since_ms = self._served().topics, self._since_ms
        return NamespaceEvents(topics, self.namespace, self._whose, begins=self._begins, since_ms=since_ms)

    def _served(self) -> Services:
        if self._services is None:
            raise HostdError(Kind.UNSUPPORTED, "HOST_CALL_UNKNOWN", "this host keeps neither values nor topics")
        return self._services

    async def emit(self, *events: Event, cursor: JsonValue | datetime = None) -> list[Emitted]:
        """Hand events to the host; returns once they are durable."""
        place = SlotMark(rfc3339(cursor)) if isinstance(cursor, datetime) else normalize(cursor)
        emitted = await self._emit(events, place)
        if place is not None:
            self.cursor = place
        return emitted

    async def result(self, run_id: str, *, timeout: timedelta) -> RunResult:
        """Return a run of the workflow once it has ended, or as it is when the time is over. Raises RUN_MISSING."""
        if self._ends is None:
            raise HostdError(Kind.UNSUPPORTED, "HOST_CALL_UNKNOWN", "this host does not tell what became of runs")
        timeout_s = max(0.0, min(timeout, RESULT_WAIT_MAX).total_seconds())
        return await self._ends(self.namespace, self.workflow, run_id, timeout_s=timeout_s)

    def begun(self) -> None:
        """Say that the trigger listens."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun()

    def close(self) -> None:
        """Take back what the trigger was given; for the runtime, when `run` has ended."""
        self._begun = None
        for route in self.http.held:
            route.close()
