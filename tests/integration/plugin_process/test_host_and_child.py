"""The daemon's side and a real Python child together: an action answers as it does inside the daemon."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from plugin_processes import Context, kept, open_switchboard, until

from hostd.errors.base import HostdError
from hostd.host.guard import fault_of
from hostd.host.lost import AttemptLostError
from hostd.host.process.launch import python_launch
from hostd.host.process.remote import RemoteAction
from hostd.host.process.states import ProcessState
from hostd.plugin import ActionError
from hostd.values.json_text import dump_json

PLUGIN = '''
import asyncio, os, sys
from hostd.plugin import *

class How(Options):
    how: str = Field(description="How.")

class Do(Action[How]):
    """Does it."""
    id = "real.do"
    async def run(self, ctx, options):
        how = options.how
        if how == "words": raise ActionError("declined", code="CARD", retryable=True, retry_after=2, details={"a": 1})
        if how == "bug": return 1 / 0
        if how == "exit": sys.exit(1)
        if how == "object": return object()
        if how == "die": os._exit(9)
        if how == "wait": await asyncio.sleep(60)
        return {"how": how, "pid": os.getpid(), "key": ctx.idempotency_key}

@hookimpl
def hostd_register(registry): registry.action(Do)
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plugin in a folder."""
    home = tmp_path / "real"
    home.mkdir()
    (home / "__init__.py").write_text(PLUGIN)
    return home


async def run(action: RemoteAction, run_id: str, how: str) -> Any:
    """Run an attempt to its end, which is then durable."""
    context = Context(run_id)
    try:
        return await action.run(context, options(how))
    finally:
        if context.when_recorded is not None:
            context.when_recorded()


def options(how: str) -> bytes:
    """Return options as they go to the process."""
    return dump_json({"how": how})


async def test_an_action_answers_as_inside_the_daemon(folder: Path) -> None:
    """Output, an action's own words, bugs, SystemExit and what is no JSON: the same failure as inline."""
    async with open_switchboard() as home, kept(home, python_launch("--folder", str(folder)), "real") as process:
        await until(process, ProcessState.READY)
        assert [one.id for one in process.components] == ["real.do"]
        action = RemoteAction(process, "real.do")
        assert await run(action, "r1", "well") == {"how": "well", "pid": process.pid, "key": "key"}
        with pytest.raises(ActionError) as declined:
            await run(action, "r2", "words")
        failure, retry_after_ms, _ = fault_of(declined.value)
        assert (failure.code, failure.retryable, failure.details, retry_after_ms) == ("CARD", True, b'{"a":1}', 2_000)
        for how, reason, retryable in (
            ("bug", "ACTION_RAISED", True),
            ("exit", "ACTION_RAISED", True),
            ("object", "PAYLOAD_INVALID", False),
        ):
            with pytest.raises(HostdError) as raised:
                await run(action, f"r-{how}", how)
            failure = fault_of(raised.value).failure
            assert (failure.reason, failure.retryable) == (reason, retryable)


async def test_many_attempts_at_once_are_not_mixed_up(folder: Path) -> None:
    """Each of hundreds that share messages gets its own answer, and the process holds none of them afterwards."""
    async with open_switchboard() as home, kept(home, python_launch("--folder", str(folder)), "real") as process:
        await until(process, ProcessState.READY)
        action = RemoteAction(process, "real.do")
        answers = await asyncio.gather(*(run(action, f"r{number}", f"how {number}") for number in range(500)))
        assert [answer["how"] for answer in answers] == [f"how {number}" for number in range(500)]
        assert not process.claims.any
        await process.stop()  # it drains: ends only once every outcome was recorded
        assert process.restarts == 0


async def test_an_attempt_is_canceled_through_the_wire(folder: Path) -> None:
    """Cancelling the host's side interrupts the action in its process, which serves on."""
    async with open_switchboard() as home, kept(home, python_launch("--folder", str(folder)), "real") as process:
        await until(process, ProcessState.READY)
        action = RemoteAction(process, "real.do")
        waiting = asyncio.get_running_loop().create_task(run(action, "r1", "wait"))
        await run(action, "r2", "well")  # by now the first one waits, too
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await run(action, "r3", "well"))["how"] == "well"


async def test_a_process_that_dies_is_started_again(folder: Path) -> None:
    """The attempt is lost, and the next one finds a new process."""
    async with open_switchboard() as home, kept(home, python_launch("--folder", str(folder)), "real") as process:
        await until(process, ProcessState.READY)
        action = RemoteAction(process, "real.do")
        first = process.pid
        with pytest.raises(AttemptLostError):
            await run(action, "r1", "die")
        assert (await run(action, "r2", "well"))["pid"] != first


async def test_stopping_ends_it_in_good_order(folder: Path) -> None:
    """Drain is enough: nobody has to kill it."""
    async with open_switchboard() as home, kept(home, python_launch("--folder", str(folder)), "real") as process:
        await until(process, ProcessState.READY)
        child = process.supervisor.child
        assert child is not None
        await process.stop(5.0)
        assert await child.exited() == "exit 0"


async def test_a_broken_one_is_listed_with_its_traceback(folder: Path) -> None:
    """Reason, message and the plugin's own frames."""
    (folder / "__init__.py").write_text("def deep():\n    raise RuntimeError('here')\ndeep()\n")
    async with open_switchboard() as home, kept(home, python_launch("--folder", str(folder)), "real") as process:
        await until(process, ProcessState.BROKEN)
        assert process.message == "PLUGIN_FAILED: RuntimeError: here"
        assert "line 2, in deep" in process.traceback
