"""The tasks of a plugin's process: named, held until they end, their failures told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_log = logging.getLogger("hostd.plugin.process")


class Tasks:
    """Holds every task of the process that is not an attempt or a trigger."""

    def __init__(self) -> None:
        self._held: set[asyncio.Task[Any]] = set()

    def spawn(self, coroutine: Coroutine[Any, Any, T], /, *, name: str) -> asyncio.Task[T]:
        """Start a task."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._held.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._held.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("task_failed name=%s", task.get_name(), exc_info=error)
