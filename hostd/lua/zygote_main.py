"""The zygote's program: a fresh interpreter that loads Lua, gives up its rights, and forks workers on request.

Started by path with `-I -S -E`, so it finds hostd and lupa where its arguments say. Nothing of the daemon's memory,
descriptors, threads or environment is in it. It ends, and its workers with it, when its control socket closes.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    sys.path[:0] = sys.argv[1].split(os.pathsep)

import json
import select
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from hostd.lua import hardening, worker
from hostd.lua.frames import write_frame
from hostd.lua.sandbox import compile_prelude

#   `s` token, with one descriptor: fork a worker that talks on it     -> `s` token, process id
#   `k` process id: end a worker                                       -> `g` process id, wait status
REQUEST = struct.Struct("<cI")
NOTICE = struct.Struct("<cIi")

Serve = Callable[[int, bytes], None]


class _Zygote:
    def __init__(self, control: socket.socket, serve: Serve, headroom_bytes: int) -> None:
        self._control = control
        self._serve = serve
        self._prelude = compile_prelude(Path(worker.__file__).with_name("prelude"))
        self._address_space_bytes = hardening.mapped_bytes() + headroom_bytes
        self._pid = os.getpid()
        self._workers: set[int] = set()
        self._wakeup, self._wakeup_end = os.pipe()

    def run(self) -> None:
        """Answer requests until the daemon is gone."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)  # a drain may still need scripts; the control socket says when to end
        os.set_blocking(self._wakeup_end, False)
        signal.set_wakeup_fd(self._wakeup_end)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        write_frame(self._control.fileno(), json.dumps(hardening.harden_zygote()).encode())
        while True:
            ready, _, _ = select.select([self._control.fileno(), self._wakeup], [], [])
            if self._wakeup in ready:
                os.read(self._wakeup, 4096)
                self._reap()
            if self._control.fileno() in ready and not self._answer():
                break
        for pid in self._workers:
            os.kill(pid, signal.SIGKILL)

    def _answer(self) -> bool:
        try:
            message, descriptors, _, _ = socket.recv_fds(self._control, REQUEST.size, 1)
        except OSError:
            return False
        if len(message) < REQUEST.size:
            return False
        op, number = REQUEST.unpack(message)
        if op == b"s":
            self._fork(number, descriptors[0])
        elif number in self._workers:
            os.kill(number, signal.SIGKILL)
        return True

    def _fork(self, token: int, descriptor: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._become_worker(descriptor)
        os.close(descriptor)
        self._workers.add(pid)
        self._control.sendall(NOTICE.pack(b"s", token, pid))

    def _become_worker(self, descriptor: int) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(0, 2)  # /dev/null: a worker has nothing to say but frames
        os.dup2(descriptor, 3)
        os.closerange(4, max(descriptor, self._control.fileno(), self._wakeup_end, self._wakeup) + 1)
        report = hardening.harden_worker(parent=self._pid, address_space_bytes=self._address_space_bytes)
        status = 1
        try:
            write_frame(3, b"ready", json.dumps(report).encode())
            self._serve(3, self._prelude)
            status = 0
        finally:
            os._exit(status)

    def _reap(self) -> None:
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._workers.discard(pid)
            self._control.sendall(NOTICE.pack(b"g", pid, status))


def main(serve: Serve = worker.serve) -> None:
    """Run the zygote. `sys.argv`: folders to import from, control descriptor, bytes of address space for a worker.

    Args:
        serve: what a worker does with its socket and the prelude; tests put a probe here.
    """
    control = socket.socket(fileno=int(sys.argv[2]))
    try:
        _Zygote(control, serve, int(sys.argv[3])).run()
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(1)  # the daemon has gone away


if __name__ == "__main__":
    main()
