"""The prison, tried from inside: Python code runs in a hardened worker, as if a script had escaped Lua completely."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import stat
import sys
from pathlib import Path

import pytest

from hostd.errors.base import HostdError
from hostd.lua.call import ScriptCall
from hostd.lua.pool import PoolOptions, WorkerPool
from hostd.lua.ports import NoHostCalls
from hostd.lua.script import LuaPool
from hostd.lua.worker_link import WorkerGone
from hostd.lua.zygote import Worker

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}, reason="the full set needs Linux"
)

PROBES = {
    "read a file": "result = open('/etc/passwd').read()",
    "read what is inherited": "result = open('/proc/self/environ').read()",
    "list a folder": "result = os.listdir('/')",
    "write a file": "open('/tmp/escaped', 'w').write('x')",
    "open a socket": "socket.create_connection(('127.0.0.1', 1))",
    "fork": "result = os.fork()",
    "execute": "os.execv('/bin/sh', ['sh', '-c', 'true'])",
    "run a command": "result = subprocess.run(['/bin/true'])",
    "kill the daemon": f"os.kill({os.getpid()}, 9)",
    "become root": "os.setuid(0)",
    "trace": "assert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0",
    "take a gigabyte": "result = len(bytearray(1 << 30))",
}
# What the system call filter alone stops: the signal to a process of the same user, and being traced.
NEEDS_SECCOMP = {"kill the daemon", "trace"}


def prison(tmp_path: Path, lacking: str) -> Path:
    """Return the program of a zygote that lacks measures; its name says which."""
    program = tmp_path / f"prison_{lacking}.py"
    shutil.copy(Path(__file__).with_name("prison_program.py"), program)
    tmp_path.chmod(0o755)
    return program


def open_to_others(file: Path) -> bool:
    """Say whether another user can get to a file."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in file.parents)


async def attempt(pool: WorkerPool, piece: str) -> str:
    """Run a piece of Python in a worker and say how it ended: the worker's answer, or the signal that killed it."""
    worker: Worker = await pool.acquire()
    try:
        kind, text = await worker.link.ask(b"piece", piece.encode())
        return f"{kind.decode()}: {text.decode()}"
    except WorkerGone:
        status = await worker.exit_status
        return "killed: " + (signal.Signals(os.WTERMSIG(status)).name if status else str(status))
    finally:
        pool.release(worker, reusable=False)


@pytest.mark.parametrize("user", ["same", "nobody"])
async def test_every_way_out_is_closed(tmp_path: Path, user: str) -> None:
    """With the full set each probe dies by the filter or is refused, for root and for an unprivileged user alike."""
    if user == "nobody" and not open_to_others(Path(__file__)):
        pytest.skip("the checkout lies in a folder that only its owner may enter")
    pool = WorkerPool(PoolOptions(), prison(tmp_path, user))
    await pool.start()
    try:
        if any(pool.isolation.values()):
            pytest.skip(f"this host does not permit {[name for name, why in pool.isolation.items() if why]}")
        ends = {name: await attempt(pool, piece) for name, piece in PROBES.items()}
    finally:
        await pool.close()
    assert ends.pop("take a gigabyte").startswith("refused: MemoryError")
    assert ends == dict.fromkeys(ends, "killed: SIGSYS")


async def test_without_the_filter_the_rest_still_holds(tmp_path: Path) -> None:
    """Where seccomp is not permitted, files, network, processes and privileges stay out of reach."""
    pool = WorkerPool(PoolOptions(), prison(tmp_path, "noseccomp"))
    await pool.start()
    try:
        if any(why for name, why in pool.isolation.items() if name != "seccomp"):
            pytest.skip("this host does not permit the others either")
        ends = {name: await attempt(pool, piece) for name, piece in PROBES.items() if name not in NEEDS_SECCOMP}
    finally:
        await pool.close()
    assert all(end.startswith("refused: ") for end in ends.values()), ends


async def test_without_namespaces_the_filter_still_holds(tmp_path: Path) -> None:
    """Where a container forbids namespaces, the filter alone stops every probe; the report names what is missing."""
    pool = WorkerPool(PoolOptions(), prison(tmp_path, "nonamespaces"))
    await pool.start()
    try:
        assert "not permitted here" in pool.isolation["namespaces"]
        if pool.isolation["seccomp"]:
            pytest.skip("this host does not permit seccomp")
        ends = {await attempt(pool, piece) for name, piece in PROBES.items() if name != "take a gigabyte"}
    finally:
        await pool.close()
    assert ends == {"killed: SIGSYS"}


async def test_required_isolation_refuses_to_run_below_the_full_set(tmp_path: Path) -> None:
    """`lua.isolation: required` refuses by name; best effort runs."""
    pool = LuaPool(PoolOptions(isolation_required=True), program=prison(tmp_path, "noseccomp"))
    await pool.start()
    try:
        assert pool.isolation_report()["level"] == "partial"
        with pytest.raises(HostdError, match=r"SCRIPT_ISOLATION: .*seccomp"):
            await pool.run(ScriptCall(source="return 1"), NoHostCalls())
    finally:
        await pool.close()
