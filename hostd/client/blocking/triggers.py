# Written by clients/python/blocking_twin.py from hostd/client/aio; never edited.
"""Triggers: of workflows, and of their own (those have no workflow)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from hostd.client.blocking.connection import BlockingConnection
from hostd.client.blocking.watch import BlockingWatch
from hostd.client.conversion import result_of
from hostd.client.results import AppliedTrigger, Backfilled, Fired, Slot, TriedEvent, Trigger, TriggerChange
from hostd.client.starts import document_of, new_request_id, payload_of
from hostd.client.typed_errors import bad_argument
from hostd.v1 import trigger_service_pb2 as pb


class TriggerCalls(BlockingConnection):
    """What is done with triggers. One of its own is named without a workflow."""

    def list_triggers(self, workflow: str = "") -> Iterator[Trigger]:
        """Yield triggers by workflow and name: of one workflow, or all, those of their own too."""
        request = pb.ListTriggersRequest(namespace=self.namespace, workflow=workflow)
        for page in self._pages(self.triggers.ListTriggers, request):
            for each in page.triggers:
                yield result_of(Trigger, each)

    def get_trigger(self, name: str, *, workflow: str = "") -> Trigger:
        """Return a trigger with its cursor. Raises TRIGGER_MISSING."""
        request = pb.GetTriggerRequest(namespace=self.namespace, workflow=workflow, name=name)
        return self._result(Trigger, self.triggers.GetTrigger, request)

    def pause_trigger(self, name: str, *, workflow: str = "", reason: str = "", request_id: str = "") -> Trigger:
        """Stop a trigger until it is resumed; its cursor stays."""
        request = pb.PauseTriggerRequest(
            **self._which(name, workflow), reason=reason, request_id=request_id or new_request_id()
        )
        return self._result(Trigger, self.triggers.PauseTrigger, request)

    def resume_trigger(self, name: str, *, workflow: str = "", request_id: str = "") -> Trigger:
        """Let a paused, ended or failed trigger run again."""
        request = pb.ResumeTriggerRequest(**self._which(name, workflow), request_id=request_id or new_request_id())
        return self._result(Trigger, self.triggers.ResumeTrigger, request)

    def fire(self, name: str, data: Any = None, *, workflow: str = "", event_id: str = "") -> Fired:
        """Emit one event by hand, as the trigger would.

        Args:
            data: of the event; None is null, or `{"slot": now}` for a trigger that goes by the clock.
            event_id: the same again is a DUPLICATE; made when it is not given.
        """
        payload = None if data is None else payload_of(data)
        request = pb.FireTriggerRequest(
            **self._which(name, workflow), data=payload, event_id=event_id or new_request_id()
        )
        return self._result(Fired, self.triggers.FireTrigger, request)

    def try_event(
        self,
        name: str,
        data: Any = None,
        *,
        workflow: str = "",
        document: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        event_id: str = "",
    ) -> TriedEvent:
        """Return what an event would do; nothing is started or written.

        Args:
            data: of the event, as for `fire`.
            document: look into this one instead of what is configured: of a workflow, or of a trigger of its own.
            event_id: else one that was never seen.
        """
        request = pb.TestTriggerRequest(
            **self._which(name, workflow),
            document="" if document is None else document_of(document)[0],
            data=None if data is None else payload_of(data),
            event_id=event_id,
        )
        return self._result(TriedEvent, self.triggers.TestTrigger, request)

    def apply_trigger(
        self, document: str | os.PathLike[str] | Mapping[str, Any], *, replace: bool = True, request_id: str = ""
    ) -> AppliedTrigger:
        """Make a trigger of its own from a document: text, the Path of a file, or the document itself.

        Args:
            replace: one of that name, whose cursor, counts and pause stay; else another document is TRIGGER_EXISTS.
        """
        text, file = document_of(document)
        request = pb.CreateTriggerRequest(
            namespace=self.namespace,
            document=text,
            file=file,
            replace=replace,
            request_id=request_id or new_request_id(),
        )
        return self._result(AppliedTrigger, self.triggers.CreateTrigger, request)

    def delete_trigger(self, name: str, *, request_id: str = "") -> None:
        """Delete a trigger of its own. Those of a workflow go with its version."""
        request = pb.DeleteTriggerRequest(
            namespace=self.namespace, name=name, request_id=request_id or new_request_id()
        )
        self._ask(self.triggers.DeleteTrigger, request)

    def preview(
        self, name: str, *, workflow: str = "", after: datetime | None = None, count: int = 10
    ) -> tuple[Slot, ...]:
        """Return the next times, at most 1000, at which a trigger that goes by the clock fires."""
        request = pb.PreviewScheduleRequest(**self._which(name, workflow), count=count)
        if after is not None:
            request.after.FromDatetime(_aware(after))
        answer = self._ask(self.triggers.PreviewSchedule, request)
        return tuple(result_of(Slot, each) for each in answer.slots)

    def backfill(
        self,
        name: str,
        start: datetime,
        end: datetime,
        *,
        workflow: str = "",
        dry_run: bool = False,
        per_second: int = 0,
        fire_unknown: bool = False,
        request_id: str = "",
    ) -> Backfilled:
        """Fire the slots of a window that did not fire; who asks again goes on where it was cut off.

        Args:
            start, end: aware times; the window ends before `end`, which is not after now.
            dry_run: only say what would be done.
            per_second: at most so many; 0 means 100.
            fire_unknown: also slots so old that it is not known any more whether they fired.
        """
        request = pb.BackfillTriggerRequest(
            **self._which(name, workflow),
            dry_run=dry_run,
            per_second=per_second,
            fire_unknown=fire_unknown,
            request_id=request_id or new_request_id(),
        )
        request.from_time.FromDatetime(_aware(start))
        request.to_time.FromDatetime(_aware(end))
        return self._result(Backfilled, self.triggers.BackfillTrigger, request)

    def watch_triggers(
        self, workflow: str = "", *, resume_token: str = "", on_expired: Callable[[], None] | None = None
    ) -> BlockingWatch[TriggerChange]:
        """Yield changes of triggers: first what is there (ADDED), then what happens, without end; see `watch_runs`."""
        request = pb.WatchTriggersRequest(namespace=self.namespace, workflow=workflow, resume_token=resume_token)
        return self._watched(self.triggers.WatchTriggers, request, _changes, on_expired=on_expired)

    def _which(self, name: str, workflow: str) -> dict[str, Any]:
        return {"namespace": self.namespace, "workflow": workflow, "name": name}


def _changes(message: pb.WatchTriggersResponse) -> Iterator[TriggerChange]:
    return (result_of(TriggerChange, change) for change in message.changes)


def _aware(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise bad_argument(f"the time {time} has no time zone: say datetime(..., tzinfo=UTC)")
    return time
