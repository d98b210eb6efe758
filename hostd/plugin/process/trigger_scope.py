"""What a configured trigger gets: its TriggerContext, over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hostd.plugin.clocks import SlotMark, at_ms
from hostd.plugin.event import Emitted, Event, rfc3339
from hostd.plugin.process.actions import Workplace
from hostd.plugin.process.host_calls import HostCalls, WireEvents, WireKeyValue, WireSecrets, result_of_run
from hostd.plugin.process.link import Link
from hostd.plugin.process.tasks import Tasks
from hostd.plugin.process.wire import emitted_of, error_of, event_to_wire, value_of
from hostd.plugin.results import RESULT_WAIT_MAX, RunResult
from hostd.plugin.trigger_facts import TriggerFacts
from hostd.plugin.v1 import host_pb2 as pb
from hostd.plugin.webhook import (
    DEFAULT_ANSWER_TIMEOUT,
    DEFAULT_BODY_BYTES_MAX,
    WebhookHandler,
    WebhookRequest,
    WebhookResponse,
    answer_timeout_s,
)
from hostd.values.json_text import JsonValue, dump_json, normalize

LATE_S = 5.0  # a handler has so much longer than the host waits
ROUTES_MAX = 16


class WireRoute:
    """A path the daemon answers for a trigger."""

    __slots__ = ("_close", "handler", "path", "url_path")

    def __init__(self, path: str, url_path: str, handler: WebhookHandler, close: Callable[[WireRoute], None]) -> None:
        self.path = path
        self.url_path = url_path
        self.handler = handler
        self._close = close

    def close(self) -> None:
        """Stop answering; may be called twice."""
        self._close(self)


class WireDoor:
    """The HTTP port as one trigger sees it.

    `route` cannot wait for the host, so a path that is refused (PATH_TAKEN) ends the trigger a moment later.
    """

    def __init__(
        self, instance: str, namespace: str, link: Link, tasks: Tasks, refused: Callable[[Exception], None]
    ) -> None:
        self._instance = instance
        self._namespace = namespace
        self._link = link
        self._tasks = tasks
        self._refused = refused
        self._routes: dict[str, list[WireRoute]] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self.was_refused = False  # some path: the trigger is about to end

    def route(
        self,
        path: str,
        methods: Sequence[str],
        handler: WebhookHandler,
        *,
        max_body_bytes: int = DEFAULT_BODY_BYTES_MAX,
        timeout: timedelta = DEFAULT_ANSWER_TIMEOUT,
    ) -> WireRoute:
        """Answer `/hooks/<namespace>/<path>`."""
        if sum(map(len, self._routes.values())) >= ROUTES_MAX:
            raise ValueError(f"one trigger answers at most {ROUTES_MAX} paths")
        if path in self._routes:
            raise ValueError(f"this trigger answers {path[:80]!r} already; name all methods at once")
        timeout_s = answer_timeout_s(timeout)
        route = WireRoute(path, self.url_path(path), _timed(handler, timeout_s + LATE_S), self._close)
        self._routes[path] = [route]
        wanted = pb.OpenRoute(
            instance=self._instance,
            path=path,
            methods=list(methods),
            max_body_bytes=max_body_bytes,
            timeout_ms=max(1, round(timeout_s * 1000)),
        )
        opening = self._tasks.spawn(self._open(wanted), name=f"open {route.url_path}")
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        return route

    async def opened(self) -> None:
        """Return when the host has answered for every path so far."""
        while self._opening:
            await asyncio.wait(set(self._opening))

    def url_path(self, path: str) -> str:
        """Return a path from the root, parameters by name."""
        return f"/hooks/{self._namespace}/{path.removeprefix('/')}"

    async def _open(self, wanted: pb.OpenRoute) -> None:
        answer = await self._link.ask(pb.FromPlugin(open_route=wanted), again=True)
        if answer.WhichOneof("frame") == "host_answer" and answer.host_answer.HasField("fault"):
            self._routes.pop(wanted.path, None)
            self.was_refused = True
            self._refused(error_of(answer.host_answer.fault))

    def _close(self, route: WireRoute) -> None:
        if self._routes.pop(route.path, None) is None:
            return
        unwanted = pb.OpenRoute(instance=self._instance, path=route.path, close=True)
        self._tasks.spawn(self._open(unwanted), name=f"close {route.url_path}")

    def handler(self, path: str) -> WebhookHandler | None:
        """Return who answers a path."""
        routes = self._routes.get(path)
        return routes[0].handler if routes else None

    def forget(self) -> None:
        """Answer nothing any more; the host takes the paths back by itself when the trigger has ended."""
        self._routes.clear()


def _timed(handler: WebhookHandler, timeout_s: float) -> WebhookHandler:
    """Return a handler that ends with its time: the host has answered by then, and tells nobody here."""

    async def answer(request: WebhookRequest) -> WebhookResponse:
        async with asyncio.timeout(timeout_s):
            return await handler(request)

    return answer


class TriggerScope(TriggerFacts):
    """A configured trigger's TriggerContext. `partition` is empty where the trigger has none."""

    def __init__(
        self,
        start: pb.StartTrigger,
        workplace: Workplace,
        *,
        link: Link,
        tasks: Tasks,
        refused: Callable[[Exception], None],
    ) -> None:
        super().__init__(
            namespace=start.namespace,
            workflow=start.workflow,
            name=start.name,
            component=start.trigger,
            clock=workplace.clock,
            cursor=value_of(start.cursor),
            since=at_ms(start.since_ms) if start.since_ms else None,
            partition=start.partition,
        )
        self.log = workplace.logs.log(start.instance)
        calls = HostCalls(link, start.instance)
        self.secrets = WireSecrets(calls)
        self.kv = WireKeyValue(calls)
        self.events = WireEvents(calls)
        self._calls = calls
        self.http = WireDoor(start.instance, start.namespace, link, tasks, refused)
        self._instance = start.instance
        self._link = link
        self._tasks = tasks
        self._said_begun = False
        self._over = False

    def begun(self) -> None:
        """Say that the trigger listens: once the host answers all its paths."""
        if self._said_begun or self._over:
            return
        self._said_begun = True
        self._tasks.spawn(self._say_begun(), name=f"begin {self._instance}")

    async def _say_begun(self) -> None:
        await self.http.opened()
        if not self._over and not self.http.was_refused and self._link.takes_begun:
            self._link.push(pb.FromPlugin(trigger_begun=pb.TriggerBegun(instance=self._instance)))

    def close(self) -> None:
        """Answer nothing any more, and say nothing: it has ended."""
        self._over = True
        self.http.forget()

    async def result(self, run_id: str, *, timeout: timedelta) -> RunResult:
        """Return a run of the workflow once it has ended, or as it is when the time is over. Raises RUN_MISSING."""
        return await result_of_run(self._calls, run_id, min(timeout, RESULT_WAIT_MAX))

    async def emit(self, *events: Event, cursor: JsonValue | datetime = None) -> list[Emitted]:
        """Hand events to the host; returns once they are durable. Waits while the host is gone, then asks again."""
        place = SlotMark(rfc3339(cursor)) if isinstance(cursor, datetime) else normalize(cursor)
        frame = pb.Emit(
            instance=self._instance,
            events=[event_to_wire(one) for one in events],
            cursor=dump_json(str(place) if isinstance(place, SlotMark) else place) if place is not None else b"",
            slot=isinstance(place, SlotMark),
        )
        answer = (await self._link.ask(pb.FromPlugin(emit=frame), again=True)).emitted
        if answer.HasField("fault"):
            raise error_of(answer.fault)
        if place is not None:
            self.cursor = place
        return emitted_of(answer)
