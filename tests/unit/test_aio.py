"""Tasks whose asker goes away: how they end is told once, without a traceback where it is only a refusal."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

import pytest

from hostd.aio import to_its_end, waited_to_its_end
from hostd.errors.base import HostdError, invalid


@pytest.mark.parametrize("ending", [to_its_end, waited_to_its_end])
@pytest.mark.parametrize("error", [invalid("NAME_INVALID", "no such name"), RuntimeError("a mistake")])
async def test_what_nobody_hears_is_told_to_the_log(ending: Any, error: Exception, caplog: Any) -> None:
    """A refusal in a line, a mistake with its traceback; asyncio finds nothing that nobody looked at."""
    gc.collect()  # what other tests left behind is told before
    caplog.clear()
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await may_end.wait()
        raise error

    caplog.set_level(logging.INFO)
    asker = asyncio.ensure_future(ending(work(), name="work"))
    await begun.wait()
    asker.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await asker
    for _ in range(5):
        await asyncio.sleep(0)
    gc.collect()
    told = [(record.name, record.getMessage().split()[0], bool(record.exc_info)) for record in caplog.records]
    refused = isinstance(error, HostdError)
    assert told == [("hostd.aio", "refused_unheard" if refused else "task_failed", not refused)]
