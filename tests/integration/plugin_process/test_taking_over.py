"""Processes that outlived their daemon, in every order: before recovery asks for them, long after it, or never."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from plugin_processes import Context, kept, open_switchboard, until

from hostd.host.lost import AttemptLostError
from hostd.host.process import start_queue
from hostd.host.process.child import Identity, began
from hostd.host.process.home import ProcessHome
from hostd.host.process.launch import Launch, python_launch
from hostd.host.process.nursery import LeftBehind, Nursery
from hostd.host.process.plugin_process import PluginProcess
from hostd.host.process.remembered import Remembered
from hostd.host.process.remote import RemoteAction
from hostd.host.process.states import ProcessState
from hostd.host.process.switchboard import Switchboard
from hostd.plugin.v1 import host_pb2 as pb
from hostd.runtime.attempts.drive import drive

SLOW = '''
import asyncio, os
from pathlib import Path
from hostd.plugin import *

class Do(Action[Options]):
    """Waits until it may go on."""
    id = "slow.do"
    async def run(self, ctx, options):
        Path(__file__).with_name("began").touch()
        while not Path(__file__).with_name("go").exists():
            await asyncio.sleep(0.01)
        return os.getpid()

@hookimpl
def hostd_register(registry): registry.action(Do)
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plugin in a folder."""
    home = tmp_path / "slow"
    home.mkdir()
    (home / "__init__.py").write_text(SLOW)
    return home


def launch(folder: Path) -> Launch:
    """Return how it is started."""
    return python_launch("--folder", str(folder))


class DeadDaemon:
    """A daemon of which only a note about a process is left."""

    plugin = "slow"

    def __init__(self, home: ProcessHome, folder: Path) -> None:
        self._home = home
        self._folder = folder
        self.nursery = Nursery("slow", "1.0", launch(folder), home)
        self.cookie = self.nursery.cookie
        self.child: Any = None
        self._link: Any = None

    async def leave(self) -> LeftBehind:
        """Start the plugin's process and an attempt in it; then be gone."""
        self._home.switchboard.expect(self)
        self.child = await self.nursery.start()
        async with asyncio.timeout(60):
            while not (self._folder / "began").exists():
                await asyncio.sleep(0.01)
        self._home.switchboard.more_to_come = True
        self._home.switchboard.forget(self)
        self._link.close()
        assert self.nursery._note is not None
        remembered = Remembered(self.child.identity, self.cookie, self.child.output.path.name, self.child.reaped)
        return LeftBehind(remembered, self.nursery._note)

    async def buried(self) -> None:
        """Wait until its process is gone."""
        async with asyncio.timeout(60):
            await self.child.exited()
        await self.child.output.close()

    def connected(self, link: Any) -> pb.Welcome:
        """Begin the attempt."""
        self._link = link
        attempt = pb.AttemptId(run_id="r", step="s", attempt=1)
        link.send(pb.FromHost(start_attempt=pb.StartAttempt(id=attempt, action="slow.do", options=b"{}")))
        return pb.Welcome(protocol=1)

    def received(self, link: Any, frame: Any) -> None:
        """Hear nothing."""

    def disconnected(self, link: Any) -> None:
        """Do nothing."""

    def refused(self, why: str) -> None:
        """Fail."""
        raise AssertionError(why)


def next_daemon(home: ProcessHome, folder: Path, left: LeftBehind) -> PluginProcess:
    """Return the process as the next daemon sees it."""
    return PluginProcess("slow", "1.0", launch(folder), home, lambda changed: None, left=left)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_attempt_is_handed_over_whenever_its_process_dials(
    folder: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recovery may ask first or last, and every place among starts may be taken: the attempt goes on."""
    monkeypatch.setattr(start_queue, "LENT_S", 600.0)
    async with open_switchboard() as home:
        dead = DeadDaemon(home, folder)
        left = await dead.leave()
        taken = [home.starts.ask() for _ in range(start_queue.STARTS_MAX)]
        second = next_daemon(home, folder, left)
        home.switchboard.forget(second)  # it is not expected yet
        action = RemoteAction(second, "slow.do")
        second.start()
        if when == "before":
            home.switchboard.expect(second)
            async with asyncio.timeout(60):
                await until(second, ProcessState.READY)
        assert action.holds("r", "s", 1)
        context = Context("r")
        again = asyncio.ensure_future(action.again(context))
        await asyncio.sleep(0)
        second.drop_unclaimed()
        home.switchboard.expect(second)
        home.switchboard.more_to_come = False
        (folder / "go").touch()
        async with asyncio.timeout(60):
            pid = await again
        context.when_recorded()
        assert dead.child.has(pid)
        assert not action.holds("r", "s", 2)
        assert second.restarts == 0
        for place in taken:
            place.leave()
        await second.stop()
        await dead.buried()


async def test_one_of_which_nothing_is_known_hands_over_when_it_says_what_it_serves(folder: Path) -> None:
    """Recovery, which could not ask for it, is over: what is claimed then goes on, what nobody claims is stopped."""
    async with open_switchboard() as home:
        dead = DeadDaemon(home, folder)
        left = await dead.leave()
        claims: list[Any] = []

        def changed(process: PluginProcess) -> None:
            if process.components and not claims:
                claims.append(drive(RemoteAction(process, "slow.do").again(Context("r")), name="claim"))

        second = PluginProcess("slow", "1.0", launch(folder), home, changed, left=left)
        second.drop_unclaimed()
        home.switchboard.more_to_come = False
        second.start()
        async with asyncio.timeout(60):
            await until(second, ProcessState.READY)
            (folder / "go").touch()
            assert dead.child.has(await claims[0])
        assert not second.claims.any
        assert second.claims.recovered
        await second.stop()
        await dead.buried()


async def test_what_its_process_does_not_hold_is_lost_when_it_says_so(folder: Path) -> None:
    """An attempt may have been written down and never sent."""
    async with open_switchboard() as home:
        dead = DeadDaemon(home, folder)
        left = await dead.leave()
        second = next_daemon(home, folder, left)
        action = RemoteAction(second, "slow.do")
        other = asyncio.ensure_future(action.again(Context("another")))
        second.start()
        with pytest.raises(AttemptLostError):
            async with asyncio.timeout(60):
                await other
        second.drop_unclaimed()
        await second.stop()
        await dead.buried()


async def test_what_a_process_held_that_is_gone_is_lost_at_once(folder: Path) -> None:
    """Also when no new one may start yet, so that the attempt is issued again."""
    async with open_switchboard() as home:
        gone = await asyncio.create_subprocess_exec("true")
        identity = Identity(gone.pid, began(gone.pid) or 1)
        await gone.wait()
        note = home.run_dir / "slow.f00.1.json"
        taken = [home.starts.ask() for _ in range(start_queue.STARTS_MAX)]
        second = next_daemon(home, folder, LeftBehind(Remembered(identity, "cookie", "slow.1.out", True), note))
        action = RemoteAction(second, "slow.do")
        assert action.holds("r", "s", 1)
        again = asyncio.ensure_future(action.again(Context("r")))
        second.start()
        with pytest.raises(AttemptLostError):
            async with asyncio.timeout(60):
                await again
        assert not action.holds("r", "s", 1)
        await second.stop()
        for place in taken:
            place.leave()


async def test_a_stranger_is_sent_away_and_may_come_again_while_not_all_are_known(folder: Path) -> None:
    """A child dials when it sees the socket, which may be before the host has read the child's folder."""
    async with open_switchboard() as home, kept(home, launch(folder), "slow") as process:
        await until(process, ProcessState.READY)
        refused = asyncio.Event()

        class Lines(dict[str, Any]):
            def get(self, key: str, default: Any = None) -> Any:
                if key not in self:
                    refused.set()
                return super().get(key, default)

        home.switchboard._lines = Lines()
        home.switchboard.more_to_come = True
        pid = process.pid
        assert process.conversation.link is not None
        process.conversation.link.close()  # the child hears of it, and dials
        async with asyncio.timeout(60):
            await refused.wait()
        home.switchboard.expect(process)
        (folder / "go").touch()
        async with asyncio.timeout(60):
            context = Context("r")
            assert await RemoteAction(process, "slow.do").run(context, b"{}") == pid
            context.when_recorded()
        assert process.restarts == 0


async def test_a_connection_given_up_before_its_welcome_is_gone() -> None:
    """The host does not wait on it: whoever dials next is heard."""

    class Dialed:
        """One who is gone by now."""

        async def read(self) -> pb.FromPlugin:
            return pb.FromPlugin(hello=pb.Hello(cookie="c", protocol_min=1, protocol_max=1))

        async def write(self, frame: pb.FromHost) -> None:
            raise asyncio.CancelledError

    class Line:
        plugin, cookie, links = "p", "c", 0

        def connected(self, link: Any) -> pb.Welcome:
            self.links += 1
            return pb.Welcome()

        def disconnected(self, link: Any) -> None:
            self.links -= 1

        def received(self, link: Any, frame: Any) -> None:
            raise AssertionError

        refused = received

    line, switchboard = Line(), Switchboard()
    switchboard.expect(line)  # type: ignore[arg-type]
    with pytest.raises(asyncio.CancelledError):
        await switchboard.Connect(None, Dialed())
    assert line.links == 0
