"""Word from the system that something below a folder may have changed; it says when to look, never what is there."""

from __future__ import annotations

import asyncio
from typing import Any

from hostd.plugin import Log

STEP_MS, DEBOUNCE_MS = 50, 200


class Notices:
    """Listens beside the block; where the system tells nothing, looks at intervals have to do.

    Attributes:
        works: whether the system tells of changes.
    """

    def __init__(self, folder: str, *, deep: bool, log: Log) -> None:
        self._folder = folder
        self._deep = deep
        self._log = log
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.works = False

    async def __aenter__(self) -> Notices:
        import watchfiles

        self.works = True
        self._task = asyncio.get_running_loop().create_task(self._listen(watchfiles), name=f"watch {self._folder}")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def changed(self) -> None:
        """Wait for the next word."""
        await self._changed.wait()
        self._changed.clear()

    async def _listen(self, watchfiles: Any) -> None:
        try:
            async for _ in watchfiles.awatch(
                self._folder,
                watch_filter=None,
                step=STEP_MS,
                debounce=DEBOUNCE_MS,
                stop_event=self._stop,
                recursive=self._deep,
                ignore_permission_denied=True,
                rust_timeout=1_000,
            ):
                self._changed.set()
        except (OSError, RuntimeError) as error:  # no more inotify watches, or a folder that went away
            self._log.warning(
                "the system tells of no changes; looking at intervals", folder=self._folder, why=str(error)
            )
        finally:
            self.works = False
            self._changed.set()
