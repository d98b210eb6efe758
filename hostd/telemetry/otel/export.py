"""Spans and metrics on their way to an OTLP receiver, over HTTP or gRPC, by OpenTelemetry's own exporters.

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
from hostd.telemetry.logs import hide_in_logs, hide_no_more
from hostd.telemetry.meter import Meter, Reading
from hostd.telemetry.otel.sender import SpanSender
from hostd.telemetry.otel.target import EXTRA, Receiver, Target
from hostd.telemetry.spans import Span

if TYPE_CHECKING:
    from hostd.telemetry.otel.wire import Wire

CLOSE_S = 5.0
SECRET_CHARS_MIN = 6  # shorter ones would be found in every other word
_log = logging.getLogger("hostd.telemetry")


class OtelExport:
    """Sends what it is given. `start` once, `close` once; `take` on the loop."""

    def __init__(self, target: Target, *, meter: Meter, clock: Clock) -> None:
        self._target = target
        self._meter = meter
        self._clock = clock
        self._wire: Wire | None = None
        self._sender: SpanSender | None = None
        self._metrics: asyncio.Task[None] | None = None
        self._metrics_sent = self._metrics_failed = 0
        self._secrets = _secrets_of(target)

    async def start(self) -> None:
        """Import what is needed, and begin. Raises HostdError CONFIG_INVALID: no extra, or files of no use."""
        hide_in_logs(self._hide)
        try:
            self._wire = await asyncio.to_thread(_wire_to, self._target)
        except BaseException:
            hide_no_more(self._hide)
            raise
        traces, metrics = self._target.traces, self._target.metrics
        if traces is not None:
            self._sender = SpanSender(self._wire.spans, self._target.batching)
        if metrics is not None:
            self._metrics = spawn(self._send_metrics(), name="otel-metrics")
        _log.info("otel_sends traces=%s metrics=%s", _named(traces), _named(metrics))

    def take(self, span: Span) -> None:
        """Queue a span; past the bound the oldest go. What is not sampled stays here."""
        if self._sender is not None and span.trace.sampled:
            self._sender.put(span)

    def waiting(self) -> int:
        """Return how many spans are not sent yet."""
        return len(self._sender) if self._sender is not None else 0

    def outcomes(self) -> dict[str, int]:
        """Return what became of spans, by outcome."""
        sender = self._sender
        sent, failed, dropped = (sender.sent, sender.failed, sender.dropped) if sender is not None else (0, 0, 0)
        return {"SENT": sent, "FAILED": failed, "DROPPED": dropped}

    def metrics_outcomes(self) -> dict[str, int]:
        """Return how often all metrics were sent, by outcome."""
        return {"SENT": self._metrics_sent, "FAILED": self._metrics_failed}

    def _hide(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    async def _send_metrics(self) -> None:
        while True:
            await self._clock.sleep(self._target.metrics_every_s)
            await self._send_once()

    async def _send_once(self) -> None:
        wire = self._wire
        if wire is not None:
            readings = self._meter.read()
            await _beside(lambda: self._send_readings(wire, readings))

    def _send_readings(self, wire: Wire, readings: list[Reading]) -> None:
        """Send all metrics, and count whether they were taken. Blocks."""
        try:
            taken = wire.metrics(readings, self._clock.wall_ms())
        except Exception as error:  # noqa: BLE001 what cannot be written now must not end the sending of what comes
            _log.warning("metrics_failed error=%r", error)
            taken = False
        if taken:
            self._metrics_sent += 1
        else:
            self._metrics_failed += 1

    async def close(self) -> bool:
        """Send what waits, for five seconds at most; return whether nothing was left."""
        if self._metrics is not None:
            self._metrics.cancel()
        wire, sender = self._wire, self._sender
        if wire is None:
            return True
        done = True
        try:
            async with asyncio.timeout(CLOSE_S):
                if self._metrics is not None:
                    await self._send_once()
                if sender is not None:
                    await _beside(sender.close)
        except TimeoutError:
            done = False
            if sender is not None:
                sender.give_up()
            _log.warning("otel_unsent message=%s", "the receiver did not take everything before the daemon ended")
        self._wire = None
        _start_beside(wire.close)  # not waited for: it may wait for who sends
        hide_no_more(self._hide)
        return done and (sender is None or not sender.failed)


def _wire_to(target: Target) -> Wire:
    """Import the extra's libraries. Blocks."""
    try:
        module = importlib.import_module("hostd.telemetry.otel.wire")
        wire: Wire = module.Wire(target)
    except ImportError as error:
        message = f"OpenTelemetry needs an extra: {EXTRA} ({error.name} is not there)"
        raise HostdError(Kind.INVALID, "CONFIG_INVALID", message) from None
    return wire


def _named(receiver: Receiver | None) -> str:
    return f"{receiver.address} ({receiver.protocol})" if receiver is not None else "off"


def _secrets_of(target: Target) -> list[str]:
    """Return what headers hold and no event may show, the longest first."""
    receivers = [one for one in (target.traces, target.metrics) if one is not None]
    values = {value for receiver in receivers for value in receiver.headers.values()}
    words = {word for value in values for word in (value, value.rpartition(" ")[2])}
    return sorted((word for word in words if len(word) >= SECRET_CHARS_MIN), key=len, reverse=True)


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

    _start_beside(run)
    await over.wait()


def _start_beside(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="hostd-otel", daemon=True).start()
