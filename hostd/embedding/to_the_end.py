"""What must not be cut off half way: a host that is half open, or half closed, keeps the folder from everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hostd.aio import spawn


async def to_the_end(work: Coroutine[Any, Any, None], *, name: str) -> None:
    """Await work; a cancellation is passed on once it has ended. Raises what it raises."""
    failed: list[BaseException] = []

    async def kept() -> None:
        try:
            await work
        except BaseException as error:  # noqa: BLE001 handed over to who awaits it
            failed.append(error)

    task = spawn(kept(), name=name)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
    if failed:
        raise failed[0]
