"""A component's life: construct -> options parsed -> provision -> validate -> use -> close.

    new ──prepare──▶ provisioning ──ok──▶ ready ──close──▶ closed
     ▲                    │                                  ▲
     └──── closed ◀──failed (close is called, too)           │
            again on the next prepare ───────────────────────┘

`close` is called exactly once for every `provision` that began, whole or half.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

from hostd.errors.base import HostdError, Kind
from hostd.plugin.component import Component
from hostd.plugin.context import ProvisionContext
from hostd.plugin.guard import PLUGIN_ERRORS, plugin_traceback

PROVISION_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 10.0
ComponentT = TypeVar("ComponentT", bound=Component)
T = TypeVar("T")
_log = logging.getLogger("hostd.plugin.life")


async def provision(component: Component, context: ProvisionContext) -> None:
    """Provision and validate; a component that fails is closed.

    Raises:
        HostdError: PLUGIN_FAILED (UNAVAILABLE: the next try may succeed), or what the component raised of hostd's own.
            Steering exceptions of triggers pass as they are.
    """
    try:
        async with asyncio.timeout(PROVISION_TIMEOUT_S):
            await component.provision(context)
        component.validate()
    except BaseException:
        await close(component)
        raise


async def close(component: Component) -> None:
    """Close a component; what goes wrong is logged, for nobody can do anything about it."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await component.close()
    except PLUGIN_ERRORS as error:  # the fence: closing must reach every component
        _log.warning("close_failed component=%s\n%s", getattr(component, "id", "?"), plugin_traceback(error))


def provision_failure(component_id: str, error: BaseException) -> HostdError:
    """Return the error for a component that could not be provisioned."""
    if isinstance(error, HostdError):
        return error
    if isinstance(error, TimeoutError):
        text = f"provision took longer than {PROVISION_TIMEOUT_S:g} s"
    elif isinstance(error, ImportError):
        text = f"{error}: install what the plugin's README names"
    else:
        text = f"{type(error).__name__}: {error}"
    return HostdError(Kind.UNAVAILABLE, "PLUGIN_FAILED", f"{component_id} could not be provisioned: {text}"[:2_000])


@asynccontextmanager
async def alive(component: ComponentT, context: ProvisionContext) -> AsyncIterator[ComponentT]:
    """Provision a component of one's own (a trigger), hand it out, and close it whatever happens.

    Exceptions of provision pass as they are: `guard.verdict_of` reads them.
    """
    await provision(component, context)
    try:
        yield component
    finally:
        await close(component)


class Spawn(Protocol):
    """Starts a task that somebody holds."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], /, *, name: str) -> asyncio.Task[T]: ...


class Shared:
    """The life of a component that all attempts share. Look at `ready`; when it is False, await `prepare()`."""

    __slots__ = ("_context", "_spawn", "_task", "component", "ready")

    def __init__(self, component: Component, context: ProvisionContext, spawn: Spawn) -> None:
        self.component = component
        self._spawn = spawn
        self._context = context
        self._task: asyncio.Task[HostdError | None] | None = None
        self.ready = False

    def prepare_at_once(self) -> None:
        """Make a component ready that provisions nothing. Raises what its `validate` raises."""
        if type(self.component).provision is Component.provision:
            self.component.validate()
            self.ready = True

    async def prepare(self) -> None:
        """Provision once, however many ask at the same time; after a failure the next call tries again.

        A caller that is cancelled leaves the others waiting undisturbed.

        Raises:
            HostdError: as `provision_failure`.
        """
        if self.ready:
            return
        if self._task is None:
            self._task = self._spawn(self._provision(), name=f"provision {self.component.id}")
        failure = await asyncio.shield(self._task)
        if failure is not None:
            raise failure

    async def _provision(self) -> HostdError | None:
        try:
            await provision(self.component, self._context)
            self.ready = True
        except PLUGIN_ERRORS as error:  # the fence
            _log.warning("provision_failed component=%s\n%s", self.component.id, plugin_traceback(error))
            return provision_failure(self.component.id, error)
        finally:
            self._task = None
        return None

    async def close(self) -> None:
        """Close the component if it was provisioned; may be called twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self.ready:
            self.ready = False
            await close(self.component)
