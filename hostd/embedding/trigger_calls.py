"""Triggers of a host: those of workflows and those of their own; looking at them, pausing them, firing by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hostd.api.convert.checks import check_event_id, check_name, check_why, check_workflow
from hostd.api.convert.digests import repeat_of
from hostd.embedding.calls import Calls
from hostd.embedding.documents import Written, text_of_document
from hostd.embedding.sending import payload
from hostd.model.views import FiredView, TriggerView

TRIGGERS_MAX = 1_000


class TriggerCalls(Calls):
    """The part of a host for triggers. One of its own has the empty text for its workflow."""

    async def triggers(self, workflow: str = "") -> Sequence[TriggerView]:
        """Return triggers, those of one workflow or all, by workflow and name, the first 1,000."""
        return await self._front.triggers.list(self.namespace, workflow, after=("", ""), limit=TRIGGERS_MAX)

    async def apply_trigger(self, document: Written, *, replace: bool = True, request_id: str = "") -> TriggerView:
        """Make a trigger of its own (`trigger: name`, `target: order@active`), or replace it.

        Args:
            replace: False refuses where one of that name is there.

        Raises:
            HostdError: DOCUMENT_INVALID with every mistake; WORKFLOW_MISSING, VERSION_MISSING, TRIGGER_EXISTS.
        """
        text, file = await asyncio.to_thread(text_of_document, document)
        repeat = repeat_of(request_id, {"document": text.decode("utf-8", "replace"), "replace": replace})
        view, _ = await self._front.triggers.create(
            self.namespace, text, file=file, replace=replace, principal=self.principal, repeat=repeat
        )
        return view

    async def delete_trigger(self, name: str, *, request_id: str = "") -> None:
        """Delete a trigger of its own. Raises HostdError TRIGGER_MISSING."""
        repeat = repeat_of(request_id, {"name": name})
        await self._front.triggers.delete(
            self.namespace, check_name(name, "trigger"), principal=self.principal, repeat=repeat
        )

    async def pause_trigger(
        self, workflow: str, trigger: str, reason: str = "", *, request_id: str = ""
    ) -> TriggerView:
        """Stop a trigger until it is resumed. Raises HostdError TRIGGER_MISSING."""
        place, why = self._place(workflow, trigger), check_why(reason)
        repeat = repeat_of(request_id, {"workflow": workflow, "name": trigger, "reason": why})
        return await self._front.triggers.pause(*place, reason=why, principal=self.principal, repeat=repeat)

    async def resume_trigger(self, workflow: str, trigger: str, *, request_id: str = "") -> TriggerView:
        """Let a paused, ended or failed trigger run again. Raises HostdError TRIGGER_MISSING."""
        place = self._place(workflow, trigger)
        repeat = repeat_of(request_id, {"workflow": workflow, "name": trigger})
        return await self._front.triggers.resume(*place, principal=self.principal, repeat=repeat)

    async def fire(self, workflow: str, trigger: str, data: Any = None, *, event_id: str = "") -> FiredView:
        """Emit one event by hand, as if the trigger had; return its `outcome` and `run_ids`.

        Args:
            data: of the event; None is null, or `{"slot": now}` for a trigger that goes by the clock.
            event_id: the same again is a DUPLICATE, and starts nothing.

        Raises:
            HostdError: TRIGGER_MISSING, PAYLOAD_*, ARGUMENT_INVALID.
        """
        return await self._front.triggers.fire(
            *self._place(workflow, trigger),
            data=b"" if data is None else payload(data, "data")[0],
            event_id=check_event_id(event_id),
            principal=self.principal,
        )

    def _place(self, workflow: str, trigger: str) -> tuple[str, str, str]:
        return self.namespace, check_workflow(workflow) if workflow else "", check_name(trigger, "trigger")
