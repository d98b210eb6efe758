"""One run of a configured trigger, from construction to close, and what its end means."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hostd.errors.base import HostdError, Kind
from hostd.host.contexts import ProvisionScope, TriggerScope
from hostd.host.guard import PLUGIN_ERRORS, TriggerVerdict, verdict_of
from hostd.host.registry import TriggerEntry
from hostd.plugin.life import alive

PARTITIONS_MAX, PARTITION_CHARS_MAX = 1_000, 200


async def run_once(
    entry: TriggerEntry, options: Any, *, context: TriggerScope, provision: ProvisionScope
) -> TriggerVerdict:
    """Construct, provision, run and close a trigger; return what its end means. The caller restarts it, or not.

    Cancelling this stops the trigger: it is closed, its routes are taken back, and CancelledError passes on.

    Args:
        options: parsed by `entry.parse`.
        context: for this run only; a restart needs a new one with the cursor it left (`context.cursor`).
    """
    try:
        trigger = entry.create(options)
        async with alive(trigger, provision):
            if not trigger.tells_begun:
                asyncio.get_running_loop().call_soon(context.begun)  # when `run` waits for the first time
            await trigger.run(context)
    except PLUGIN_ERRORS as error:  # the fence
        return verdict_of(error)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return verdict_of(RuntimeError(f"the trigger cancelled itself: {error!r}"))
    finally:
        context.close()
    return verdict_of(None)


async def partitions_of(
    entry: TriggerEntry, options: Any, *, context: TriggerScope, provision: ProvisionScope
) -> list[str]:
    """Return the partitions a trigger has now, each once, in its order.

    Raises:
        what its `partitions` raises, for `verdict_of`; HostdError PLUGIN_FAILED where they are no keys.
    """
    try:
        trigger = entry.create(options)
        async with alive(trigger, provision):
            listed: Sequence[Any] = await trigger.partitions(context)
            keys = list(dict.fromkeys(listed))
    finally:
        context.close()
    if len(keys) > PARTITIONS_MAX:
        message = f"{entry.id} lists {len(keys)} partitions; at most {PARTITIONS_MAX} are run"
        raise HostdError(Kind.INVALID, "PLUGIN_FAILED", message)
    for key in keys:
        if not isinstance(key, str) or not 0 < len(key) <= PARTITION_CHARS_MAX:
            message = f"{entry.id} lists {key!r:.80}; a partition is a text of 1 to {PARTITION_CHARS_MAX} characters"
            raise HostdError(Kind.INVALID, "PLUGIN_FAILED", message)
    return keys
