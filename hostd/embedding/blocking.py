"""A host for code without an event loop: every call of Host, without `await`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from hostd.embedding.blocking_runs import BlockingRunCalls
from hostd.embedding.documents import Written
from hostd.embedding.functions import Brought
from hostd.embedding.host_calls import HostCalls
from hostd.embedding.own_thread import Stream
from hostd.embedding.workflow_calls import Registered
from hostd.model.topics import PublishedView, TopicEvent
from hostd.model.views import (
    DeadLetterView,
    FiredView,
    RedrivenView,
    SecretSetView,
    SecretView,
    TriggerView,
    VersionView,
    WorkflowView,
)

BroughtT = TypeVar("BroughtT", bound=Brought)


class BlockingHost(BlockingRunCalls):
    """`with Host.blocking(path) as host`. Its calls are those of Host, which say more, and raise the same.

    `call` runs a coroutine of yours on the host's loop: `host.call(lambda host: my_own(host))`.
    """

    @property
    def address(self) -> str:
        """Where gRPC is served, empty where no port is."""
        return self.call(_address)[0]

    @property
    def http_address(self) -> str:
        """Where HTTP is served, empty where it is not."""
        return self.call(_address)[1]

    def use(self, brought: BroughtT) -> BroughtT:
        """Bring an action or trigger."""
        if self._loop is None:
            return self._host.use(brought)

        async def use(host: HostCalls) -> BroughtT:
            return host.use(brought)

        return self.call(use)

    # -- workflows

    def register(self, document: Written, *, activate: bool = True, request_id: str = "") -> Registered:
        """Register a workflow."""
        return self.call(lambda host: host.register(document, activate=activate, request_id=request_id))

    def workflows(self) -> Sequence[WorkflowView]:
        """Return the workflows, by name."""
        return self.call(lambda host: host.workflows())

    def versions(self, workflow: str) -> Sequence[VersionView]:
        """Return the versions of a workflow, the newest first."""
        return self.call(lambda host: host.versions(workflow))

    def activate(
        self, workflow: str, version: str, *, expected: str | None = None, request_id: str = ""
    ) -> WorkflowView:
        """Have starts and triggers use a version."""
        return self.call(lambda host: host.activate(workflow, version, expected=expected, request_id=request_id))

    def delete_workflow(self, workflow: str, version: str = "", *, request_id: str = "") -> None:
        """Delete a version, without one the workflow with all of them."""
        self.call(lambda host: host.delete_workflow(workflow, version, request_id=request_id))

    # -- events and triggers

    def publish(self, topic: str, data: Any = None, **more: Any) -> PublishedView:
        """Publish an event."""
        return self.call(lambda host: host.publish(topic, data, **more))

    def subscribe(
        self,
        topics: str | Sequence[str],
        filter: str = "",  # noqa: A002
        *,
        after: int | None = None,
    ) -> Iterator[TopicEvent]:
        """Yield events of topics, without end."""
        return Stream(self, lambda host: host.subscribe(topics, filter, after=after))

    def triggers(self, workflow: str = "") -> Sequence[TriggerView]:
        """Return triggers by workflow and name."""
        return self.call(lambda host: host.triggers(workflow))

    def apply_trigger(self, document: Written, *, replace: bool = True, request_id: str = "") -> TriggerView:
        """Make a trigger of its own, or replace it."""
        return self.call(lambda host: host.apply_trigger(document, replace=replace, request_id=request_id))

    def delete_trigger(self, name: str, *, request_id: str = "") -> None:
        """Delete a trigger of its own."""
        self.call(lambda host: host.delete_trigger(name, request_id=request_id))

    def pause_trigger(self, workflow: str, trigger: str, reason: str = "", *, request_id: str = "") -> TriggerView:
        """Stop a trigger until it is resumed."""
        return self.call(lambda host: host.pause_trigger(workflow, trigger, reason, request_id=request_id))

    def resume_trigger(self, workflow: str, trigger: str, *, request_id: str = "") -> TriggerView:
        """Let a trigger run again."""
        return self.call(lambda host: host.resume_trigger(workflow, trigger, request_id=request_id))

    def fire(self, workflow: str, trigger: str, data: Any = None, *, event_id: str = "") -> FiredView:
        """Emit one event by hand, as if the trigger had."""
        return self.call(lambda host: host.fire(workflow, trigger, data, event_id=event_id))

    # -- dead letters and secrets

    def dead_letters(self, filter: str = "", *, limit: int = 100) -> Sequence[DeadLetterView]:  # noqa: A002
        """Return dead letters, the oldest first."""
        return self.call(lambda host: host.dead_letters(filter, limit=limit))

    def redrive_dead_letters(
        self,
        numbers: Sequence[int] = (),
        *,
        filter: str = "",  # noqa: A002
        request_id: str = "",
    ) -> Sequence[RedrivenView]:
        """Emit events again through their triggers as they are now."""
        return self.call(lambda host: host.redrive_dead_letters(numbers, filter=filter, request_id=request_id))

    def purge_dead_letters(
        self,
        numbers: Sequence[int] = (),
        *,
        filter: str = "",  # noqa: A002
        request_id: str = "",
    ) -> int:
        """Delete dead letters; return how many."""
        return self.call(lambda host: host.purge_dead_letters(numbers, filter=filter, request_id=request_id))

    def secrets(self) -> Sequence[SecretView]:
        """Return secrets by name, without their values."""
        return self.call(lambda host: host.secrets())

    def set_secret(self, name: str, value: str | bytes, *, request_id: str = "") -> SecretSetView:
        """Set a secret in the folder's store."""
        return self.call(lambda host: host.set_secret(name, value, request_id=request_id))

    def delete_secret(self, name: str, *, request_id: str = "") -> None:
        """Delete a secret from the folder's store."""
        self.call(lambda host: host.delete_secret(name, request_id=request_id))


async def _address(host: HostCalls) -> tuple[str, str]:
    return host.address, host.http_address
