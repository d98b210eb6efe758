"""What a child that dials says it holds, and what becomes of that."""

import asyncio
from types import SimpleNamespace

import pytest
from plugin_processes import Context

from hostd.aio import SystemClock
from hostd.errors.base import HostdError
from hostd.host.process.conversation import Conversation
from hostd.host.process.link import FRAME_BYTES_MAX, Link
from hostd.plugin.v1 import host_pb2 as pb

ID = pb.AttemptId(run_id="r", step="s", attempt=1)
KEY = ("r", "s", 1)


def conversation() -> Conversation:
    """Return one in which nothing was said."""
    return Conversation("p", frozenset(), SystemClock(), lambda: None)


def dialed(*running: pb.AttemptId) -> Link:
    """Return the connection of a child that holds attempts."""
    return Link(pb.Hello(running=list(running), batches=True))


async def test_a_trigger_begins_once_and_only_while_it_runs() -> None:
    """What is said of an instance that nobody knows, or that has ended, is nothing to anybody."""
    talk, link = conversation(), dialed()
    talk.begin(link)
    told: list[str] = []
    hosted = talk.begin_trigger(SimpleNamespace(begun=lambda: told.append("begun")))
    talk.received(link, pb.FromPlugin(trigger_begun=pb.TriggerBegun(instance="another")))
    assert told == []
    talk.received(link, pb.FromPlugin(trigger_begun=pb.TriggerBegun(instance=hosted.instance)))
    talk.received(link, pb.FromPlugin(trigger_ended=pb.TriggerEnded(instance=hosted.instance, verdict="ENDED")))
    talk.received(link, pb.FromPlugin(trigger_begun=pb.TriggerBegun(instance=hosted.instance)))
    assert told == ["begun"]


async def told(link: Link) -> list[str]:
    """Return the kinds of frames that wait to be written."""
    link.close()
    kinds: list[str] = []
    while (frame := await link.next_frame()) is not None:
        frames = frame.batch.frames if frame.HasField("batch") else [frame]
        kinds += [str(one.WhichOneof("frame")) for one in frames]
    return kinds


async def test_what_nobody_claims_is_stopped_when_recovery_is_over() -> None:
    """However much later the child dials: it would hold it for ever, and never rest."""
    late = conversation()
    late.drop_unclaimed()
    link = dialed(ID)
    late.begin(link)
    assert not late.busy
    assert await told(link) == ["cancel_attempt"]

    early = conversation()
    link = dialed(ID)
    early.begin(link)
    assert early.claims.claimed(KEY)
    early.drop_unclaimed()
    assert not early.busy
    assert await told(link) == ["cancel_attempt"]


async def test_what_was_claimed_before_the_child_dialed_goes_on() -> None:
    """Recovery waits for nobody; the outcome comes when it comes."""
    known = conversation()
    held = known.claims.hold(ID, Context("r"))
    known.drop_unclaimed()
    link = dialed(ID)
    known.begin(link)
    known.received(link, pb.FromPlugin(outcome=pb.Outcome(id=ID, output=b"1")))
    assert (await held.answer).output == b"1"
    assert await told(link) == []


async def test_an_outcome_that_is_not_durable_yet_is_not_given_up() -> None:
    """The connection may be lost between an outcome and the append that holds it."""
    known = conversation()
    known.drop_unclaimed()
    first, second, third = dialed(), dialed(ID), dialed(ID)
    known.begin(first)
    held = known.claims.hold(ID, Context("r"))
    known.received(first, pb.FromPlugin(outcome=pb.Outcome(id=ID, output=b"1")))
    known.claims.let_go(held)
    known.begin(second)
    assert await told(second) == []
    known.claims.recorded(ID)
    known.begin(third)
    assert await told(third) == ["cancel_attempt"]


async def test_work_keeps_a_process_from_resting_and_pings_do_not() -> None:
    """A question that takes long is work; whether the loop answers is none."""
    known = conversation()
    link = dialed()
    known.begin(link)
    asked = [asyncio.ensure_future(link.ask(pb.FromHost(ping=pb.Ping())))]
    await asyncio.sleep(0)
    assert not known.busy
    asked.append(asyncio.ensure_future(link.ask(pb.FromHost(provision=pb.Provision(component="a.b")))))
    await asyncio.sleep(0)
    assert known.busy
    link.close()
    await asyncio.gather(*asked, return_exceptions=True)
    assert not known.busy


async def test_progress_that_is_far_too_large_is_not_read() -> None:
    """It breaks the protocol: reading it would hold up the daemon."""
    known = conversation()
    link = dialed()
    known.begin(link)
    known.claims.hold(ID, Context("r"))
    with pytest.raises(HostdError, match="PAYLOAD_TOO_LARGE"):
        known.received(link, pb.FromPlugin(heartbeat=pb.Heartbeat(id=ID, progress=b'"' + b"x" * (1 << 20) + b'"')))


async def test_an_answer_that_is_too_large_is_a_fault() -> None:
    """Whoever asked is told, and the connection goes on."""

    class Large:
        async def get(self, digest: str) -> bytes:
            return bytes(FRAME_BYTES_MAX)

    known = Conversation("p", frozenset({"blobs"}), SystemClock(), lambda: None)
    link = dialed()
    known.begin(link)
    known.claims.hold(ID, SimpleNamespace(blobs=Large()))
    asked = pb.HostCall(attempt=ID, method="blobs.get", arguments=b'{"digest": "0"}')
    known.received(link, pb.FromPlugin(call=7, host_call=asked))
    frame = await link.next_frame()
    assert frame is not None
    assert (frame.call, frame.host_answer.fault.reason) == (7, "PAYLOAD_TOO_LARGE")
    assert not link.closed.is_set()
