"""The life of one configured trigger: options, run, what its end means, restarts with back-off.

STARTING -> ACTIVE -> BACKING_OFF -> STARTING ...    PAUSED by somebody      ENDED, FAILED by the trigger

FAILED because another answers its path, it begins by itself once that is free (path_waits.py).

ACTIVE is a trigger that has begun: it said so, or was provisioned and waits for the first time (see plugin/trigger.py).

One whose plugin is starting stays STARTING, without a task, until the registry says that it came, or will not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Set
from pathlib import Path
from random import Random
from typing import Any

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError, Kind
from hostd.host.contexts import ProvisionScope, TriggerScope
from hostd.host.guard import PLUGIN_ERRORS, TriggerNext, TriggerVerdict, verdict_of
from hostd.host.registry import HostRegistry, TriggerEntry
from hostd.host.routes import RouteTable
from hostd.host.services import Services
from hostd.host.triggers import partitions_of, run_once
from hostd.model.redaction import redact
from hostd.model.secrets import secret_names
from hostd.plugin import Emitted, Event, Instances
from hostd.plugin.clocks import SlotMark, at_ms
from hostd.runtime.attempts.secret_values import SecretReader, resolve, secret_values
from hostd.runtime.runs.run_results import RunEnds
from hostd.runtime.triggers.emit import Emission
from hostd.runtime.triggers.event_scope import EventScope
from hostd.runtime.triggers.live_triggers import LiveTriggers
from hostd.runtime.triggers.partition_cursors import cursor_of
from hostd.runtime.triggers.path_waits import PathWaits
from hostd.runtime.triggers.trigger_live import Live, LivePart, Part
from hostd.runtime.triggers.trigger_source import Source
from hostd.telemetry.logs import add_log_fields, log_scope

_log = logging.getLogger("hostd.runtime")

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
STEADY_S = 60.0  # a trigger that ran this long starts its back-off anew
END_S = 10.0  # a trigger that is told to stop may take this long
PARTITIONS_EVERY_S = 60.0  # between two looks at which partitions there are

NOT_LOOKED_UP = object()


class TriggerLife:
    """Runs configured triggers, each in a supervised task."""

    def __init__(
        self,
        *,
        emission: Emission,
        registry: Callable[[], HostRegistry],
        routes: RouteTable,
        live: LiveTriggers,
        read_secret: SecretReader,
        services: Services,
        ends: RunEnds,
        clock: Clock,
        random: Random,
        data_dir: Path | None = None,
    ) -> None:
        self._emission = emission
        self._registry = registry
        self._routes = routes
        self._paths = PathWaits(routes, live)
        self._read_secret = read_secret
        self._services = services
        self._ends = ends
        self._clock = clock
        self._random = random
        self._data_dir = data_dir
        self.stopped = False  # nothing begins any more
        self._coming: set[Live] = set()  # see `coming`; those that have come are taken out when it is asked

    def coming(self) -> Set[Live]:
        """Return triggers that answer no path yet, and may: they come back, or wait for a plugin."""
        self._coming = {live for live in self._coming if live.awaits_plugin or live.comes_back}
        return self._coming

    def begin(self, live: Live) -> None:
        """Let a trigger run in a task of its own, unless it is paused or has nothing to start."""
        if self.stopped:
            return
        if live.source.row.paused:
            live.state = "PAUSED"
            return
        if live.missing is not None:
            live.state, live.message = "FAILED", live.missing.message
            return
        live.start()
        live.parts = {}
        live.entry = NOT_LOOKED_UP
        uses, registry = live.source.plan.uses, self._registry()
        live.awaits_plugin = registry.trigger(uses) is None and registry.may_come(uses)
        if live.awaits_plugin:
            live.message = registry.absence(uses)
            self._coming.add(live)
            return
        live.task = spawn(self._supervise(live, self._run), name=f"trigger {live.source.scope_name}")

    async def end(self, live: Live) -> None:
        """Stop a trigger in good order: it is closed, nothing is emitted any more."""
        live.awaits_plugin = False
        live.leave()
        if live.task is not None and not live.task.done():
            live.task.cancel()
            await asyncio.wait([live.task], timeout=END_S)
        live.task = None
        live.decide()

    async def begin_anew(self, live: Live) -> None:
        """Stop a trigger that lives and let it begin again, with options that are rendered anew.

        One that waits for a path begins once that is free, or whoever has it has had its own turn: of several that
        begin anew, call it for those that wait (`waits`) last.
        """
        if self._paths.waits(live) and self._registry().trigger(live.source.plan.uses) is not None:
            self._paths.again(live)
            return
        self._returns(live)
        await self.end(live)
        self.begin(live)

    def waits(self, live: Live) -> bool:
        """Say whether a trigger waits for a path that another answers."""
        return self._paths.waits(live)

    def outdated(self, live: Live) -> bool:
        """Say whether a trigger runs, failed or waits with another plugin, or none, than the one that is loaded now."""
        if live.awaits_plugin:
            return True  # looked at again whenever plugins change: what it says of them may be old, too
        over = live.state in ("PAUSED", "ENDED") or live.entry is NOT_LOOKED_UP
        return not over and self._registry().trigger(live.source.plan.uses) is not live.entry

    async def _supervise(self, live: LivePart, run: Callable[[LivePart], Awaitable[TriggerVerdict]]) -> None:
        """Run a trigger, or one partition, until it says it is done, restarting with back-off."""
        named = f"{live.source.scope_name}[{live.partition}]" if live.partition else live.source.scope_name
        failures = 0
        add_log_fields(namespace=live.source.namespace, workflow=live.source.row.workflow, trigger=named)
        while True:
            live.started_s = self._clock.monotonic_s()
            verdict = await run(live)
            hidden = live.source.hidden
            live.message = redact(verdict.message, hidden)
            if verdict.next in (TriggerNext.ENDED, TriggerNext.FAILED):
                live.state = "ENDED" if verdict.next is TriggerNext.ENDED else "FAILED"
                event = "trigger_ended" if live.state == "ENDED" else "trigger_failed"
                _log.warning(f"{event} trigger=%s why=%s", named, live.message)
                if live.taken is None:
                    return
                await self._paths.freed(live, live.taken)
                self._returns(live)
                continue
            if self._clock.monotonic_s() - live.started_s > STEADY_S:
                failures = 0
            delay_s = verdict.after_s if verdict.after_s is not None else self._backoff_s(failures)
            failures += 1
            live.restarts += verdict.next is not TriggerNext.RECONNECT
            live.state = "BACKING_OFF"
            traceback = redact(verdict.traceback, hidden)
            _log.warning(
                "trigger_restarts trigger=%s in_s=%.1f why=%s\n%s",
                named,
                delay_s,
                live.message,
                traceback,
            )
            await self._clock.sleep(delay_s)

    def _returns(self, live: LivePart) -> None:
        """Have its path be answered with patience until it has begun."""
        if isinstance(live, Live):
            live.comes_back = True
            self._coming.add(live)

    def _backoff_s(self, failures: int) -> float:
        return BACKOFF_S[min(failures, len(BACKOFF_S) - 1)] * (0.8 + 0.4 * self._random.random())

    async def _run(self, live: LivePart) -> TriggerVerdict:
        """Run a trigger once, with all its partitions where it has some; return what its end means."""
        entry = self._registry().trigger(live.source.plan.uses)
        live.state, live.taken = "STARTING", None
        if isinstance(live, Live):
            live.entry = entry
        if entry is None:
            why = self._registry().absence(live.source.plan.uses) or "`hostd plugin list` shows what is loaded"
            message = f"no loaded plugin provides the trigger {live.source.plan.uses}; {why}"
            return verdict_of(HostdError(Kind.MISSING, "PLUGIN_MISSING", message))
        if entry.instances is Instances.PARTITIONS and isinstance(live, Live):
            return await self._run_parts(live, entry)
        try:
            options = entry.parse(await self.options(live.source))
            scope = self._scope(live, entry, begun=live.note_begun)
        except HostdError as error:
            return verdict_of(error)
        with log_scope(plugin=entry.plugin):
            verdict = await run_once(entry, options, context=scope, provision=self._provision(entry))
        if verdict.next is TriggerNext.FAILED and verdict.message.startswith("PATH_TAKEN"):
            live.taken = scope.http.taken
        return verdict

    def _provision(self, entry: TriggerEntry) -> ProvisionScope:
        return ProvisionScope(entry.plugin, entry.id, self._clock, self._data_dir)

    # -- partitions

    async def _run_parts(self, live: Live, entry: TriggerEntry) -> TriggerVerdict:
        """Run what partitions there are, each supervised by itself, and ask again each minute which there are."""
        parts = live.parts = {}
        try:
            while True:
                try:
                    keys = await self._list_parts(live, entry)
                except PLUGIN_ERRORS as error:  # the fence
                    if not parts:
                        return verdict_of(error)
                    told = redact(verdict_of(error).message, live.source.hidden)
                    _log.warning("trigger_partitions_unknown trigger=%s why=%s", live.source.scope_name, told)
                else:
                    await self._end_parts([parts.pop(key) for key in list(parts) if key not in keys])
                    for key in keys:
                        if key not in parts:
                            parts[key] = self._begin_part(live, key)
                    live.note_parts()
                await self._clock.sleep(PARTITIONS_EVERY_S)
        finally:
            await self._end_parts(list(parts.values()))

    async def _list_parts(self, live: Live, entry: TriggerEntry) -> list[str]:
        options = entry.parse(await self.options(live.source))
        scope = self._scope(live, entry)
        return await partitions_of(entry, options, context=scope, provision=self._provision(entry))

    def _begin_part(self, live: Live, key: str) -> Part:
        part = Part(live, key)
        part.task = spawn(self._supervise(part, self._run), name=f"trigger {live.source.scope_name}[{key}]")
        return part

    async def _end_parts(self, parts: list[Part]) -> None:
        tasks = [part.task for part in parts if part.task is not None and not part.task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=END_S / 2)

    # -- what it is given

    async def options(self, source: Source) -> Any:
        """Return a trigger's `with`, rendered, secrets and all. Raises HostdError SECRET_*."""
        scope = EventScope({}, now_ms=self._clock.wall_ms(), trigger=source.scope_name, event_id="")
        rendered = source.plan.options.render(scope) if source.plan.options is not None else {}
        source.secrets |= secret_names(rendered)
        values = await secret_values(self._read_secret, source.namespace, rendered)
        source.hide(*values.values())
        return resolve(rendered, values)

    def _scope(self, live: LivePart, entry: TriggerEntry, *, begun: Callable[[], None] | None = None) -> TriggerScope:
        source = live.source

        async def read_secret(namespace: str, name: str) -> str:
            source.secrets.add(name)
            value = await self._read_secret(namespace, name)
            source.hide(value)
            return value

        async def emit(events: tuple[Event, ...], cursor: Any) -> list[Emitted]:
            slot = isinstance(cursor, SlotMark)
            return await self._emission.emit(source, events, cursor, slot=slot, partition=live.partition)

        return TriggerScope(
            namespace=source.namespace,
            workflow=source.ready.plan.workflow,
            called=source.scope_name.removeprefix("/"),
            name=source.plan.name,
            component=entry.id,
            plugin=entry.plugin,
            clock=self._clock,
            emit=emit,
            routes=self._routes,
            read_secret=read_secret,
            services=self._services,
            whose=source,
            ends=self._ends,
            begun=begun,
            cursor=cursor_of(source.row.cursor, live.partition),
            since=at_ms(source.since_ms) if source.since_ms else None,
            begins=source.begins if source.begins >= 0 else None,
            dice=self._random,
            partition=live.partition,
        )
