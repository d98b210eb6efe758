"""What an earlier daemon left behind of plugins: taken over where it is the same, ended where it is not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from plugin_processes import open_switchboard

from hostd.aio import SystemClock
from hostd.host.process.child import Identity, began
from hostd.host.process.home import ProcessHome
from hostd.host.process.launch import Launch
from hostd.host.process.nursery import Nursery, left_behind, sweep
from hostd.host.process.remembered import Remembered

LAUNCH = Launch(("sh", "-c", "cat"))


class Left:
    """A process of a plugin that has started another one, which does not listen."""

    def __init__(self, leader: Any, follower: int) -> None:
        self.leader = leader
        self.follower = Identity(follower, began(follower))
        self.identity = Identity(leader.pid, began(leader.pid))

    @classmethod
    async def start(cls) -> Left:
        """Start both."""
        leader = await asyncio.create_subprocess_exec(
            "sh", "-c", "sleep 600 & echo $!; cat >/dev/null", stdin=-1, stdout=-1,
            env={"PATH": os.environ["PATH"], "HOSTD_PLUGIN_ID": "p"}, start_new_session=True,
        )  # fmt: skip
        return cls(leader, int(await leader.stdout.readline()))  # type: ignore[union-attr]

    async def end_leader(self) -> None:
        """Let the plugin's process go; what it started stays."""
        self.leader.stdin.close()
        await gone(self.identity)

    def note(self, run_dir: Path, name: str) -> Path:
        """Write what the earlier daemon knew of it."""
        (run_dir / "p.1.out").touch()
        Remembered(self.identity, "cookie", "p.1.out").write(run_dir / name)
        return run_dir / name


@pytest.fixture
async def left() -> AsyncIterator[Left]:
    """Left behind."""
    started = await Left.start()
    yield started
    for identity in (started.identity, started.follower):
        if identity.lives():
            os.kill(identity.pid, 9)
    await started.leader.wait()


async def test_a_process_is_gone_though_another_has_its_standard_input() -> None:
    """What a plugin starts inherits that, and does not hide the plugin's crash."""
    async with open_switchboard() as home:
        nursery = Nursery("p", "1.0", Launch(("sh", "-c", "sleep 600 <&0 & exit 3")), home)
        child = await nursery.start()
        async with asyncio.timeout(120):
            assert await child.exited() == "exit 3"
        await nursery.bury(child)
        assert list(home.run_dir.glob("p.*")) == []


async def gone(identity: Identity) -> None:
    """Wait until a process is no more."""
    async with asyncio.timeout(120):
        while identity.lives():
            await asyncio.sleep(0.005)


def same(home: ProcessHome) -> Nursery:
    """Return the nursery of the plugin that has left something."""
    return Nursery("p", "1.0", LAUNCH, home, left=left_behind("p", "1.0", LAUNCH, home))


async def test_the_same_version_is_taken_over(left: Left) -> None:
    """Its cookie is the one that was given out before."""
    async with open_switchboard() as home:
        left.note(home.run_dir, f"p.{LAUNCH.digest('1.0')}.1.json")
        nursery = same(home)
    assert (nursery.inherits, nursery.cookie) == (True, "cookie")
    assert left.identity.lives()


async def test_another_version_is_ended_with_all_it_started(left: Left) -> None:
    """And with what told of it."""
    async with open_switchboard() as home:
        note = left.note(home.run_dir, f"p.{LAUNCH.digest('0.9')}.1.json")
        assert not same(home).inherits
        await gone(left.follower)
        assert not note.exists()
        assert not (home.run_dir / "p.1.out").exists()


async def test_what_a_process_started_is_ended_when_it_is_gone_itself(left: Left) -> None:
    """The daemon was killed, the process went, and what it had started stayed."""
    async with open_switchboard() as home:
        left.note(home.run_dir, f"p.{LAUNCH.digest('1.0')}.1.json")
        await left.end_leader()
        assert not same(home).inherits
        await gone(left.follower)


async def test_a_plugin_that_is_there_no_more_is_ended(left: Left) -> None:
    """Nobody would ever ask for it."""
    async with open_switchboard() as home:
        note = left.note(home.run_dir, "p.f00.1.json")
        sweep(home.run_dir, {"another"}, SystemClock())
        await gone(left.follower)
        assert not note.exists()


@pytest.mark.parametrize(
    "text", ["", "garbage", "[]", '{"pid": 1, "began": 0, "cookie": "c", "output": "o"}', '{"pid": "x"}', "\x00" * 9]
)
async def test_a_note_that_tells_nothing_is_put_away(text: str) -> None:
    """Nobody is ended for it."""
    async with open_switchboard() as home:
        note = home.run_dir / f"p.{LAUNCH.digest('1.0')}.1.json"
        note.write_text(text)
        assert not same(home).inherits
        assert not note.exists()


async def test_a_process_with_the_number_of_one_that_is_gone_is_left_alone(left: Left) -> None:
    """Numbers are given out again: when it began tells them apart."""
    async with open_switchboard() as home:
        foreign = Identity(left.identity.pid, left.identity.began + 1)
        Remembered(foreign, "cookie", "p.1.out").write(home.run_dir / "p.f00.1.json")
        assert not same(home).inherits
        assert left.identity.lives()
        assert left.follower.lives()
