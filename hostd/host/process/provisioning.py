"""Getting a process's actions ready, each once a connection."""

from __future__ import annotations

import asyncio

from hostd.aio import spawn
from hostd.errors.base import HostdError
from hostd.host.process.link import Link, LinkLostError, fault_error, unavailable
from hostd.plugin.v1 import host_pb2 as pb


class Provisioning:
    """Which actions are ready. `settings` are the operator's, JSON by component."""

    def __init__(self) -> None:
        self.settings: dict[str, bytes] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def ready(self, component: str) -> bool:
        """Say whether an action can begin at once."""
        task = self._tasks.get(component)
        return task is not None and task.done() and not task.cancelled() and task.exception() is None

    async def prepare(self, link: Link, component: str) -> None:
        """Have an action provisioned, however many ask at once; after a failure the next call tries again.

        Raises:
            HostdError: PLUGIN_UNAVAILABLE, or why it failed.
        """
        task = self._tasks.get(component)
        if task is None:
            task = self._tasks[component] = spawn(self._provision(link, component), name=f"provision {component}")
        try:
            await asyncio.shield(task)
        except LinkLostError:
            raise unavailable(f"the plugin's process went away while {component} was provisioned") from None
        except HostdError:
            self._tasks.pop(component, None)
            raise

    async def _provision(self, link: Link, component: str) -> None:
        wanted = pb.Provision(component=component, settings=self.settings.get(component, b""))
        answered = await link.ask(pb.FromHost(provision=wanted))
        if answered.done.HasField("fault"):
            raise fault_error(answered.done.fault)

    def forget(self) -> None:
        """The connection is gone: everything is provisioned anew."""
        self._tasks.clear()
