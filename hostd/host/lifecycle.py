"""A component's life (`hostd.plugin.life`) inside the daemon."""

from __future__ import annotations

from hostd.aio import spawn
from hostd.plugin import ProvisionContext, life
from hostd.plugin.component import Component


class Shared(life.Shared):
    """The life of a component that all attempts share; its tasks are the daemon's."""

    __slots__ = ()

    def __init__(self, component: Component, context: ProvisionContext) -> None:
        super().__init__(component, context, spawn)
