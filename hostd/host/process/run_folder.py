"""A daemon's folder for pipes, notes and the socket that plugins dial. One that keeps nothing has it for a while."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from hostd.host.process.daemon_lock import hold, let_go
from hostd.host.process.nursery import LOCK
from hostd.host.process.switchboard import Switchboard

PREFIX = "hostd-plugins-"
SOCKET = "host.sock"
SOCKET_PATH_BYTES_MAX = 103  # of the strictest system


class RunFolder:
    """Of one daemon; made, and held locked, when the first process needs it.

    Args:
        data_dir: the daemon's data folder; None for a folder that goes with the daemon.
        socket: where to listen; None in this folder.
        within: where a folder that goes is made, as far as a socket's path has room there; None: among temporary files.
    """

    def __init__(self, data_dir: Path | None, socket: Path | None, within: Path | None = None) -> None:
        self.kept = data_dir / "run" / "plugins" if data_dir is not None else None
        self._within = within if within is not None and _has_room(within) else None
        self._socket = socket
        self._path: Path | None = None
        self._lock: int | None = None
        self._opening = asyncio.Lock()  # several plugins come at once

    async def path(self) -> Path:
        """Return the folder, made where it is not there. Raises OSError."""
        async with self._opening:
            if self._path is None:
                path = self.kept or Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._within))
                await asyncio.to_thread(path.mkdir, mode=0o700, parents=True, exist_ok=True)
                self._lock = await asyncio.to_thread(hold, path / LOCK)
                self._path = path
        return self._path

    async def listen(self, switchboard: Switchboard) -> None:
        """Have the switchboard listen, where it does not yet. Raises OSError, RuntimeError."""
        path = self._socket or await self.path() / SOCKET
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


def _has_room(within: Path) -> bool:
    """Say whether the path of a socket in a folder in there is not too long."""
    return len(os.fsencode(within.absolute() / f"{PREFIX}12345678" / SOCKET)) <= SOCKET_PATH_BYTES_MAX
