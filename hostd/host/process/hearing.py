"""Waiting for what plugins say they serve."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from hostd.aio import spawn
from hostd.host.process.plugin_process import PluginProcess

FIRST_WORD_S = 10.0
FIRST_WORDS_S = 60.0


async def hear(processes: Iterable[PluginProcess]) -> None:
    """Return when it is known of each what it serves, or that it cannot.

    At most a minute, and only while any of them says something within ten seconds, or waits for its turn.
    """
    left = {spawn(process.first_word(), name=f"first word of {process.plugin}"): process for process in processes}
    loop = asyncio.get_running_loop()
    until_s = loop.time() + FIRST_WORDS_S
    try:
        while left and loop.time() < until_s:
            done, _ = await asyncio.wait(left, timeout=FIRST_WORD_S, return_when=asyncio.FIRST_COMPLETED)
            if not done and not any(process.queued for process in left.values()):
                return
            for task in done:
                del left[task]
    finally:
        for task in left:
            task.cancel()
