"""Components of a plugin that runs in a thread, as the daemon's loop calls them."""

from __future__ import annotations

import asyncio
from typing import Any

from hostd.errors.base import HostdError, Kind
from hostd.host.registry import ActionEntry, TriggerEntry
from hostd.host.threads.plugin_loop import HomeLoop, PluginLoop
from hostd.host.threads.scopes import AttemptThere, TriggerThere
from hostd.plugin import ProvisionContext, Trigger
from hostd.plugin.component import Component

CLOSE_S = 2.0
PATIENCE_S = 1.0
STOP_TRIGGER_S = 8.0


class _There(Component):
    """A component's life on its plugin's loop."""

    def __init__(self, component: Any, loop: PluginLoop) -> None:
        self.id = component.id  # type: ignore[misc]
        self._component = component
        self._loop = loop

    async def provision(self, ctx: ProvisionContext) -> None:
        """Provision there."""
        await self._loop.call(lambda: self._component.provision(ctx), patience_s=PATIENCE_S)

    def validate(self) -> None:
        """Check what was provisioned; it takes no time, so it may be done here."""
        self._component.validate()

    async def close(self) -> None:
        """Close there."""
        async with asyncio.timeout(CLOSE_S):  # a loop that is blocked closes nothing, and shall not hold up the stop
            await self._loop.call(self._component.close, patience_s=0.0)


class ThreadAction(_There):
    """An action with an `async def run`."""

    async def run(self, ctx: Any, options: Any) -> Any:
        """Do one attempt there."""
        scope = AttemptThere(ctx, HomeLoop(asyncio.get_running_loop()))

        async def work() -> Any:
            try:
                return await self._component.run(scope, options)
            except asyncio.CancelledError:
                scope.cancel.set()
                raise

        try:
            return await self._loop.call(work)
        except SystemExit as error:  # it would end the daemon's loop, as it would have ended the thread
            raise HostdError(Kind.UNAVAILABLE, "ACTION_RAISED", f"SystemExit: {error}"[:2_000]) from error


class ThreadCall(_There):
    """An action with a plain `def run`: attempts run in the daemon's pool of threads."""

    def run(self, ctx: Any, options: Any) -> Any:
        """Do one attempt, in whatever thread this is."""
        return self._component.run(ctx, options)


class ThreadTrigger(_There):
    """A configured trigger."""

    tells_begun = True

    async def run(self, ctx: Any) -> None:
        """Run there until it ends."""
        scope = TriggerThere(ctx, HomeLoop(asyncio.get_running_loop()), self._loop)

        async def work() -> None:
            if not self._component.tells_begun:
                asyncio.get_running_loop().call_soon(scope.begun)  # when `run` waits for the first time
            await self._component.run(scope)

        await self._loop.call(work, patience_s=STOP_TRIGGER_S)

    async def partitions(self, ctx: Any) -> Any:
        """List the partitions there."""
        scope = TriggerThere(ctx, HomeLoop(asyncio.get_running_loop()), self._loop)
        return await self._loop.call(lambda: self._component.partitions(scope))

    def schedule(self) -> Any:
        """Return what the trigger goes by."""
        return self._component.schedule()


class ThreadActionEntry(ActionEntry):
    """An action whose attempts run in a thread: on its plugin's loop, or as a plain `def` in the pool."""

    __slots__ = ()

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.executors = ("thread",)

    @property
    def own_loop(self) -> bool:
        """Whether attempts run on the plugin's own loop."""
        return isinstance(self.life.component, ThreadAction)


class ThreadTriggerEntry(TriggerEntry):
    """A trigger plugin whose triggers run on its plugin's loop."""

    __slots__ = ("loop",)

    def __init__(self, *args: Any, loop: PluginLoop, **named: Any) -> None:
        super().__init__(*args, **named)
        self.loop = loop

    def create(self, options: Any) -> Trigger[Any]:
        """Return an instance for parsed options, not provisioned yet."""
        return ThreadTrigger(super().create(options), self.loop)  # type: ignore[return-value]
