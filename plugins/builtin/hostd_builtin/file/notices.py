"""Word from the system that something below a folder may have changed; it says when to look, never what is there."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from hostd.plugin import Log

STEP_MS, DEBOUNCE_MS = 50, 200
STOP_S = 5.0


class Notices:
    """Listens in a thread of its own beside the block; where the system tells nothing, looks at intervals have to do.

    Attributes:
        works: whether the system tells of changes.
    """

    def __init__(self, watchfiles: Any, folder: str, *, deep: bool, log: Log) -> None:
        self._watchfiles = watchfiles
        self._folder = folder
        self._deep = deep
        self._log = log
        self._changed = asyncio.Event()
        self._stop = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._listen, name=f"watch {folder}", daemon=True)
        self.works = True

    async def __aenter__(self) -> Notices:
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.to_thread(self._thread.join, STOP_S)

    async def changed(self) -> None:
        """Wait for the next word."""
        await self._changed.wait()
        self._changed.clear()

    def _listen(self) -> None:
        try:
            for _ in self._watchfiles.watch(
                self._folder,
                watch_filter=None,
                step=STEP_MS,
                debounce=DEBOUNCE_MS,
                stop_event=self._stop,
                recursive=self._deep,
                ignore_permission_denied=True,
                raise_interrupt=False,
                rust_timeout=1_000,
            ):
                self._tell(self._changed.set)
        except (OSError, RuntimeError) as error:  # no more watches to be had, or a folder that went away
            self._tell(self._fail, str(error))

    def _fail(self, why: str) -> None:
        self.works = False
        self._changed.set()
        self._log.warning("the system tells of no changes; looking at intervals", folder=self._folder, why=why[:500])

    def _tell(self, what: Any, *about: str) -> None:
        if not self._stop.is_set():
            self._loop.call_soon_threadsafe(what, *about)
