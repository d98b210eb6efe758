"""One configured trigger, of an active version or of its own, as it lives in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from hostd.errors.base import HostdError
from hostd.host.routes import PathTakenError
from hostd.runtime.triggers.trigger_source import Source

_OVER = ("ENDED", "FAILED")
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
        self._state = "STARTING"
        self._leaving = False  # it is being stopped, whatever state it shows
        self.told: Callable[[Name], None] = lambda name: None  # that it is different
        self.decided: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.message = ""
        self.restarts = 0
        self.task: asyncio.Task[None] | None = None
        self.started_s = 0.0
        self.parts: dict[str, Part] = {}  # by partition, where the trigger has partitions
        self.taken: PathTakenError | None = None  # the refusal of a path, where it failed for that
        self.entry: object = None  # the plugin it last ran with, None where none was loaded
        self.comes_back = False  # it was stopped to begin anew, and its path is answered again in a moment
        self.awaits_plugin = False  # it does not run: a plugin that is starting may bring what it uses

    @property
    def state(self) -> str:
        """Where its life is; see trigger_life.py."""
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        self._state = state
        if state != "STARTING":
            self.comes_back = False
            self.decide()
        self.told(self.name)

    def start(self) -> None:
        """It begins: whoever waits for `decided` from here on waits for what becomes of this beginning."""
        self.decide()
        self.decided = asyncio.get_running_loop().create_future()
        self._leaving = False
        self.state = "STARTING"

    def leave(self) -> None:
        """It is being stopped; what it held of paths is its own until its state, or its absence, says otherwise."""
        self._leaving = True

    @property
    def keeps_paths(self) -> bool:
        """Say whether paths that it does not answer now may still be its own: it begins, or comes back."""
        coming = self._state in ("STARTING", "BACKING_OFF") or self.comes_back
        return coming or (self._leaving and self._state == "ACTIVE")

    def decide(self) -> None:
        """Let nobody wait any longer: it has begun, could not begin, or is stopped."""
        if not self.decided.done():
            self.decided.set_result(None)

    def note_begun(self) -> None:
        """It listens now."""
        if self.state == "STARTING":
            self.state, self.message = "ACTIVE", ""

    @property
    def name(self) -> Name:
        """Return namespace, workflow and trigger name."""
        row = self.source.row
        return (row.namespace, row.workflow, row.name)

    def reads(self, namespace: str, secret: str) -> bool:
        """Say whether it goes by a secret, or failed because that was missing. One that is paused or ended does not."""
        there = self.source.namespace == namespace and self.state not in ("PAUSED", "ENDED")
        return there and secret in self.source.secrets

    @property
    def partition(self) -> str:
        """It is no partition."""
        return ""

    @property
    def has_stopped_parts(self) -> bool:
        """Say whether partitions have ended or failed; only beginning anew runs them again."""
        return any(part.state in _OVER for part in self.parts.values())

    def note_parts(self) -> None:
        """Take state and message from its partitions: what is worst, by the first that has it."""
        for state in ("BACKING_OFF", "FAILED"):
            part = next((part for part in self.parts.values() if part.state == state), None)
            if part is not None:
                self.state, self.message = state, f"{part.partition}: {part.message}"
                return
        if self.state == "STARTING" and any(part.state == "STARTING" for part in self.parts.values()):
            return  # once all had begun, one that comes later does not make it STARTING again
        over = bool(self.parts) and all(part.state == "ENDED" for part in self.parts.values())
        self.state, self.message = "ENDED" if over else "ACTIVE", ""

    def require_target(self) -> None:
        """Raise HostdError WORKFLOW_MISSING, VERSION_MISSING or WORKFLOW_INACTIVE where it has nothing to start."""
        if self.missing is not None:
            raise self.missing


class Part:
    """One partition of a configured trigger. Its state is part of the trigger's."""

    def __init__(self, live: Live, partition: str) -> None:
        self.live = live
        self.partition = partition
        self.message = ""
        self.started_s = 0.0
        self.taken: PathTakenError | None = None
        self.task: asyncio.Task[None] | None = None
        self._state = "STARTING"
        self._restarts = 0

    @property
    def source(self) -> Source:
        """What emission knows of the trigger."""
        return self.live.source

    @property
    def state(self) -> str:
        """As a trigger's."""
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        self._state = state
        self.live.note_parts()

    @property
    def name(self) -> Name:
        """Return the trigger's name."""
        return self.live.name

    def start(self) -> None:
        """It begins again."""
        self.state = "STARTING"

    def note_begun(self) -> None:
        """It listens now."""
        if self._state == "STARTING":
            self.message = ""
            self.state = "ACTIVE"

    @property
    def restarts(self) -> int:
        """How often this partition was started anew."""
        return self._restarts

    @restarts.setter
    def restarts(self, restarts: int) -> None:
        self.live.restarts += restarts - self._restarts
        self._restarts = restarts


LivePart: TypeAlias = Live | Part
