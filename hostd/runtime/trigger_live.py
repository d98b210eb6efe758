"""One configured trigger, of an active version or of its own, as it lives in this process."""

from __future__ import annotations

import asyncio

from hostd.errors.base import HostdError
from hostd.runtime.emit import Source

Name = tuple[str, str, str]  # namespace, workflow (empty: of its own), trigger


class Live:
    """One configured trigger.

    Args:
        digest: of what it was made from; another one means that it begins anew.
        target: what a trigger of its own starts, as its document says it.
        missing: why there is nothing to start, for one of its own; it does not run then.
    """

    def __init__(
        self, source: Source, *, digest: bytes = b"", target: str = "", missing: HostdError | None = None
    ) -> None:
        self.source = source
        self.digest = digest
        self.target = target
        self.missing = missing
        self.state = "STARTING"
        self.message = ""
        self.restarts = 0
        self.task: asyncio.Task[None] | None = None
        self.started_s = 0.0
        self.entry: object = None  # the plugin it last ran with, None where none was loaded

    @property
    def name(self) -> Name:
        """Return namespace, workflow and trigger name."""
        row = self.source.row
        return (row.namespace, row.workflow, row.name)

    def require_target(self) -> None:
        """Raise HostdError WORKFLOW_MISSING, VERSION_MISSING or WORKFLOW_INACTIVE where it has nothing to start."""
        if self.missing is not None:
            raise self.missing
