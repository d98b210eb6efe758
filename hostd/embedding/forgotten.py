"""Hosts whose event loop has ended without closing them, as after a crash in a shell: they would keep their folder.

asyncio.run(main())  # opens a host on a folder, and raises before it is closed
asyncio.run(main())  # opens it again
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from hostd.aio import spawn
from hostd.core import Core

_log = logging.getLogger("hostd.embedding")
_open: dict[str, tuple[asyncio.AbstractEventLoop, Core]] = {}


class LoopWatch:
    """Sees that the event loop ends before the host is closed: `asyncio.run` then cancels every task.

    Attempts among them: that is no answer of theirs. They are lost, as by `kill -9`, and issued again by the next host.
    """

    def __init__(self, folder: str, core: Core) -> None:
        """Begin, on the host's loop. `folder`: what `let_go` returned."""
        self._folder = folder
        self._core = core
        self._closing = False
        self._task = spawn(self._wait(), name="host-loop-watch")
        if self._folder:
            _open[self._folder] = (asyncio.get_running_loop(), core)

    async def _wait(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            if not self._closing:
                self._core.effects.hold()

    def stop(self) -> None:
        """The host is being closed in good order."""
        self._closing = True
        self._task.cancel()
        if self._folder:
            _open.pop(self._folder, None)


def let_go(folder: Path | None) -> str:
    """Take a folder back from a host whose loop has ended; what it had written is durable. Blocks, shortly.

    Returns the folder without links, empty where there is none.
    """
    where = os.path.realpath(folder) if folder is not None else ""
    if where not in _open or not _open[where][0].is_closed():
        return where
    _, core = _open.pop(where)
    why = "its event loop ended before it was closed; use `async with`"
    _log.warning("host_forgotten folder=%s message=%s", where, why)
    core.log_writer.close()
    core.workflows.compiling.close()
    core.readers.close()
    core.journal.close()
    return where
