"""What the core tells those who watch over it: states read at each scrape, and spans and metrics for OpenTelemetry."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

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
from hostd.wiring.parts import Parts

_log = logging.getLogger("hostd.core")

_OUTCOMES = tuple(outcome.value for outcome in EmitOutcome)
_REFUSALS = ("DRAINING", "INTAKE_FULL", "JOURNAL_FULL")
"""Both are counted from the start, as what else alerts wait for: a rate does not see a counter appear."""

_NONE_RUN = {(executor,): 0.0 for executor in ("inline", "lua", "process", "thread")}


def read_gauges(parts: Parts, standing: Standing) -> None:
    """Let metrics that are states, not events, be read at each scrape."""
    base, guests, ring, _, ways_in, care = parts
    reading = base.meter.reading
    reading("hostd_runs", ring.census.states)
    reading("hostd_timers", ring.census.timers)
    reading("hostd_oldest_step_seconds", lambda: {(): _oldest_s(parts)})
    reading("hostd_permits_taken", lambda: {(name,): float(use[0]) for name, use in ring.slots.gates.use().items()})
    reading("hostd_permits", lambda: {(name,): float(use[1]) for name, use in ring.slots.gates.use().items()})
    reading("hostd_runs_resident", lambda: {(): float(len(ring.residence))})
    reading("hostd_timers_resident", lambda: {(): float(len(ring.timers))})
    reading("hostd_steps_in_line", lambda: {(): float(ring.slots.waiting())})
    reading("hostd_lane_messages", ring.loop.lanes.sizes)
    reading("hostd_loop_stalls_total", lambda: tallied(dict.fromkeys(_holders(parts), 0) | care.loop_watch.stalls))
    reading("hostd_attempts_in_flight", lambda: _NONE_RUN | tally([a.executor for a in ring.effects.running()]))
    reading("hostd_triggers", lambda: tally(ways_in.triggers.states()))
    reading("hostd_plugins", lambda: tally([str(plugin.state) for plugin in guests.host.registry.plugins]))
    reading("hostd_attempts_ended_total", lambda: _without(ring.effects.ends, 1))
    reading("hostd_action_attempts_ended_total", lambda: _without(ring.effects.ends, 0))
    reading("hostd_intake_refused_total", lambda: tallied(dict.fromkeys(_REFUSALS, 0) | ring.loop.lanes.refused))
    reading("hostd_events_total", lambda: tallied(dict.fromkeys(_OUTCOMES, 0) | ways_in.emission.outcomes))
    reading("hostd_lua_workers", lambda: tallied(guests.scripts.workers()))
    reading("hostd_lua_scripts_total", lambda: tallied(guests.scripts.ends))
    reading("hostd_log_lines_dropped_total", lambda: {(): float(base.log_writer.dropped)})
    reading("hostd_plugin_processes", lambda: tally(_states(parts)))
    reading("hostd_plugin_process_restarts_total", lambda: _restarts(parts))
    reading("hostd_log_events_dropped_total", lambda: {(): float(events_dropped())})
    standing.read_by(parts)
    base.meter.gauge("hostd_build_info", version=VERSION, python=platform.python_version()).set(1)


def _holders(parts: Parts) -> list[str]:
    """Return whose code may hold the loop: nobody's, and that of plugins inside the daemon."""
    inside = [report.id for report in parts.guests.host.registry.plugins if report.isolation == "inline"]
    return [NOBODY, *inside]


def _oldest_s(parts: Parts) -> float:
    """Return how long the step that has waited longest for room is ready, 0 where none waits."""
    since_ms = parts.ring.slots.oldest_ms()
    return max(0.0, (parts.base.clock.wall_ms() - since_ms) / 1000) if since_ms else 0.0


def _without(counts: Mapping[tuple[str, str, str], int], place: int) -> dict[tuple[str, ...], float]:
    """Return counts added up over one of their labels."""
    summed: Counter[tuple[str, ...]] = Counter()
    for labels, count in counts.items():
        summed[labels[:place] + labels[place + 1 :]] += count
    return {labels: float(count) for labels, count in summed.items()}


def _states(parts: Parts) -> list[str]:
    processes = parts.guests.host.processes
    return [one.state.value.upper() for one in processes.known.values()] if processes is not None else []


def _restarts(parts: Parts) -> dict[tuple[str, ...], float]:
    processes = parts.guests.host.processes
    return {(p,): float(one.restarts) for p, one in processes.known.items()} if processes is not None else {}


class Outlet:
    """The way of a core's spans and metrics to an OpenTelemetry receiver."""

    def __init__(self, parts: Parts, target: Target) -> None:
        self._parts = parts
        self._target = target
        self._export = OtelExport(target, meter=parts.base.meter, clock=parts.base.clock)
        self._live: LiveSpans | None = None
        self._unsent: Path | None = (
            parts.base.data / "run" / "spans-unsent" if parts.base.data is not None else None
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
        reading = self._parts.base.meter.reading
        reading("hostd_otel_spans_total", lambda: tallied(self._export.outcomes()))
        reading("hostd_otel_queue_spans", lambda: {(): float(self._export.waiting())})
        reading("hostd_otel_metrics_sent_total", lambda: tallied(self._export.metrics_outcomes()))

    async def _listen(self, share: float) -> None:
        """Hear what runs and calls do, from before the first run moves."""
        parts, tracing = self._parts, self._parts.guests.contexts.tracing
        tracing.sink, tracing.share = self._export, share
        self._live = live = LiveSpans(
            parts.base.hub,
            tracing=tracing,
            journal=parts.base.journal,
            readers=parts.base.readers,
            plans=parts.ring.workflows.plans,
            unsent=await asyncio.to_thread(self._mark),
        )
        await live.open()
        parts.base.meter.reading("hostd_otel_runs_skipped_total", lambda: {(): float(live.skipped)})
        parts.ring.metering.then = live

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
        self._parts.guests.contexts.tracing.sink = None
        return told and sent


def _take_away(mark: Path) -> None:
    try:
        mark.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("otel_unmarked file=%s error=%s", mark, error)


def outlet_of(parts: Parts, otel: Otel, environ: Mapping[str, str] | None = None) -> Outlet | None:
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
    return Outlet(parts, target) if target is not None else None


async def opened(parts: Parts, otel: Otel, environ: Mapping[str, str] | None) -> tuple[Outlet | None, str]:
    """Open the way out; where only a variable asked for one, return why there is none instead of raising.

    Raises:
        HostdError: CONFIG_INVALID, where the configuration asked for one.
    """
    try:
        outlet = outlet_of(parts, otel, environ)
        if outlet is not None:
            await outlet.open()
    except HostdError as error:
        if otel.endpoint is not None:
            raise
        return None, error.message
    return outlet, ""
