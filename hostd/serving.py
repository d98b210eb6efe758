"""The daemon as a process: it runs until a signal, reloads at another, and tells the service manager that it lives."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Callable

from hostd.aio import spawn
from hostd.config.given_sockets import given_http_socket
from hostd.config.load import Loaded
from hostd.config.service_manager import ServiceManager
from hostd.daemon import Daemon
from hostd.errors.base import HostdError
from hostd.telemetry.logs import configure_logs

_log = logging.getLogger("hostd.daemon")

EXIT_AT_ONCE = 130


def serve(loaded: Loaded, read: Callable[[], Loaded]) -> int:
    """Run a daemon until SIGTERM or SIGINT; a second signal ends it at once. SIGHUP reloads the configuration.

    Args:
        loaded: the configuration to start with.
        read: reads it again.

    Returns the exit code.
    """
    configure_logs(level=loaded.config.log.level, style=loaded.config.log.format)
    manager, given = ServiceManager(os.environ), given_http_socket(os.environ)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(loaded, read, manager, given))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's, where that extra is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(
    loaded: Loaded, read: Callable[[], Loaded], manager: ServiceManager, given: socket.socket | None
) -> int:
    daemon = Daemon(loaded.config, manager=manager, http_socket=given)
    daemon.core.heeds_environ = True
    settings = daemon.core.settings
    settings.follow(loaded, read)
    settings.reloading = lambda: manager.reloading(time.monotonic_ns() // 1000)
    settings.reloaded = manager.ready
    asked, reload = _asked_to_stop(), _Reload(daemon)  # before anybody is served, who may ask for it at once
    manager.status("opens the journal and loads plugins")
    try:
        await daemon.start()
    except BaseException:
        await daemon.stop(0.0)
        raise
    gc.freeze()  # what is here now stays: the collector need not look at it again
    gc.enable()  # `hostd serve` starts without it
    reload.begin()
    watchdog = spawn(_feed_watchdog(daemon), name="watchdog")
    await asked.wait()
    grace_s = daemon.config.limits.drain.total_seconds()
    _log.info("daemon_drains grace_s=%.0f", grace_s)
    await daemon.stop(grace_s)
    watchdog.cancel()
    return 0


def _asked_to_stop() -> asyncio.Event:
    """Return what SIGTERM and SIGINT set; a second one ends the daemon at once."""
    asked = asyncio.Event()

    def on_signal() -> None:
        if asked.is_set():
            _log.warning("daemon_ends_at_once")
            os._exit(EXIT_AT_ONCE)
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return asked


class _Reload:
    """What SIGHUP asks for. Who asks while the daemon still starts gets it as soon as it has."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._begun = self._asked = False
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._on_signal)

    def begin(self) -> None:
        """The daemon has started."""
        self._begun = True
        if self._asked:
            self._on_signal()

    def _on_signal(self) -> None:
        self._asked = True
        if self._begun:
            spawn(self._reload(), name="reload")

    async def _reload(self) -> None:
        """Reload; whoever sent the signal finds in the log what came of it."""
        with contextlib.suppress(HostdError):
            await self._daemon.core.settings.reload("default", principal="SIGHUP")


async def _feed_watchdog(daemon: Daemon) -> None:
    """Say that we live for as long as the event loop turns: who stands still says nothing, and is started anew."""
    every_s = daemon.manager.watchdog_s
    while every_s is not None:
        daemon.manager.alive()
        await daemon.core.clock.sleep(every_s)
