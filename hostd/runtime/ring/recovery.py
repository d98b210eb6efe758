"""After a start: what became of attempts that ran when the last daemon ended. The same path as normal life.

Every lost attempt is decided about first, in as few appends as possible, while nothing may start; then suspects go one
after another, then the others in order. Runs that only wait are not even loaded: their timers are rows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from hostd.aio import spawn
from hostd.errors.base import HostdError
from hostd.journal.port import Journal, RunRow
from hostd.model.states import RunState
from hostd.runtime.ports import Actions
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.held import HeldRuns
from hostd.runtime.ring.lost_attempts import Lost, look_at_steps
from hostd.runtime.ring.readers import Readers

_log = logging.getLogger("hostd.runtime")

PAGE = 1_000
PATIENCE_S = 10.0  # a start waits this long for the journal to take what was lost; the slots stay held until it did
RETRY_S = 1.0
MOVING = (RunState.PENDING, RunState.RUNNING, RunState.PAUSED, RunState.CANCELING, RunState.COMPENSATING)


async def recover(
    *, loop: EngineLoop, journal: Journal, readers: Readers, actions: Callable[[], Actions], held: HeldRuns
) -> int:
    """Load the runs that moved and tell them what was lost; return how many attempts were.

    Runs that were held are tried again: hostd may have been upgraded, or the journal mended.
    """
    loop.slots.hold()
    lost: list[Lost] = []
    after = 0
    while True:
        rows = await readers.call(lambda after=after: journal.live_runs(after=after, limit=PAGE, states=MOVING))
        await _load(loop, rows, actions, lost)
        if len(rows) < PAGE:
            break
        after = rows[-1].run
    await held.try_all(lost)
    deciding = spawn(_decide(loop, lost), name="recovery")
    await asyncio.wait([deciding], timeout=PATIENCE_S)
    if not deciding.done():
        why = "the journal does not take them; nothing starts until then"
        _log.error("recovery_waits lost_attempts=%d message=%s", len(lost), why)
    return len(lost)


async def _load(loop: EngineLoop, rows: list[RunRow], actions: Callable[[], Actions], lost: list[Lost]) -> None:
    """Take runs into memory; collect what they lost, and let READY steps ask again. Plugins may come meanwhile."""
    rows = [row for row in rows if loop.residence.get(row.run) is None]
    for row, loaded in zip(rows, await loop.residence.load_rows(rows), strict=True):
        if isinstance(loaded, HostdError):
            loop.holding.hold(row.run, loaded)
            continue
        loop.loaded(loaded)
        await loop.ends.effects.before_adoption(loaded)
        look_at_steps(loop, loaded, actions(), lost)


async def _decide(loop: EngineLoop, lost: list[Lost]) -> None:
    """Have every loss decided and durable, then let things start."""
    left = lost
    while left:
        told = [(entry, loop.ask(*entry, "")) for entry in left]
        await asyncio.wait([future for _, future in told])
        left = [entry for entry, future in told if _may_come_again(future)]
        if left:
            await loop.clock.sleep(RETRY_S)
    loop.slots.release()
    if lost:
        _log.info("attempts_lost count=%d", len(lost))


def _may_come_again(future: asyncio.Future[bool]) -> bool:
    """Say whether a loss was not decided for want of a journal that writes; a run that is gone or held is done with."""
    error = future.exception()
    return isinstance(error, HostdError) and error.reason.startswith("JOURNAL_")
