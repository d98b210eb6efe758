"""Children that lie, crash, hang, flood or do not listen: each is named, ended and kept out; nothing else suffers."""

import asyncio
import os
from pathlib import Path

import pytest
from plugin_processes import Context, bad_child, kept, open_switchboard, until

from hostd.errors.base import HostdError
from hostd.host.lost import AttemptLostError
from hostd.host.process import crashes, remote
from hostd.host.process.remote import RemoteAction
from hostd.host.process.states import ProcessState

CRASHED = (ProcessState.BACKING_OFF, ProcessState.QUARANTINED)


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("exit", "exit 3"),
        ("other_plugin", "it says it is 'somebody'"),
        ("future", "it speaks protocol 7 to 9, this host 1 to 1"),
        ("liar", "'flow.wait' is no id of a component"),
        ("empty", "it serves nothing"),
        ("hello_twice", "a frame hello has no place here"),
        ("stray", "frames about things that nobody asked it for"),
        ("garbage_later", "exit 4"),
        ("garbage", "exit 4"),
        ("no_hello", "exit 4"),
        ("wrong_cookie", "exit 4"),
    ],
)
async def test_a_liar_is_named_and_tried_again_later(mode: str, why: str) -> None:
    """What broke the protocol, or how the process went, stands in the plugin's message."""
    async with open_switchboard() as home, kept(home, bad_child(mode)) as process:
        await until(process, *CRASHED)
        assert why in process.message


async def test_one_that_cannot_be_loaded_is_not_tried_again() -> None:
    """Its reason and traceback are kept; the next version may be tried."""
    async with open_switchboard() as home, kept(home, bad_child("broken")) as process:
        await until(process, ProcessState.BROKEN)
        await asyncio.sleep(0)
        assert process.message == "PLUGIN_FAILED: ImportError: no module"
        assert process.traceback == "tb"
        with pytest.raises(HostdError, match="PLUGIN_UNAVAILABLE"):
            await process.link()


async def test_one_that_does_not_connect_is_ended() -> None:
    """A process that says nothing is killed when its time is over."""
    from datetime import timedelta

    async with open_switchboard(start=timedelta(seconds=0.3)) as home, kept(home, bad_child("silent")) as process:
        await until(process, *CRASHED)
        assert process.message == "it did not connect within 0.3 s"


async def test_one_that_ignores_sigterm_is_killed() -> None:
    """Stopping does not depend on the process's good will."""
    async with open_switchboard() as home:
        async with kept(home, bad_child("deaf")) as process:
            await until(process, ProcessState.READY)
            pid = process.pid
            process.desk.attempts.clear()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_one_whose_loop_stands_still_is_killed() -> None:
    """A process that answers no ping is ended, and what it held is lost."""
    from datetime import timedelta

    async with open_switchboard(answer=timedelta(seconds=0.2)) as home, kept(home, bad_child("mute")) as process:
        await until(process, *CRASHED)
        assert process.message == "its loop has not answered for 0.2 s"


async def test_repeated_crashes_put_a_plugin_in_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five crashes in ten minutes are enough; who needs it hears why, and an operator may let it out."""
    monkeypatch.setattr(crashes, "BACKOFF_S", (0.0,))
    async with open_switchboard() as home, kept(home, bad_child("exit")) as process:
        await until(process, ProcessState.QUARANTINED)
        assert process.message.startswith("kept out for ten minutes after 5 crashes")
        assert process.message.endswith("the last crash: exit 3")
        assert process.printed == ("no good",)
        with pytest.raises(HostdError, match="is quarantined: kept out"):
            await process.link()
        process.release()
        assert process.state is ProcessState.IDLE


async def test_an_attempt_that_is_refused_by_a_process_that_goes_begins_in_the_next(tmp_path: Path) -> None:
    """It was not begun: nobody hears of it."""
    launch = bad_child("drains")
    launch = launch._replace(environment={**launch.environment, "GOES": str(tmp_path / "gone")})
    async with open_switchboard() as home, kept(home, launch) as process:
        assert await RemoteAction(process, "bad.act").run(Context("r"), b"{}") == {"done": True}
        assert process.desk.attempts == {}


async def test_a_process_that_says_it_goes_and_stays_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said is the attempt's failure then."""
    monkeypatch.setattr(remote, "LEAVES_S", 0.1)
    async with open_switchboard() as home, kept(home, bad_child("drains")) as process:
        with pytest.raises(HostdError, match="DRAINING"):
            await RemoteAction(process, "bad.act").run(Context("r"), b"{}")


async def test_a_flood_of_output_does_not_reach_the_log() -> None:
    """The process waits while its pipe is full; it serves on, and the host's loop with it."""
    async with open_switchboard() as home, kept(home, bad_child("flood")) as process:
        await until(process, ProcessState.READY)
        action = RemoteAction(process, "bad.act")
        for number in range(20):
            assert await action.run(Context(f"r{number}"), b"{}") == {"done": True}
        assert len(process.printed) <= 200


async def test_foreign_questions_are_refused() -> None:
    """A process speaks for its own attempts and triggers only."""
    async with open_switchboard() as home, kept(home, bad_child("foreign")) as process:
        await until(process, ProcessState.READY)
        assert await RemoteAction(process, "bad.act").run(Context("r"), b"{}") == {"done": True}
        assert process.state is ProcessState.READY


async def test_a_step_that_kills_its_process_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is lost twice in company, then once alone: that is proof. Its neighbours are lost, never blamed."""
    monkeypatch.setattr(crashes, "BACKOFF_S", (0.0,))
    monkeypatch.setattr(crashes, "CRASHES_MAX", 10)
    async with open_switchboard() as home, kept(home, bad_child("honest")) as process:
        action = RemoteAction(process, "bad.act")
        for _ in range(2):
            neighbour = asyncio.create_task(action.run(Context("neighbour"), b'"stay"'))
            await asyncio.sleep(0)
            with pytest.raises(AttemptLostError):
                await action.run(Context("poison"), b'"die"')
            with pytest.raises(AttemptLostError):
                await neighbour
        with pytest.raises(HostdError, match=r"ATTEMPT_LOST: .*: signal 11|ATTEMPT_LOST: .*SIGSEGV"):
            await action.run(Context("poison"), b'"die"')
        assert await action.run(Context("neighbour"), b"{}") == {"done": True}
