"""A plugin's process and everything it started go together, whoever is killed, and however they hid."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from plugin_processes import open_switchboard

from hostd.host.process import reaper
from hostd.host.process.child import Child, Identity, began
from hostd.host.process.home import ProcessHome
from hostd.host.process.launch import Launch
from hostd.host.process.nursery import LOCK, Nursery

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reapers are Linux's")

FAMILY = """
import os, signal, subprocess, sys, time
def say(name): os.write(1, f"{name} {os.getpid()}\\n".encode())
signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in sys.argv else signal.SIG_DFL)
code = "import os, signal, time; signal.signal(15, signal.SIG_IGN);"
code += "os.write(1, b'%s %d\\\\n' % (NAME, os.getpid())); time.sleep(600)"
subprocess.Popen([sys.executable, "-S", "-c", code.replace("NAME", "b'same'")])
subprocess.Popen([sys.executable, "-S", "-c", code.replace("NAME", "b'session'")], start_new_session=True)
if os.fork() == 0:                      # a daemon as in the book: two forks and a session of its own
    os.setsid()
    if os.fork() == 0:
        say("daemon")
        time.sleep(600)
    os._exit(0)
os.wait()
say("plugin")
time.sleep(600)
"""


class Family:
    """A process and what it has started, by name."""

    def __init__(self, child: Child, members: dict[str, Identity]) -> None:
        self.child = child
        self.members = members

    async def gone(self) -> None:
        """Wait until none of them is left."""
        async with asyncio.timeout(60):
            while any(member.lives() for member in self.members.values()):
                await asyncio.sleep(0.01)


async def family(home: ProcessHome, *arguments: str) -> Family:
    """Start one, and wait until all of it runs."""
    child = await Nursery("p", "1.0", Launch((sys.executable, "-S", "-c", FAMILY, *arguments)), home).start()
    async with asyncio.timeout(60):
        while len(child.output.tail) < 4:
            await asyncio.sleep(0.01)
    pids = {name: int(pid) for name, pid in (line.split() for line in child.output.tail)}
    return Family(child, {name: Identity(pid, began(pid)) for name, pid in pids.items()})


@pytest.fixture
async def home() -> AsyncIterator[ProcessHome]:
    """Where processes are started."""
    async with open_switchboard(orphan=timedelta(seconds=0)) as opened:
        yield opened


async def test_what_a_plugin_started_goes_when_it_is_stopped(home: ProcessHome) -> None:
    """Also what does not listen, has a session of its own, or is nobody's child any more."""
    started = await family(home)
    await started.child.stop()
    await started.gone()


async def test_one_that_does_not_listen_goes_too(home: ProcessHome) -> None:
    """It is killed when its time is over, and its family with it."""
    started = await family(home, "deaf")
    await started.child.stop(0.2)
    await started.gone()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
async def test_what_a_plugin_started_goes_when_it_is_killed(home: ProcessHome, number: signal.Signals) -> None:
    """No daemon is needed for that; how the plugin went is told as if nobody stood between."""
    started = await family(home)
    os.kill(started.members["plugin"].pid, number)
    async with asyncio.timeout(60):
        assert await started.child.exited() == f"killed by {number.name}"
    await started.gone()


async def test_a_plugin_goes_when_its_reaper_is_killed(home: ProcessHome) -> None:
    """And the daemon ends what is left of the session."""
    started = await family(home)
    os.kill(started.child.pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        await started.child.exited()
        while started.members["plugin"].lives():
            await asyncio.sleep(0.01)
    await asyncio.to_thread(started.child.kill)
    started.members = {name: started.members[name] for name in ("same", "plugin")}
    await started.gone()


async def test_a_plugin_that_should_have_gone_is_ended_where_no_daemon_is_left(
    home: ProcessHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs, and the time in which it waits for the next daemon is over: not one process stays."""
    eager = tmp_path / "reaper.py"
    text = Path(reaper.__file__).read_text()
    for name in ("LOOK_S", "MARGIN_S", "TERM_S"):
        assert f"\n{name} = " in text
        text = text.replace(f"\n{name} = ", f"\n{name} = 0.05  # ")
    eager.write_text(text)
    monkeypatch.setattr("hostd.host.process.child.REAPER", eager)
    started = await family(home, "deaf")
    assert all(member.lives() for member in started.members.values())  # a daemon holds the lock
    (home.run_dir / LOCK).unlink()
    (home.run_dir / LOCK).touch()  # nobody holds this one
    await started.gone()
    assert await started.child.exited() == "killed by SIGKILL"


async def test_limits_and_exit_codes_are_the_plugins(home: ProcessHome) -> None:
    """The reaper has no limits, and adds nothing to what is told."""
    code = "import resource as r, sys; print(r.getrlimit(r.RLIMIT_NOFILE), r.getrlimit(r.RLIMIT_CORE)); sys.exit(7)"
    nursery = Nursery("p", "1.0", Launch((sys.executable, "-S", "-c", code)), home)
    child = await nursery.start()
    async with asyncio.timeout(60):
        assert await child.exited() == "exit 7"
    assert await nursery.bury(child) == ("(1024, 1024) (0, 0)",)


@pytest.mark.parametrize("command", [("no-such-program-here",), ("/no/such/program",), ("/etc/passwd",)])
async def test_a_program_that_is_none_is_told_at_once(home: ProcessHome, command: tuple[str, ...]) -> None:
    """Nothing is started for it."""
    with pytest.raises(OSError, match="there is no program"):
        await Nursery("p", "1.0", Launch(command), home).start()
    assert [path.name for path in home.run_dir.glob("p.*")] == []


async def test_processor_time_counts_what_the_plugin_started(home: ProcessHome) -> None:
    """A limit is not got around by a child."""
    spin = "import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', 'while True: pass'])"
    nursery: Any = Nursery("p", "1.0", Launch((sys.executable, "-S", "-c", spin)), home)
    child = await nursery.start()
    try:
        async with asyncio.timeout(60):
            while child.cpu_s() < 0.3:
                await asyncio.sleep(0.05)
    finally:
        await child.stop()
        await nursery.bury(child)
