"""The pool under load, under kill -9, and after it is closed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest
from lua_scripts import EchoHost, children_of, failure, open_descriptors, run, value

from hostd.errors.base import HostdError
from hostd.lua.call import ScriptCall, ScriptLost, ScriptResult
from hostd.lua.limits import ScriptLimits
from hostd.lua.pool import PoolOptions
from hostd.lua.ports import NoHostCalls
from hostd.lua.script import LuaPool

HOLD = 'host.call("hold", 1) return "done"'
SPIN = 'return (("a"):rep(40)):find(("a*"):rep(20).."b")'


@pytest.fixture
async def pool() -> AsyncIterator[LuaPool]:
    pool = LuaPool()
    await pool.start()
    yield pool
    await pool.close()


def zygote_of(pool: LuaPool) -> int:
    """Return the zygote's process id."""
    zygote = pool._workers._zygote
    assert zygote is not None
    return zygote.pid


async def gone(pid: int) -> None:
    """Wait until a process has ended."""
    while True:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        await asyncio.sleep(0.005)


async def computing(zygote: int) -> int:
    """Wait until a worker has computed for 50 ms; return it."""
    ticks = os.sysconf("SC_CLK_TCK") / 20
    while True:
        for pid in children_of(zygote):
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if int(stat[11]) >= ticks:
                return pid
        await asyncio.sleep(0.005)


async def held(pool: LuaPool, host: EchoHost) -> tuple[asyncio.Task[ScriptResult], set[int]]:
    """Start a script that waits for the host; return its task and the processes that may be its worker."""
    task = asyncio.get_running_loop().create_task(run(pool, HOLD, host=host))
    await host.asked.wait()
    return task, {worker.pid for worker in pool._workers._owners} - {worker.pid for worker in pool._workers._idle}


async def expect_lost(task: Awaitable[ScriptResult]) -> None:
    """The run ends with the outcome that says: run it again."""
    with pytest.raises(ScriptLost) as caught:
        await task
    assert (caught.value.reason, caught.value.retry_after_s) == ("SCRIPT_LOST", 0.0)


async def test_a_worker_killed_in_mid_run_is_lost_and_the_script_runs_again(pool: LuaPool) -> None:
    """kill -9 of a worker whose script waits for the host gives ScriptLost; the script then runs from its start."""
    host = EchoHost()
    task, workers = await held(pool, host)
    (pid,) = workers
    os.kill(pid, signal.SIGKILL)
    await gone(pid)
    host.go.set()
    await expect_lost(task)
    assert await value(pool, HOLD, host=host) == "done"


async def test_a_worker_killed_while_computing_is_lost(pool: LuaPool) -> None:
    """The same holds in the middle of a slice, and is told apart from our own kill at the wall limit."""
    call = ScriptCall(source=SPIN, limits=ScriptLimits())
    task = asyncio.get_running_loop().create_task(pool.run(call, NoHostCalls()))
    os.kill(await computing(zygote_of(pool)), signal.SIGKILL)
    await expect_lost(task)


async def test_a_zygote_that_died_unnoticed_is_replaced_by_who_finds_it_dead() -> None:
    """The first script after the kill -9, before the loop could learn of it, gets a worker and no error."""
    pool = LuaPool(PoolOptions(spare=0, workers_idle=0))
    await pool.start()
    try:
        zygote = zygote_of(pool)
        os.kill(zygote, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):  # asyncio's own thread may have been the one to bury it
            os.waitid(os.P_PID, zygote, os.WEXITED | os.WNOWAIT)  # dead, and this loop has not turned since
        assert await value(pool, "return 1") == 1
    finally:
        await pool.close()


async def test_a_zygote_killed_in_mid_run_takes_its_workers_and_is_replaced(pool: LuaPool) -> None:
    """kill -9 of the zygote loses its runs, ends its workers, and the next run has a new one."""
    host, zygote = EchoHost(), zygote_of(pool)
    task, workers = await held(pool, host)
    everyone = children_of(zygote)
    assert workers <= everyone
    os.kill(zygote, signal.SIGKILL)
    for pid in everyone:
        await gone(pid)
    host.go.set()
    await expect_lost(task)
    assert await value(pool, "return 1") == 1
    assert zygote_of(pool) != zygote


async def test_idle_workers_that_die_are_not_handed_out(pool: LuaPool) -> None:
    """Killing the spare costs nobody a run."""
    for pid in children_of(zygote_of(pool)):
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
    for index in range(5):
        assert await value(pool, f"return {index}") == index


async def test_a_canceled_run_ends_its_worker(pool: LuaPool) -> None:
    """Cancelling kills the process that holds the script, computing or waiting."""
    host = EchoHost()
    task, (pid,) = await held(pool, host)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(pid)
    assert await value(pool, "return 1") == 1


async def test_two_hundred_runs_at_once_all_end(pool: LuaPool) -> None:
    """Many runs share the workers; each gets its own answer, hostile neighbours or not."""
    sources = [f'return host.call("echo", {index})' if index % 20 else "error('no')" for index in range(200)]
    results = await asyncio.gather(*(run(pool, source) for source in sources))
    for index, result in enumerate(results):
        assert result.output == (str(index).encode() if index % 20 else None)
    assert pool._workers.live <= PoolOptions().workers_max


async def test_waiting_runs_are_bounded_and_served_in_order() -> None:
    """Past the queue's bound a run is refused at once; the ones inside run in the order they came."""
    pool = LuaPool(PoolOptions(workers_max=1, queue_max=2))
    await pool.start()
    host, order = EchoHost(), []
    task, _ = await held(pool, host)

    async def noted(name: str) -> None:
        await value(pool, "return 1")
        order.append(name)

    async with asyncio.TaskGroup() as group:
        for name in ("first", "second"):
            group.create_task(noted(name))
        await asyncio.sleep(0)
        with pytest.raises(HostdError, match="SCRIPT_QUEUE_FULL"):
            await run(pool, "return 1")
        host.go.set()
    await task
    assert order == ["first", "second"]
    await pool.close()


async def test_workflows_take_turns_for_a_worker() -> None:
    """One workflow floods the pool; another's script is the next one that runs, and single scripts come in turn too."""
    pool = LuaPool(PoolOptions(workers_max=1))
    await pool.start()
    host, order = EchoHost(), []
    task, _ = await held(pool, host)

    async def noted(share: tuple[str, ...]) -> None:
        await value(pool, "return 1", share=share)
        order.append(share[1])

    async with asyncio.TaskGroup() as group:
        for _ in range(12):
            group.create_task(noted(("default", "flood")))
        await asyncio.sleep(0)
        group.create_task(noted(("default", "quiet")))
        group.create_task(noted(("", "scripts")))
        await asyncio.sleep(0)
        host.go.set()
    await task
    assert order[:4] == ["flood", "quiet", "scripts", "flood"]
    await pool.close()


async def test_workflows_take_turns_for_the_processor() -> None:
    """Twelve looping scripts with a worker each do not hold up another workflow's script for their wall time."""
    pool = LuaPool(PoolOptions(running_max=1))
    await pool.start()
    host = EchoHost()
    quiet, _ = await held(pool, host)
    loops = [
        asyncio.get_running_loop().create_task(
            run(pool, "while true do end", share=("default", "flood"), limits=ScriptLimits(cpu_ms=100))
        )
        for _ in range(12)
    ]
    await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
    host.go.set()
    assert (await quiet).output == b'"done"'
    assert sum(loop.done() for loop in loops) <= 3
    ends = await asyncio.gather(*loops)
    assert {end.failure.limit for end in ends if end.failure is not None} <= {"cpu", "wall"}
    await pool.close()


async def test_one_workflow_cannot_fill_the_line() -> None:
    """Past its own bound a workflow is refused, while others still find a place."""
    pool = LuaPool(PoolOptions(workers_max=1, share_queue_max=2))
    await pool.start()
    host = EchoHost()
    task, _ = await held(pool, host)
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(run(pool, "return 1", share=("default", "flood")))
        await asyncio.sleep(0)
        with pytest.raises(HostdError, match="SCRIPT_QUEUE_FULL"):
            await run(pool, "return 1", share=("default", "flood"))
        group.create_task(run(pool, "return 1", share=("default", "quiet")))
        await asyncio.sleep(0)
        host.go.set()
    await task
    await pool.close()


async def test_a_run_canceled_while_it_waits_for_a_worker_leaves_the_queue() -> None:
    """The worker goes to the next in line, not to nobody."""
    pool = LuaPool(PoolOptions(workers_max=1))
    await pool.start()
    host = EchoHost()
    task, _ = await held(pool, host)
    waiting = [asyncio.get_running_loop().create_task(value(pool, f"return {index}")) for index in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    host.go.set()
    await task
    assert await waiting[1] == 1
    await pool.close()


async def test_workers_are_replaced_after_their_share_of_runs() -> None:
    """A worker that has done its runs is ended and another takes its place."""
    pool = LuaPool(PoolOptions(workers_max=1, spare=0, recycle_runs=3))
    await pool.start()
    seen = set()
    for _ in range(6):
        await value(pool, "return 1")
        seen |= {worker.pid for worker in pool._workers._owners}
    assert len(seen) >= 2
    await pool.close()


async def test_a_source_that_crashes_its_worker_three_times_is_quarantined(pool: LuaPool) -> None:
    """A crash is a failure of the step; the fourth run of the same source is refused, another source is not."""
    host = EchoHost()
    for _ in range(3):
        host.asked.clear()
        task, (pid,) = await held(pool, host)
        os.kill(pid, signal.SIGSEGV)
        await gone(pid)
        host.go.set()
        result = await task
        host.go.clear()
        assert result.failure is not None
        assert (result.failure.limit, result.failure.retryable) == ("crash", False)
        assert "SIGSEGV" in result.failure.message
    assert (await failure(pool, HOLD)).limit == "quarantine"
    assert await value(pool, "return 1") == 1


async def test_nothing_is_left_after_close() -> None:
    """Kills and cancelled runs included, no process and no descriptor survives the pool; a late run is refused."""
    before, children = open_descriptors(), children_of(os.getpid())
    for _ in range(2):
        pool, host = LuaPool(), EchoHost()
        await pool.start()
        zygote = zygote_of(pool)
        task, _ = await held(pool, host)
        assert (await failure(pool, SPIN, limits=ScriptLimits(wall_ms=100))).limit == "wall"
        workers = children_of(zygote)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await pool.close()
        await pool.close()
        for pid in {zygote, *workers}:
            await gone(pid)
        with pytest.raises(HostdError, match="SCRIPTS_UNAVAILABLE"):
            await run(pool, "return 1")
    await asyncio.sleep(0)
    assert open_descriptors() == before
    assert children_of(os.getpid()) == children


async def test_the_zygote_ends_when_its_daemon_dies(tmp_path: Path) -> None:
    """kill -9 of the process that owns the pool ends zygote and workers, even one that is computing."""
    program = tmp_path / "daemon.py"
    program.write_text(
        "import asyncio, sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from hostd.lua.script import LuaPool\nfrom hostd.lua.call import ScriptCall\n"
        "from hostd.lua.ports import NoHostCalls\n"
        "from hostd.lua.limits import ScriptLimits\nfrom hostd.lua.pool import PoolOptions\n"
        "async def main():\n"
        "    limits = ScriptLimits(cpu_ms=60_000, wall_ms=120_000)\n"
        "    pool = LuaPool(PoolOptions(ceiling=limits))\n    await pool.start()\n"
        "    asyncio.get_running_loop().call_later(0.1, lambda: print(pool._workers._zygote.pid, flush=True))\n"
        f"    await pool.run(ScriptCall(source={SPIN!r}, limits=limits), NoHostCalls())\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, str(program), stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    zygote = int(await process.stdout.readline())
    workers = children_of(zygote)
    assert workers
    process.kill()
    await process.communicate()
    for pid in {zygote, *workers}:
        await gone(pid)
