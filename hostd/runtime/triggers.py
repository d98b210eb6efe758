"""Configured triggers: those of active versions live, each in a supervised task; cursor and pause survive activation.

STARTING -> ACTIVE -> BACKING_OFF -> ACTIVE ...      PAUSED by somebody      ENDED, FAILED by the trigger
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgspec

from hostd.aio import Clock, spawn
from hostd.definition.plan import TriggerPlan
from hostd.errors.base import HostdError, Kind
from hostd.host.clock import SlotMark, at_ms
from hostd.host.contexts import ProvisionScope, TriggerScope
from hostd.host.guard import TriggerNext, TriggerVerdict, verdict_of
from hostd.host.registry import HostRegistry
from hostd.host.routes import RouteTable
from hostd.host.triggers import run_once
from hostd.journal.port import Journal, TriggerRow, WorkflowRow
from hostd.plugin import Emitted, Event
from hostd.runtime.emit import Emission, Source
from hostd.runtime.event_scope import EventScope
from hostd.runtime.readers import Readers
from hostd.runtime.redaction import redact
from hostd.runtime.repeats import Note
from hostd.runtime.secret_values import SecretReader, resolve, secret_values
from hostd.runtime.workflows import Ready, Workflows

_log = logging.getLogger("hostd.runtime")

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
WORKFLOWS_MAX = 1_000_000
STEADY_S = 60.0  # a trigger that ran this long starts its back-off anew

Name = tuple[str, str, str]  # namespace, workflow, trigger


class Live:
    """One configured trigger of an active version."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.state = "STARTING"
        self.message = ""
        self.restarts = 0
        self.task: asyncio.Task[None] | None = None
        self.started_s = 0.0

    @property
    def name(self) -> Name:
        """Return namespace, workflow and trigger name."""
        return (self.source.namespace, self.source.ready.plan.workflow, self.source.plan.name)


class Triggers:
    """Keeps the triggers that should live alive."""

    def __init__(
        self,
        *,
        workflows: Workflows,
        emission: Emission,
        registry: Callable[[], HostRegistry],
        routes: RouteTable,
        read_secret: SecretReader,
        journal: Journal,
        readers: Readers,
        clock: Clock,
        random: Random,
        data_dir: Any = None,
    ) -> None:
        self._workflows = workflows
        self._emission = emission
        self._registry = registry
        self._routes = routes
        self._read_secret = read_secret
        self._journal = journal
        self._readers = readers
        self._clock = clock
        self._random = random
        self._data_dir = data_dir
        self._live: dict[Name, Live] = {}
        self._wanted = asyncio.Event()
        self._changing = asyncio.Lock()  # one at a time: reconcile, pause, resume
        self._keeper: asyncio.Task[None] | None = None

    # -- keeping

    async def start(self) -> None:
        """Start the triggers of every active version, and follow activations from here on."""
        self._workflows.changed = self._wanted.set
        await self.reconcile()
        self._keeper = spawn(self._keep(), name="triggers-keeper")

    async def stop(self) -> None:
        """Stop every trigger in good order: nothing is emitted any more."""
        if self._keeper is not None:
            self._keeper.cancel()
        await asyncio.gather(*(self._end(live) for live in list(self._live.values())))
        self._live.clear()

    async def _keep(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self.reconcile()
            except HostdError as error:
                _log.error("triggers_reconcile_failed error=%s", error)
                await self._clock.sleep(1.0)
                self._wanted.set()

    async def reconcile(self) -> None:
        """Compare what should live with what does; start and stop the difference."""
        async with self._changing:
            await self._reconcile()

    async def _reconcile(self) -> None:
        wanted = await self._wanted_triggers()
        kept: dict[Name, TriggerRow] = {}
        for name, live in list(self._live.items()):
            found = wanted.get(name)
            if found is None or found[0].plan.digest != live.source.ready.plan.digest:
                await self._end(live)
                kept[name] = live.source.row
                if found is None:
                    del self._live[name]  # one that is replaced stays visible until it is
        rows = {(row.namespace, row.workflow, row.name): row for row in await self._rows()} | kept
        for name, (ready, plan, since_ms) in wanted.items():
            if name not in self._live or name in kept:
                source = self._source(name, ready, plan, rows.get(name))
                source.since_ms = since_ms
                self._live[name] = live = Live(source)
                self._begin(live)

    async def _wanted_triggers(self) -> dict[Name, tuple[Ready, TriggerPlan, int]]:
        wanted: dict[Name, tuple[Ready, TriggerPlan, int]] = {}
        rows = await self._readers.call(self._all_workflows)
        for row in rows:
            if not row.active:
                continue
            try:
                ready = await self._workflows.resolve(row.namespace, row.workflow, row.active)
            except HostdError as error:
                _log.error("trigger_plan_failed workflow=%s error=%s", row.workflow, error)
                continue
            for plan in ready.plan.triggers:
                wanted[row.namespace, row.workflow, plan.name] = (ready, plan, row.activated_at_ms)
        return wanted

    def _all_workflows(self) -> list[WorkflowRow]:
        return self._journal.workflows(None, limit=WORKFLOWS_MAX)

    async def _rows(self) -> list[TriggerRow]:
        return await self._readers.call(self._journal.triggers, None)

    def _source(self, name: Name, ready: Ready, plan: TriggerPlan, row: TriggerRow | None) -> Source:
        if row is None:
            row = TriggerRow(*name, plan.uses)
        elif row.uses != plan.uses:
            _log.warning("trigger_cursor_reset trigger=%s/%s was=%s now=%s", name[1], name[2], row.uses, plan.uses)
            row = msgspec.structs.replace(row, uses=plan.uses, cursor=b"")
        return Source(name[0], ready, plan, row)

    def _begin(self, live: Live) -> None:
        if live.source.row.paused:
            live.state = "PAUSED"
            return
        live.state = "STARTING"
        live.task = spawn(self._supervise(live), name=f"trigger {live.source.scope_name}")

    async def _end(self, live: Live) -> None:
        if live.task is not None and not live.task.done():
            live.task.cancel()
            await asyncio.wait([live.task], timeout=10.0)
        live.task = None

    # -- one trigger

    async def _supervise(self, live: Live) -> None:
        """Run a trigger until it says it is done, restarting with back-off."""
        failures = 0
        while True:
            live.started_s = self._clock.monotonic_s()
            verdict = await self._run(live)
            hidden = live.source.hidden
            live.message = redact(verdict.message, hidden)
            if verdict.next in (TriggerNext.ENDED, TriggerNext.FAILED):
                live.state = "ENDED" if verdict.next is TriggerNext.ENDED else "FAILED"
                _log.warning("trigger_%s trigger=%s why=%s", live.state.lower(), live.source.scope_name, live.message)
                return
            if self._clock.monotonic_s() - live.started_s > STEADY_S:
                failures = 0
            delay_s = verdict.after_s if verdict.after_s is not None else self._backoff_s(failures)
            failures += 1
            live.restarts += verdict.next is not TriggerNext.RECONNECT
            live.state = "BACKING_OFF"
            traceback = redact(verdict.traceback, hidden)
            _log.warning(
                "trigger_restarts trigger=%s in_s=%.1f why=%s %s",
                live.source.scope_name,
                delay_s,
                live.message,
                traceback,
            )
            await self._clock.sleep(delay_s)

    def _backoff_s(self, failures: int) -> float:
        return BACKOFF_S[min(failures, len(BACKOFF_S) - 1)] * (0.8 + 0.4 * self._random.random())

    async def _run(self, live: Live) -> TriggerVerdict:
        """Run a trigger once; return what its end means."""
        source = live.source
        entry = self._registry().trigger(source.plan.uses)
        if entry is None:
            message = f"no loaded plugin provides the trigger {source.plan.uses}"
            return verdict_of(HostdError(Kind.MISSING, "PLUGIN_MISSING", message))
        try:
            options = entry.parse(await self._options(source))
            scope = self._scope(live, entry)
        except HostdError as error:
            return verdict_of(error)
        live.state = "ACTIVE"
        live.message = ""
        provision = ProvisionScope(entry.plugin, entry.id, self._clock, self._data_dir)
        return await run_once(entry, options, context=scope, provision=provision)

    async def _options(self, source: Source) -> Any:
        scope = EventScope({}, now_ms=self._clock.wall_ms(), trigger=source.scope_name, event_id="")
        rendered = source.plan.options.render(scope) if source.plan.options is not None else {}
        values = await secret_values(self._read_secret, source.namespace, rendered)
        source.hide(*values.values())
        return resolve(rendered, values)

    def _scope(self, live: Live, entry: Any) -> TriggerScope:
        source = live.source

        async def read_secret(namespace: str, name: str) -> str:
            value = await self._read_secret(namespace, name)
            source.hide(value)
            return value

        async def emit(events: tuple[Event, ...], cursor: Any) -> list[Emitted]:
            return await self._emission.emit(source, events, cursor, slot=isinstance(cursor, SlotMark))

        return TriggerScope(
            namespace=source.namespace,
            workflow=source.ready.plan.workflow,
            name=source.plan.name,
            component=entry.id,
            clock=self._clock,
            emit=emit,
            routes=self._routes,
            read_secret=read_secret,
            cursor=msgspec.json.decode(source.row.cursor) if source.row.cursor else None,
            since=at_ms(source.since_ms) if source.since_ms else None,
            dice=self._random,
        )

    # -- what people ask

    def get(self, name: Name) -> Live:
        """Return a live trigger. Raises HostdError TRIGGER_MISSING."""
        live = self._live.get(name)
        if live is None:
            message = (
                f"no active workflow {name[1]} has a trigger {name[2]!r}; `hostd trigger list` shows what is there"
            )
            raise HostdError(Kind.MISSING, "TRIGGER_MISSING", message)
        return live

    def list(self, namespace: str, workflow: str = "") -> Sequence[Live]:
        """Return the triggers of active versions, by name."""
        found = [live for name, live in sorted(self._live.items()) if name[0] == namespace]
        return [live for live in found if not workflow or live.name[1] == workflow]

    def states(self) -> Sequence[str]:
        """Return the state of every trigger of an active version."""
        return [live.state for live in self._live.values()]

    async def pause(self, name: Name, reason: str, *, note: Note | None = None) -> Live:
        """Stop a trigger until it is resumed; its cursor stays."""
        async with self._changing:
            live = self.get(name)
            await self._end(live)
            try:
                row = msgspec.structs.replace(live.source.row, paused=True, pause_reason=reason)
                await self._write(live, row, note)
            except HostdError:
                self._begin(live)
                raise
            live.state, live.message = "PAUSED", reason
            return live

    async def resume(self, name: Name, *, note: Note | None = None) -> Live:
        """Let a paused, ended or failed trigger run again."""
        async with self._changing:
            live = self.get(name)
            await self._write(live, msgspec.structs.replace(live.source.row, paused=False, pause_reason=""), note)
            if live.task is None or live.task.done():
                self._begin(live)
            return live

    async def _write(self, live: Live, row: TriggerRow, note: Note | None) -> None:
        await self._emission.write_row(row, note)
        live.source.row = row

    async def fire(self, name: Name, event: Event, principal: str) -> Emitted:
        """Emit one event by hand, as the trigger would."""
        live = self.get(name)
        emitted = await self._emission.emit(live.source, [event], None, principal=principal)
        return emitted[0]
