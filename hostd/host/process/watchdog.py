"""Is a plugin's process well: does its loop answer, and does it keep within its share of the processor?"""

from __future__ import annotations

import asyncio

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError
from hostd.host.process.child import Child
from hostd.host.process.launch import ProcessLimits
from hostd.host.process.link import Link, LinkLostError
from hostd.plugin.v1 import host_pb2 as pb

PING_S = 5.0
CPU_WINDOW_S = 10.0


class Watchdog:
    """Looks at one process; ask it about once a second."""

    def __init__(self, limits: ProcessLimits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._ping: asyncio.Task[None] | None = None
        self._pinged_s = 0.0
        self._cpu: tuple[float, float] | None = None  # when, processor seconds
        self._gone_s: float | None = None

    def look(self, child: Child, link: Link | None) -> str:
        """Return why the process has to go, nothing while it is well."""
        now_s = self._clock.monotonic_s()
        return self._connection(link, now_s) or self._answers(link, now_s) or self._processor(child, now_s)

    def _connection(self, link: Link | None, now_s: float) -> str:
        if link is not None:
            self._gone_s = None
            return ""
        if self._gone_s is None:
            self._gone_s = now_s
        most_s = self._limits.answer.total_seconds()
        return f"it did not connect again within {most_s:g} s" if now_s - self._gone_s > most_s else ""

    def _answers(self, link: Link | None, now_s: float) -> str:
        if link is None:
            self._ping = None
            return ""
        if self._ping is None or self._ping.done():
            if now_s - self._pinged_s >= PING_S:
                self._pinged_s = now_s
                self._ping = spawn(_ping(link), name="plugin ping")
            return ""
        most_s = self._limits.answer.total_seconds()
        return f"its loop has not answered for {most_s:g} s" if now_s - self._pinged_s > most_s else ""

    def _processor(self, child: Child, now_s: float) -> str:
        if not self._limits.cpu:
            return ""
        if self._cpu is None:
            self._cpu = now_s, child.cpu_s()
            return ""
        since_s = now_s - self._cpu[0]
        if since_s < CPU_WINDOW_S:
            return ""
        used = (child.cpu_s() - self._cpu[1]) / since_s
        self._cpu = now_s, child.cpu_s()
        most = self._limits.cpu
        return f"it used {used:.2f} processors over {since_s:.0f} s; it may use {most:g}" if used > most else ""


async def _ping(link: Link) -> None:
    try:
        await link.ask(pb.FromHost(ping=pb.Ping()))
    except (LinkLostError, HostdError):
        return
