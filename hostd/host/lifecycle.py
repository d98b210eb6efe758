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

from hostd.aio import spawn
from hostd.errors.base import HostdError
from hostd.plugin import ProvisionContext
from hostd.plugin.component import Component
from hostd.plugin.guard import PLUGIN_ERRORS, plugin_traceback
from hostd.plugin.life import close, provision, provision_failure

_log = logging.getLogger("hostd.host.lifecycle")


class Shared:
    """The life of a component that all attempts share. Look at `ready`; when it is False, await `prepare()`."""

    __slots__ = ("_context", "_task", "component", "ready")

    def __init__(self, component: Component, context: ProvisionContext) -> None:
        self.component = component
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
            self._task = spawn(self._provision(), name=f"provision {self.component.id}")
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
