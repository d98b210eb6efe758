"""What the core tells those who watch over it: states read at each scrape, and spans and metrics for OpenTelemetry."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from hostd.config.rooms import Otel
from hostd.errors.base import HostdError
from hostd.plugin import EmitOutcome
from hostd.runtime.ring.loop_watch import NOBODY
from hostd.runtime.ring.metering import tallied, tally
from hostd.runtime.runs.live_spans import LiveSpans
from hostd.standing import Standing
from hostd.telemetry.log_rate import events_dropped
from hostd.telemetry.otel.export import OtelExport
from hostd.telemetry.otel.target import Said, Target, target_of
from hostd.values.version import VERSION

Core: TypeAlias = Any
"""The core of core.py, which imports this module."""

_log = logging.getLogger("hostd.core")

_OUTCOMES = tuple(outcome.value for outcome in EmitOutcome)
_REFUSALS = ("DRAINING", "INTAKE_FULL", "JOURNAL_FULL")
"""Both are counted from the start, as what else alerts wait for: a rate does not see a counter appear."""

_NONE_RUN = {(executor,): 0.0 for executor in ("inline", "lua", "process", "thread")}


def read_gauges(core: Core, standing: Standing) -> None:
    """Let metrics that are states, not events, be read at each scrape."""
    reading = core.meter.reading
    reading("hostd_runs", core.census.states)
    reading("hostd_timers", core.census.timers)
    reading("hostd_oldest_step_seconds", lambda: {(): _oldest_s(core)})
    reading("hostd_permits_taken", lambda: {(name,): float(use[0]) for name, use in core.slots.gates.use().items()})
    reading("hostd_permits", lambda: {(name,): float(use[1]) for name, use in core.slots.gates.use().items()})
    reading("hostd_runs_resident", lambda: {(): float(len(core.residence))})
    reading("hostd_timers_resident", lambda: {(): float(len(core.timers))})
    reading("hostd_steps_in_line", lambda: {(): float(core.slots.waiting())})
    reading("hostd_lane_messages", core.loop.lanes.sizes)
    reading("hostd_loop_stalls_total", lambda: tallied(dict.fromkeys(_holders(core), 0) | core.loop_watch.stalls))
    reading("hostd_attempts_in_flight", lambda: _NONE_RUN | tally([a.executor for a in core.effects.running()]))
    reading("hostd_triggers", lambda: tally(core.triggers.states()))
    reading("hostd_plugins", lambda: tally([str(plugin.state) for plugin in core.host.registry.plugins]))
    reading("hostd_attempts_ended_total", lambda: _without(core.effects.ends, 1))
    reading("hostd_action_attempts_ended_total", lambda: _without(core.effects.ends, 0))
    reading("hostd_intake_refused_total", lambda: tallied(dict.fromkeys(_REFUSALS, 0) | core.loop.lanes.refused))
    reading("hostd_events_total", lambda: tallied(dict.fromkeys(_OUTCOMES, 0) | core.emission.outcomes))
    reading("hostd_lua_workers", lambda: tallied(core.scripts.workers()))
    reading("hostd_lua_scripts_total", lambda: tallied(core.scripts.ends))
    reading("hostd_log_lines_dropped_total", lambda: {(): float(core.log_writer.dropped)})
    reading("hostd_plugin_processes", lambda: tally(_states(core)))
    reading("hostd_plugin_process_restarts_total", lambda: _restarts(core))
    reading("hostd_log_events_dropped_total", lambda: {(): float(events_dropped())})
    standing.read_by(core)
    core.meter.gauge("hostd_build_info", version=VERSION, python=platform.python_version()).set(1)


def _holders(core: Core) -> list[str]:
    """Return whose code may hold the loop: nobody's, and that of plugins inside the daemon."""
    inside = [report.id for report in core.host.registry.plugins if report.isolation == "inline"]
    return [NOBODY, *inside]


def _oldest_s(core: Core) -> float:
    """Return how long the step that has waited longest for room is ready, 0 where none waits."""
    since_ms: int = core.slots.oldest_ms()
    return max(0.0, (core.clock.wall_ms() - since_ms) / 1000) if since_ms else 0.0


def _without(counts: Mapping[tuple[str, ...], int], place: int) -> dict[tuple[str, ...], float]:
    """Return counts added up over one of their labels."""
    summed: Counter[tuple[str, ...]] = Counter()
    for labels, count in counts.items():
        summed[labels[:place] + labels[place + 1 :]] += count
    return {labels: float(count) for labels, count in summed.items()}


def _states(core: Core) -> list[str]:
    processes = core.host.processes
    return [one.state.value.upper() for one in processes.known.values()] if processes is not None else []


def _restarts(core: Core) -> dict[tuple[str, ...], float]:
    processes = core.host.processes
    return {(p,): float(one.restarts) for p, one in processes.known.items()} if processes is not None else {}


class Outlet:
    """The way of a core's spans and metrics to an OpenTelemetry receiver."""

    def __init__(self, core: Core, target: Target) -> None:
        self._core = core
        self._target = target
        self._export = OtelExport(target, meter=core.meter, clock=core.clock)
        self._live: LiveSpans | None = None
        self._unsent: Path | None = (
            core.data / "run" / "spans-unsent" if core.data is not None else None
        )  # there while we send

    async def open(self) -> None:
        """Begin to send; what was begun ends again where that fails.

        Raises:
            HostdError: CONFIG_INVALID where the extra is not installed; JOURNAL_* where it cannot be read.
        """
        await self._export.start()
        try:
            if self._target.traces is not None:
                await self._listen(self._target.share)
        except BaseException:
            await self._end()
            raise
        reading = self._core.meter.reading
        reading("hostd_otel_spans_total", lambda: tallied(self._export.outcomes()))
        reading("hostd_otel_queue_spans", lambda: {(): float(self._export.waiting())})
        reading("hostd_otel_metrics_sent_total", lambda: tallied(self._export.metrics_outcomes()))

    async def _listen(self, share: float) -> None:
        """Hear what runs and calls do, from before the first run moves."""
        core, tracing = self._core, self._core.contexts.tracing
        tracing.sink, tracing.share = self._export, share
        self._live = live = LiveSpans(
            core.hub,
            tracing=tracing,
            journal=core.journal,
            readers=core.readers,
            plans=core.workflows.plans,
            unsent=await asyncio.to_thread(self._mark),
        )
        await live.open()
        core.meter.reading("hostd_otel_runs_skipped_total", lambda: {(): float(live.skipped)})
        core.metering.then = live

    def _mark(self) -> bool:
        """Note that spans may be unsent from here; return whether the last daemon noted it and never took it back."""
        if self._unsent is None:
            return False
        there = self._unsent.exists()
        try:
            self._unsent.parent.mkdir(mode=0o700, exist_ok=True)
            self._unsent.touch(mode=0o600)
        except OSError as error:
            _log.warning("otel_unmarked file=%s error=%s", self._unsent, error)
        return there

    async def close(self) -> None:
        """Send what waits, for ten seconds at most; nothing ends any more."""
        if await self._end() and self._unsent is not None:
            await asyncio.to_thread(_take_away, self._unsent)

    async def _end(self) -> bool:
        """Stop, and return whether everything was sent."""
        told = await self._live.stop() if self._live is not None else True
        sent = await self._export.close()
        self._core.contexts.tracing.sink = None
        return told and sent


def _take_away(mark: Path) -> None:
    try:
        mark.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("otel_unmarked file=%s error=%s", mark, error)


def outlet_of(core: Core, otel: Otel, environ: Mapping[str, str] | None = None) -> Outlet | None:
    """Return the way out that the configuration says, or the standard's variables; None where neither says one.

    Raises:
        HostdError: CONFIG_INVALID.
    """
    said = Said(
        endpoint=otel.endpoint or "",
        protocol=otel.protocol or "",
        headers=otel.headers.get_secret_value() if otel.headers is not None else "",
        ca=str(otel.ca or ""),
        certificate=str(otel.certificate or ""),
        key=str(otel.key or ""),
    )
    target = target_of(
        said,
        share=otel.sample,
        metrics_every_s=otel.metrics_every.total_seconds(),
        environ=os.environ if environ is None else environ,
    )
    return Outlet(core, target) if target is not None else None


async def opened(core: Core, otel: Otel, environ: Mapping[str, str] | None) -> tuple[Outlet | None, str]:
    """Open the way out; where only a variable asked for one, return why there is none instead of raising.

    Raises:
        HostdError: CONFIG_INVALID, where the configuration asked for one.
    """
    try:
        outlet = outlet_of(core, otel, environ)
        if outlet is not None:
            await outlet.open()
    except HostdError as error:
        if otel.endpoint is not None:
            raise
        return None, error.message
    return outlet, ""
