"""A zygote whose workers run a piece of Python instead of Lua: a script that has escaped completely.

Started like the real one. The words in its file name say what this host shall lack; a test copies it under such a name.
The piece arrives as a frame; what it leaves in `result` goes back.
"""

from __future__ import annotations

import os
import sys

sys.path[:0] = sys.argv[1].split(os.pathsep)

import ctypes  # noqa: E402
import socket  # noqa: E402
import subprocess  # noqa: E402

from hostd.lua import hardening, seccomp, zygote_main  # noqa: E402
from hostd.lua.frames import read_frame, write_frame  # noqa: E402

LACKING = os.path.basename(__file__).removesuffix(".py").removeprefix("prison_").split("_")
TOOLS = {"os": os, "sys": sys, "socket": socket, "subprocess": subprocess, "ctypes": ctypes}


def refuse(*_: object) -> None:
    """Stand for a kernel that does not permit the measure."""
    raise OSError(1, "not permitted here")


def serve(fd: int, prelude: bytes) -> None:
    """Run each piece of Python that comes, and answer with its result or its error."""
    while True:
        _, piece = read_frame(fd)
        scope = dict(TOOLS)
        try:
            exec(piece, scope)
            write_frame(fd, b"escaped", str(scope.get("result")).encode())
        except Exception as error:
            write_frame(fd, b"refused", f"{type(error).__name__}: {error}".encode())


if "nobody" in LACKING and os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(hardening.NOBODY, hardening.NOBODY, hardening.NOBODY)
    os.setresuid(hardening.NOBODY, hardening.NOBODY, hardening.NOBODY)
if "noseccomp" in LACKING:
    seccomp.install = refuse
if "nonamespaces" in LACKING:
    hardening._leave_namespaces = refuse
zygote_main.main(serve)
