"""A daemon's folder for pipes, notes and the socket that plugins dial. One that keeps nothing has it for a while."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from hostd.host.process.daemon_lock import hold, let_go
from hostd.host.process.nursery import LOCK
from hostd.host.process.switchboard import Switchboard


class RunFolder:
    """Of one daemon; made, and held locked, when the first process needs it.

    Args:
        data_dir: the daemon's data folder; None for a folder that goes with the daemon.
        socket: where to listen; None in this folder.
    """

    def __init__(self, data_dir: Path | None, socket: Path | None) -> None:
        self.kept = data_dir / "run" / "plugins" if data_dir is not None else None
        self._socket = socket
        self._path: Path | None = None
        self._lock: int | None = None
        self._opening = asyncio.Lock()  # several plugins come at once

    async def path(self) -> Path:
        """Return the folder, made where it is not there. Raises OSError."""
        async with self._opening:
            if self._path is None:
                path = self.kept or Path(tempfile.mkdtemp(prefix="hostd-plugins-"))
                await asyncio.to_thread(path.mkdir, mode=0o700, parents=True, exist_ok=True)
                self._lock = await asyncio.to_thread(hold, path / LOCK)
                self._path = path
        return self._path

    async def listen(self, switchboard: Switchboard) -> None:
        """Have the switchboard listen, where it does not yet. Raises OSError, RuntimeError."""
        path = self._socket or await self.path() / "host.sock"
        async with self._opening:
            if not switchboard.address:
                await asyncio.to_thread(path.unlink, missing_ok=True)
                await switchboard.start(path)

    async def leave(self) -> None:
        """Hold it no more: reapers see that there is no daemon. May be called twice."""
        lock, self._lock = self._lock, None
        let_go(lock)
        if self.kept is None and self._path is not None:
            await asyncio.to_thread(shutil.rmtree, self._path, ignore_errors=True)
