"""Tailing logs: what was logged, what is being logged, and where a later tail goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from daemon_kit import Kit, ref, refused, running, taken_apart
from talker import TALK, add_talker

from hostd.errors.base import HostdError
from hostd.v1 import run_pb2
from hostd.v1 import run_service_pb2 as wire

TWO = """\
workflow: two
steps:
  first: {uses: log.write, with: {message: one}}
  second: {needs: first, uses: log.write, with: {message: two}}
"""


def texts(messages: list[Any]) -> list[str]:
    """Return what was logged, without time and level."""
    return [line.text.rpartition(" ")[2] for message in messages for line in message.lines]


async def read(call: Any, until: Any = None) -> list[Any]:
    """Return messages up to the first that `until` takes, or to the end of the stream."""
    messages: list[Any] = []
    async with asyncio.timeout(60):
        while (message := await call.read()) is not grpc.aio.EOF:
            messages.append(message)
            if until is not None and until(messages):
                return messages
    assert until is None, "the stream ended"
    return messages


async def test_logs_of_a_run_that_ended_come_in_the_order_of_its_attempts(kit: Kit) -> None:
    """The snapshot ends with a mark, the stream with the run's state."""
    await kit.register(TWO)
    run = await kit.execute("two")
    messages = await read(kit.runs.TailLogs(wire.TailLogsRequest(run=ref(run.run_id))))

    assert texts(messages) == ["one", "two"]
    assert [message.snapshot_end for message in messages].count(True) == 1
    assert messages[-1].run_state == run_pb2.RUN_STATE_SUCCEEDED
    only = kit.runs.TailLogs(wire.TailLogsRequest(run=ref(run.run_id), step="second", attempt=1))
    assert texts(await read(only)) == ["two"]


async def test_lines_come_while_the_attempt_runs(kit: Kit) -> None:
    """Each as it is logged; a tail that begins later gets those before, and none twice; the rest at the end."""
    talker = add_talker(kit.core.host)
    await kit.register(TALK)
    started = await kit.start("talk")
    await talker.started.wait()
    talker.say("a")
    call = kit.runs.TailLogs(wire.TailLogsRequest(run=ref(started.run_id)))
    assert texts(await read(call, lambda found: texts(found) == ["a"])) == ["a"]
    talker.say("b\nc")
    (*_, last) = await read(call, lambda found: texts(found) == ["c"])
    assert last.lines[0].text.endswith("b c")
    assert (last.lines[0].step, last.lines[0].attempt) == ("speak", 1)
    call.cancel()

    again = kit.runs.TailLogs(wire.TailLogsRequest(run=ref(started.run_id), resume_token=last.resume_token))
    talker.say("d")
    talker.done.set()
    assert texts(await read(again)) == ["d"]
    assert len(texts(await read(kit.runs.TailLogs(wire.TailLogsRequest(run=ref(started.run_id)))))) == 3


async def test_a_tail_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The token of a daemon that is gone is good for the next one: only lines behind it come."""
    async with running(tmp_path / "d") as kit:
        await kit.register(TWO)
        run = await kit.execute("two")
        call = kit.runs.TailLogs(wire.TailLogsRequest(run=ref(run.run_id)))
        (*_, last) = await read(call, lambda found: texts(found) == ["one"])
        call.cancel()
    async with running(tmp_path / "d") as kit:
        request = wire.TailLogsRequest(run=ref(run.run_id), resume_token=last.resume_token)
        assert texts(await read(kit.runs.TailLogs(request))) == ["two"]


async def test_secrets_are_hidden_while_an_attempt_runs(kit: Kit) -> None:
    """What a tail tells of a running attempt is what its file will hold."""
    talker = add_talker(kit.core.host)
    await kit.core.front.secrets.set("default", "pin", "hunter2hunter2", principal="t", repeat=None)
    await kit.register(TALK.replace("{}", "{value: '${{ secrets.pin }}'}"))
    started = await kit.start("talk")
    await talker.started.wait()
    talker.say("the pin is hunter2hunter2 now")
    call = kit.runs.TailLogs(wire.TailLogsRequest(run=ref(started.run_id)))
    (*_, last) = await read(call, lambda found: bool(found[-1].lines))
    assert "hunter2" not in str(last)
    assert "the pin is" in last.lines[0].text
    talker.done.set()
    await read(call)


async def test_what_a_tail_refuses(kit: Kit) -> None:
    """A run that is not there, a token of another request."""
    await kit.register(TWO)
    run = await kit.execute("two")
    assert (await refused(kit.runs.TailLogs(wire.TailLogsRequest(run=ref("0" * 26))))).reason == "RUN_MISSING"
    (*_, last) = await read(kit.runs.TailLogs(wire.TailLogsRequest(run=ref(run.run_id))))
    other = wire.TailLogsRequest(run=ref(run.run_id), step="first", resume_token=last.resume_token)
    assert (await refused(kit.runs.TailLogs(other))).reason == "RESUME_TOKEN_INVALID"


async def test_a_stopping_daemon_ends_tails(kit: Kit) -> None:
    """With DRAINING, so that clients look for the next one."""
    await kit.register("workflow: long\nsteps: {nap: {uses: flow.wait, with: {duration: 1h}}}\n")
    started = await kit.start("long")
    call = kit.runs.TailLogs(wire.TailLogsRequest(run=ref(started.run_id)))
    await read(call, lambda found: found[-1].snapshot_end)
    kit.core.hub.close()
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await read(call)
    assert taken_apart(ended.value).reason == "DRAINING"


def test_a_token_keeps_every_open_attempt() -> None:
    """Names of steps with dots and colons come back; what is no position is refused."""
    from hostd.api.log_tailing import position_parts, read_position
    from hostd.model.views import LogPosition

    position = LogPosition(7, {("a.b", 2): 3, ("c:d", 1): 0})
    assert read_position(position_parts("r", position)) == ("r", position)
    for wrong in ("text", 3, ["r"], ["r", "x"], ["r", "1", "bad"]):
        with pytest.raises(HostdError, match="RESUME_TOKEN_INVALID"):
            read_position(wrong)  # type: ignore[arg-type]
