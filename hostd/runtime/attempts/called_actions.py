"""Actions that scripts call: as a step, a call waits for a plugin that is starting; but it holds a worker then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hostd.lua.ports import ScriptCallError
from hostd.runtime.ports import ActionEntry, Actions, Arrivals


class CalledActions:
    """Of one script.

    Args:
        wait_s: how long one call waits; scripts that wait for a plugin that hangs would take every worker.
    """

    def __init__(self, actions: Callable[[], Actions], arrivals: Arrivals, *, wait_s: float) -> None:
        self._actions = actions
        self._arrivals = arrivals
        self._wait_s = wait_s

    async def entry(self, action: str) -> ActionEntry:
        """Return an action, once its plugin has started where it is starting.

        Raises:
            ScriptCallError: ACTION_UNKNOWN; PLUGIN_UNAVAILABLE, retryable, where it did not come in time.
        """
        in_time = self._actions().action(action) is not None or await self._wait(action)
        found = self._actions().action(action)
        if found is not None:
            if not found.filled:
                await asyncio.to_thread(found.look)
            return found
        why = self._arrivals.absence(action)
        if in_time:
            more = why or "`hostd plugin list` shows what is loaded"
            raise ScriptCallError(f"no loaded plugin provides the action {action}; {more}", code="ACTION_UNKNOWN")
        message = (
            f"the action {action} did not come within {self._wait_s:g} s, which is as long as a script's call waits "
            f"(its limit `wall_ms`): {why}; give the step a `retry`"
        )
        raise ScriptCallError(message, code="PLUGIN_UNAVAILABLE", retryable=True)

    async def _wait(self, action: str) -> bool:
        """Wait while the action may come; say whether that was in time."""
        try:
            async with asyncio.timeout(self._wait_s):
                await self._arrivals.settled([action])
        except TimeoutError:
            return False
        return True
