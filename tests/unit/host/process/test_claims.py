"""Who waits for which attempt, and what a process may ask before that is known."""

import asyncio

import pytest
from plugin_processes import Context

from hostd.aio import SystemClock
from hostd.host.lost import AttemptLostError
from hostd.host.process.alone import Suspects
from hostd.host.process.claims import Claims
from hostd.plugin.v1 import host_pb2 as pb

ID = pb.AttemptId(run_id="r", step="s", attempt=1)
KEY = ("r", "s", 1)


def claims() -> Claims:
    """Return the claims of a process that holds nothing."""
    return Claims({}, Suspects(SystemClock()))


async def test_an_outcome_may_come_before_it_is_asked_for() -> None:
    """A child sends what it kept the moment it is connected; recovery asks a little later."""
    known = claims()
    known.said([ID])
    assert known.came(pb.Outcome(id=ID, output=b"1"))
    held = known.hold(ID, Context("r"))
    assert (await held.answer).output == b"1"


async def test_an_attempt_is_not_refused_while_recovery_may_claim_it() -> None:
    """What it asks of the host waits until it is claimed, or nobody will."""
    known = claims()
    known.said([ID])
    claimed, dropped = asyncio.create_task(known.settled(KEY)), asyncio.create_task(known.settled(KEY))
    await asyncio.sleep(0)
    assert not claimed.done()
    known.hold(ID, Context("r"))
    await claimed
    await dropped

    known.said([pb.AttemptId(run_id="x", step="s", attempt=1)])
    waiting = asyncio.create_task(known.settled(("x", "s", 1)))
    await asyncio.sleep(0)
    assert [one.run_id for one in known.unclaimed()] == ["x"]
    await waiting


async def test_what_a_child_that_dials_again_does_not_hold_is_lost() -> None:
    """The host does not wait for ever for what the process forgot."""
    known = claims()
    held = known.hold(ID, Context("r"))
    known.said([])
    with pytest.raises(AttemptLostError):
        await held.answer
