"""TriggerService: from the wire to the port and back."""

from __future__ import annotations

from typing import Any

from hostd.api.caller import CALLER
from hostd.api.convert.catalogue import trigger_message
from hostd.api.convert.checks import (
    check_document,
    check_event_id,
    check_file,
    check_name,
    check_namespace,
    check_optional_workflow,
    check_why,
)
from hostd.api.convert.digests import repeat_of
from hostd.api.convert.payloads import read_payload
from hostd.api.paging import Page
from hostd.api.patience import spare_s
from hostd.api.ports import Schedules, Trials, Triggers
from hostd.api.tokens import Position, Tokens, scope_of
from hostd.api.trigger_asking import TriggerAsking
from hostd.api.watch_seats import WatchSeats
from hostd.v1 import trigger_service_pb2 as wire
from hostd.v1.trigger_service_pb2_grpc import TriggerServiceServicer


class TriggerService(TriggerAsking, TriggerServiceServicer):
    """Triggers of active workflow versions, and triggers of their own."""

    def __init__(
        self, triggers: Triggers, trials: Trials, schedules: Schedules, *, tokens: Tokens, seats: WatchSeats
    ) -> None:
        self._triggers = triggers
        self._trials = trials
        self._schedules = schedules
        self._tokens = tokens
        self._seats = seats

    async def CreateTrigger(self, request: wire.CreateTriggerRequest, context: Any) -> wire.CreateTriggerResponse:
        """Make a trigger of its own, or replace it."""
        view, changed = await self._triggers.create(
            check_namespace(request.namespace),
            check_document(request.document),
            file=check_file(request.file),
            replace=request.replace,
            principal=CALLER.get().principal,
            repeat=repeat_of(request.request_id, {"document": request.document, "replace": request.replace}),
            within_s=spare_s(context),
        )
        trigger = trigger_message(view)
        trigger.ClearField("warnings")
        return wire.CreateTriggerResponse(trigger=trigger, changed=changed, warnings=view.warnings)

    async def DeleteTrigger(self, request: wire.DeleteTriggerRequest, context: Any) -> wire.DeleteTriggerResponse:
        """Delete a trigger of its own."""
        name = check_name(request.name)
        await self._triggers.delete(
            check_namespace(request.namespace),
            name,
            principal=CALLER.get().principal,
            repeat=repeat_of(request.request_id, {"name": name}),
        )
        return wire.DeleteTriggerResponse()

    async def ListTriggers(self, request: wire.ListTriggersRequest, context: Any) -> wire.ListTriggersResponse:
        """Return a page of triggers by workflow and name."""
        namespace, workflow = check_namespace(request.namespace), check_optional_workflow(request.workflow)
        scope = scope_of("ListTriggers", namespace, workflow)
        page = Page(self._tokens, scope, size=request.page_size, token=request.page_token)
        after = page.after(["", ""])
        views = await self._triggers.list(namespace, workflow, after=(after[0], after[1]), limit=page.limit)
        positions: list[Position] = [[view.workflow, view.name] for view in views]
        kept, token = page.cut([trigger_message(view) for view in views], positions)
        return wire.ListTriggersResponse(triggers=kept, next_page_token=token)

    async def GetTrigger(self, request: wire.GetTriggerRequest, context: Any) -> wire.Trigger:
        """Return a trigger."""
        namespace, workflow = check_namespace(request.namespace), check_optional_workflow(request.workflow)
        return trigger_message(await self._triggers.get(namespace, workflow, check_name(request.name)))

    async def PauseTrigger(self, request: wire.PauseTriggerRequest, context: Any) -> wire.Trigger:
        """Stop a trigger until it is resumed."""
        workflow, name = check_optional_workflow(request.workflow), check_name(request.name)
        reason = check_why(request.reason)
        view = await self._triggers.pause(
            check_namespace(request.namespace),
            workflow,
            name,
            reason=reason,
            principal=CALLER.get().principal,
            repeat=repeat_of(request.request_id, {"workflow": workflow, "name": name, "reason": reason}),
        )
        return trigger_message(view)

    async def ResumeTrigger(self, request: wire.ResumeTriggerRequest, context: Any) -> wire.Trigger:
        """Let a trigger run again."""
        workflow, name = check_optional_workflow(request.workflow), check_name(request.name)
        view = await self._triggers.resume(
            check_namespace(request.namespace),
            workflow,
            name,
            principal=CALLER.get().principal,
            repeat=repeat_of(request.request_id, {"workflow": workflow, "name": name}),
            within_s=spare_s(context),
        )
        return trigger_message(view)

    async def FireTrigger(self, request: wire.FireTriggerRequest, context: Any) -> wire.FireTriggerResponse:
        """Emit one event by hand."""
        data, _ = read_payload(request.data, "data", nothing=b"")
        fired = await self._triggers.fire(
            check_namespace(request.namespace),
            check_optional_workflow(request.workflow),
            check_name(request.name),
            data=data,
            event_id=check_event_id(request.event_id),
            principal=CALLER.get().principal,
        )
        return wire.FireTriggerResponse(event_id=fired.event_id, outcome=fired.outcome, run_ids=fired.run_ids)
