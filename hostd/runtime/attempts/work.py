"""What an attempt does: its options and its context, as the coroutine of the executor that runs it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from hostd.errors.base import HostdError, Kind
from hostd.model.secrets import has_secret
from hostd.runtime.attempts.action_threads import ActionThreads
from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.attempts.literal_options import LiteralOptions
from hostd.runtime.attempts.ports import Contexts, Scripts
from hostd.runtime.attempts.secret_values import SecretReader, resolve, secret_values
from hostd.runtime.ports import ActionEntry

STUCK_MAX = 3  # calls of one action that never returned from their thread; then it is not called any more


class AttemptWork:
    """Makes the coroutine of an attempt. `abandoned`: those that were answered for while their call goes on."""

    def __init__(self, *, contexts: Contexts, scripts: Scripts, read_secret: SecretReader, threads_max: int) -> None:
        self.threads = ActionThreads(threads_max)
        self.abandoned: set[Attempt] = set()
        self._contexts = contexts
        self._scripts = scripts
        self._read_secret = read_secret
        self._literals = LiteralOptions()

    def stuck(self) -> Counter[str]:
        """Return how many calls of each action have outlived their attempt and hold a thread."""
        return Counter(attempt.action for attempt in self.abandoned if attempt.executor == "thread")

    def of(self, attempt: Attempt, entry: ActionEntry, rendered: Any) -> Coroutine[Any, Any, Any]:
        """Return what runs the action with its rendered `with`. Raises HostdError OPTION_INVALID."""
        if not entry.filled:
            return self._import_and_run(attempt, entry, rendered)
        if not entry.life.ready or (attempt.plan.secret_names and has_secret(rendered)):
            return self._prepare_and_run(attempt, entry, rendered)
        return self._run(attempt, entry, self._literals.parse(attempt, entry, rendered))

    def again(self, attempt: Attempt, entry: ActionEntry) -> Coroutine[Any, Any, Any]:
        """Return what waits for an attempt that a plugin's process holds since a daemon before this one."""
        attempt.context = self._contexts.action(attempt)
        work: Coroutine[Any, Any, Any] = entry.instance.again(attempt.context)
        return work

    async def _import_and_run(self, attempt: Attempt, entry: ActionEntry, rendered: Any) -> Any:
        """Import the action's plugin first, off the loop: the daemon starts, and has not come to it yet."""
        await asyncio.to_thread(entry.look)
        attempt.effects = entry.effects
        return await self._prepare_and_run(attempt, entry, rendered)

    async def _prepare_and_run(self, attempt: Attempt, entry: ActionEntry, rendered: Any) -> Any:
        """Provision on first use, and turn names of secrets into values at the last moment."""
        if not entry.life.ready:
            await entry.life.prepare()
        values = await secret_values(self._read_secret, attempt.namespace, rendered)
        attempt.hidden = tuple(values.values())
        return await self._run(attempt, entry, entry.parse(resolve(rendered, values)))

    def _run(self, attempt: Attempt, entry: ActionEntry, options: Any) -> Coroutine[Any, Any, Any]:
        context = attempt.context = self._contexts.action(attempt)
        executor = attempt.executor
        if executor == "lua":
            return self._scripts.run_step(attempt, options)
        if executor == "thread":
            return self._in_thread(attempt, entry, options)
        work: Coroutine[Any, Any, Any] = entry.instance.run(context, options)
        return work

    async def _in_thread(self, attempt: Attempt, entry: ActionEntry, options: Any) -> Any:
        if self.abandoned and self.stuck()[attempt.action] >= STUCK_MAX:
            message = f"{STUCK_MAX} calls of {attempt.action} never returned from their threads; restart the daemon"
            raise HostdError(Kind.STATE, "PLUGIN_FAILED", message)
        if entry.own_loop:
            attempt.own_loop = True
            return await entry.instance.run(attempt.context, options)
        return await self.threads.run(entry.instance.run, attempt.context, options)
