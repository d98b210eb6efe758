"""Spans and metrics on their way to an OTLP receiver, over HTTP, by OpenTelemetry's own exporters.

The extra's libraries are imported by `start`, in a thread: a daemon that sends nothing never imports them. A receiver
that is slow or gone costs memory up to the bound of a queue, then spans; it never holds anything up.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError, Kind
from hostd.telemetry.meter import Meter
from hostd.telemetry.otel.target import EXTRA, Target
from hostd.telemetry.spans import Span

if TYPE_CHECKING:
    from hostd.telemetry.otel.wire import Wire

QUEUE_SPANS_MAX = 20_000
CLOSE_S = 5.0
_log = logging.getLogger("hostd.telemetry")


class OtelExport:
    """Sends what it is given. `start` once, `close` once; `take` on the loop."""

    def __init__(self, target: Target, *, meter: Meter, clock: Clock) -> None:
        self._target = target
        self._meter = meter
        self._clock = clock
        self._wire: Wire | None = None
        self._metrics: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Import what is needed, and begin. Raises HostdError CONFIG_INVALID where the extra is not installed."""
        try:
            module = await asyncio.to_thread(importlib.import_module, "hostd.telemetry.otel.wire")
        except ImportError as error:
            message = f"OpenTelemetry needs an extra: {EXTRA} ({error.name} is not there)"
            raise HostdError(Kind.INVALID, "CONFIG_INVALID", message) from None
        self._wire = await asyncio.to_thread(module.Wire, self._target, queue_max=QUEUE_SPANS_MAX)
        if self._target.metrics:
            self._metrics = spawn(self._send_metrics(), name="otel-metrics")
        _log.info("otel_sends traces=%s metrics=%s", self._target.traces or "off", self._target.metrics or "off")

    def take(self, span: Span) -> None:
        """Queue a span; past the bound the oldest go."""
        if self._wire is not None:
            self._wire.span(span)

    async def _send_metrics(self) -> None:
        while True:
            await self._clock.sleep(self._target.metrics_every_s)
            await self._send_once()

    async def _send_once(self) -> None:
        wire = self._wire
        if wire is not None:
            readings = self._meter.read()
            await _beside(lambda: wire.metrics(readings, self._clock.wall_ms()))

    async def close(self) -> None:
        """Send what waits, for five seconds at most."""
        if self._metrics is not None:
            self._metrics.cancel()
        wire = self._wire
        if wire is None:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                if self._metrics is not None:
                    await self._send_once()
                await _beside(wire.close)
        except TimeoutError:
            _log.warning("otel_unsent message=%s", "the receiver did not take everything before the daemon ended")
        self._wire = None


async def _beside(work: Callable[[], None]) -> None:
    """Return when blocking work has ended, in a thread that neither the loop nor the process waits for."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def run() -> None:
        try:
            work()
        finally:
            try:
                loop.call_soon_threadsafe(over.set)
            except RuntimeError:
                pass  # the loop has been closed: nobody waits

    threading.Thread(target=run, name="hostd-otel", daemon=True).start()
    await over.wait()
