"""The life of one configured trigger: options, run, what its end means, restarts with back-off.

STARTING -> ACTIVE -> BACKING_OFF -> ACTIVE ...      PAUSED by somebody      ENDED, FAILED by the trigger
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError, Kind
from hostd.host.contexts import ProvisionScope, TriggerScope
from hostd.host.guard import TriggerNext, TriggerVerdict, verdict_of
from hostd.host.registry import HostRegistry
from hostd.host.routes import RouteTable
from hostd.host.services import Services
from hostd.host.triggers import run_once
from hostd.plugin import Emitted, Event
from hostd.plugin.clocks import SlotMark, at_ms
from hostd.runtime.emit import Emission, Source
from hostd.runtime.event_scope import EventScope
from hostd.runtime.redaction import redact
from hostd.runtime.secret_values import SecretReader, resolve, secret_values
from hostd.runtime.trigger_live import Live

_log = logging.getLogger("hostd.runtime")

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
STEADY_S = 60.0  # a trigger that ran this long starts its back-off anew
END_S = 10.0  # a trigger that is told to stop may take this long


class TriggerLife:
    """Runs configured triggers, each in a supervised task."""

    def __init__(
        self,
        *,
        emission: Emission,
        registry: Callable[[], HostRegistry],
        routes: RouteTable,
        read_secret: SecretReader,
        services: Services,
        clock: Clock,
        random: Random,
        data_dir: Path | None = None,
    ) -> None:
        self._emission = emission
        self._registry = registry
        self._routes = routes
        self._read_secret = read_secret
        self._services = services
        self._clock = clock
        self._random = random
        self._data_dir = data_dir

    def begin(self, live: Live) -> None:
        """Let a trigger run in a task of its own, unless it is paused or has nothing to start."""
        if live.source.row.paused:
            live.state = "PAUSED"
            return
        if live.missing is not None:
            live.state, live.message = "FAILED", live.missing.message
            return
        live.state = "STARTING"
        live.task = spawn(self._supervise(live), name=f"trigger {live.source.scope_name}")

    async def end(self, live: Live) -> None:
        """Stop a trigger in good order: it is closed, nothing is emitted any more."""
        if live.task is not None and not live.task.done():
            live.task.cancel()
            await asyncio.wait([live.task], timeout=END_S)
        live.task = None

    def outdated(self, live: Live) -> bool:
        """Say whether a trigger runs, or failed, with another plugin than the one that is loaded now."""
        over = live.state in ("PAUSED", "ENDED", "STARTING")
        return not over and self._registry().trigger(live.source.plan.uses) is not live.entry

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
        entry = live.entry = self._registry().trigger(source.plan.uses)
        if entry is None:
            message = f"no loaded plugin provides the trigger {source.plan.uses}"
            return verdict_of(HostdError(Kind.MISSING, "PLUGIN_MISSING", message))
        try:
            options = entry.parse(await self.options(source))
            scope = self._scope(live, entry)
        except HostdError as error:
            return verdict_of(error)
        live.state = "ACTIVE"
        live.message = ""
        provision = ProvisionScope(entry.plugin, entry.id, self._clock, self._data_dir)
        return await run_once(entry, options, context=scope, provision=provision)

    async def options(self, source: Source) -> Any:
        """Return a trigger's `with`, rendered, secrets and all. Raises HostdError SECRET_*."""
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
            services=self._services,
            cursor=msgspec.json.decode(source.row.cursor) if source.row.cursor else None,
            since=at_ms(source.since_ms) if source.since_ms else None,
            dice=self._random,
        )
