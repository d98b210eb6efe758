"""One configured trigger of an active version, as it lives in this process."""

from __future__ import annotations

import asyncio

from hostd.runtime.emit import Source

Name = tuple[str, str, str]  # namespace, workflow, trigger


class Live:
    """One configured trigger of an active version."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.state = "STARTING"
        self.message = ""
        self.restarts = 0
        self.task: asyncio.Task[None] | None = None
        self.started_s = 0.0
        self.entry: object = None  # the plugin it last ran with, None where none was loaded

    @property
    def name(self) -> Name:
        """Return namespace, workflow and trigger name."""
        return (self.source.namespace, self.source.ready.plan.workflow, self.source.plan.name)
