"""What every call of a host begins with: it is open, and this is its event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta

from hostd.core import Core
from hostd.errors.base import HostdError, Kind, invalid
from hostd.host.registry import HostRegistry
from hostd.plugin.duration import parse_duration
from hostd.runtime.desks.front import Front

Duration = float | str | timedelta | None
"""Seconds, a duration text such as `5s`, or a timedelta; None: without end."""


class Calls:
    """The part of a host that its calls share."""

    namespace: str
    principal: str
    _core: Core | None
    _loop: asyncio.AbstractEventLoop | None
    _process: int

    @property
    def core(self) -> Core:
        """The host's insides, without any promise.

        Raises:
            HostdError: DRAINING for a host that is not open; ARGUMENT_INVALID from another event loop than its own, or
                from a process that was forked off the one that opened it.
        """
        if self._core is None:
            message = "the host is not open: it is, inside `async with Host.open(...)`, or after `await Host.open(...)`"
            raise HostdError(Kind.UNAVAILABLE, "DRAINING", message)
        if self._process != os.getpid():
            raise after_fork()
        if asyncio.get_running_loop() is not self._loop:
            message = "the host belongs to another event loop; open it on this one, or use Host.blocking from threads"
            raise invalid("ARGUMENT_INVALID", message)
        return self._core

    @property
    def _front(self) -> Front:
        return self.core.front

    @property
    def _registry(self) -> HostRegistry:
        return self.core.host.registry

    def _has_action(self, action: str) -> bool:
        return self._registry.action(action) is not None

    @property
    def _read_blob(self) -> Callable[[bytes], Awaitable[bytes]]:
        runs = self._front.runs

        async def read(digest: bytes) -> bytes:
            return (await runs.blob(self.namespace, digest)).data

        return read


def seconds_of(duration: Duration) -> float | None:
    """Return a time in seconds. Raises HostdError ARGUMENT_INVALID for a text that is no duration."""
    if isinstance(duration, str):
        try:
            duration = parse_duration(duration)
        except ValueError as error:
            raise invalid("ARGUMENT_INVALID", str(error)) from None
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def after_fork() -> HostdError:
    """Return the error of a call in a forked process: a host has threads and locks, which do not come along."""
    message = "the host belongs to the process that opened it; in one that was forked off it, open another folder's"
    return invalid("ARGUMENT_INVALID", message)
