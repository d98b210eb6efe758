"""The watchdog of the daemon's event loop: a thread that sees it stand still, and says whose code stands on it.

Ten times a second it asks the loop for a sign of life. None within 250 ms is a stall: its stack is logged at once,
while it lasts, and counted under the plugin whose code is on it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from types import FrameType

EVERY_S = 0.1
STALL_S = 0.25
FRAMES_MAX = 12
NOBODY = "none"  # hostd's own code, or a machine that is too busy
PLUGINS_MAX = 100
_log = logging.getLogger("hostd.runtime.loop")

Homes = Mapping[str, str]
"""Plugin id by the folder its code lies in, with a slash at the end."""


class LoopWatch:
    """Watches one loop from a thread of its own. `stalls` counts by plugin; read it from anywhere."""

    def __init__(self, homes: Callable[[], Homes], *, every_s: float = EVERY_S, stall_s: float = STALL_S) -> None:
        """Watch nothing yet.

        Args:
            homes: asked at a stall, in the thread.
        """
        self.stalls: Counter[str] = Counter()
        self._homes = homes
        self._every_s = every_s
        self._stall_s = stall_s
        self._alive = threading.Event()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch the loop of the thread that calls."""
        arguments = (loop, threading.get_ident())
        self._thread = threading.Thread(target=self._watch, args=arguments, name="hostd-loop-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; waits for nobody."""
        self._over.set()
        self._alive.set()

    def _watch(self, loop: asyncio.AbstractEventLoop, ident: int) -> None:
        while not self._over.wait(self._every_s):
            self._alive.clear()
            asked_s = time.monotonic()
            try:
                loop.call_soon_threadsafe(self._alive.set)
            except RuntimeError:
                return  # it has been closed
            self._alive.wait(self._stall_s)
            late_s = time.monotonic() - asked_s
            if late_s < self._stall_s or self._over.is_set():
                continue
            self._stalled(ident, loop, asked_s)

    def _stalled(self, ident: int, loop: asyncio.AbstractEventLoop, asked_s: float) -> None:
        """Say at once where it stands (a stall may never end), and how long it was when it is over."""
        frame = sys._current_frames().get(ident)
        plugin = plugin_on(frame, self._homes())
        stack = "".join(traceback.format_stack(frame, limit=FRAMES_MAX)) if frame is not None else ""
        del frame
        named = plugin if plugin in self.stalls or len(self.stalls) < PLUGINS_MAX else NOBODY
        self.stalls[named] += 1
        _log.warning("loop_stalls plugin=%s after_ms=%d\n%s", plugin, self._stall_s * 1000, stack)
        while not self._alive.wait(1.0) and not self._over.is_set():
            if loop.is_closed():
                return
        _log.warning("loop_stalled plugin=%s ms=%d", plugin, (time.monotonic() - asked_s) * 1000)


def plugin_on(frame: FrameType | None, homes: Homes) -> str:
    """Return the plugin whose code is innermost on a stack, `none` where it is no plugin's."""
    while frame is not None:
        file = frame.f_code.co_filename.replace("\\", "/")
        for home, plugin in homes.items():
            if file.startswith(home):
                return plugin
        frame = frame.f_back
    return NOBODY
