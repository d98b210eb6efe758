"""Triggers: what an event would do, when they fire, filling in what did not fire, and watching them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from hostd.api.caller import CALLER
from hostd.api.convert.catalogue import trigger_message
from hostd.api.convert.checks import (
    check_component,
    check_count,
    check_document,
    check_event_id,
    check_name,
    check_namespace,
    check_optional_workflow,
    check_text,
    fault,
)
from hostd.api.convert.digests import repeat_of
from hostd.api.convert.payloads import read_payload
from hostd.api.convert.times import micros_of, moment_of
from hostd.api.convert.triggers import backfill_message, schedule_message, trial_message
from hostd.api.ports import Schedules, Trials, Triggers
from hostd.api.tokens import Tokens, scope_of
from hostd.api.watch_seats import WatchSeats
from hostd.errors.base import invalid
from hostd.model.requests import TrialEvent
from hostd.v1 import trigger_service_pb2 as wire
from hostd.values.json_text import JsonValue

ATTRIBUTE_BYTES_MAX = 1_000
PREVIEW, PREVIEW_MAX = 10, 1_000
PER_SECOND, PER_SECOND_MAX = 100, 10_000


class TriggerAsking:
    """The part of TriggerService that looks ahead, back, and on."""

    _triggers: Triggers
    _trials: Trials
    _schedules: Schedules
    _tokens: Tokens
    _seats: WatchSeats

    async def TestTrigger(self, request: wire.TestTriggerRequest, context: Any) -> wire.TestTriggerResponse:
        """Return what an event would do."""
        namespace, workflow = check_namespace(request.namespace), check_optional_workflow(request.workflow)
        document = check_document(request.document) if request.document else b""
        name = check_name(request.name) if request.name or not document else ""
        said, data = read_payload(request.data, "data", nothing=b"")
        _, extensions = read_payload(request.extensions, "extensions", nothing=b"{}")
        if not isinstance(extensions, dict):
            raise fault("extensions", "a JSON object is taken")
        given = TrialEvent(
            data=data,
            has_data=bool(said),
            event_id=check_event_id(request.event_id),
            type=check_text(request.type, "type", max_bytes=ATTRIBUTE_BYTES_MAX),
            source=check_text(request.source, "source", max_bytes=ATTRIBUTE_BYTES_MAX),
            subject=check_text(request.subject, "subject", max_bytes=ATTRIBUTE_BYTES_MAX),
            time_ms=micros_of(request.time, "time") // 1000 if request.HasField("time") else 0,
            extensions=extensions,
        )
        return trial_message(await self._trials.test((namespace, workflow, name), document, given))

    async def PreviewSchedule(self, request: wire.PreviewScheduleRequest, context: Any) -> wire.PreviewScheduleResponse:
        """Return the next slots of a trigger."""
        namespace, workflow = check_namespace(request.namespace), check_optional_workflow(request.workflow)
        count = check_count(request.count, "count", usual=PREVIEW, most=PREVIEW_MAX)
        after_us = micros_of(request.after, "after") if request.HasField("after") else None
        if not request.uses:
            name = (namespace, workflow, check_name(request.name))
            return schedule_message(await self._schedules.preview(name, after_us=after_us, count=count))
        if request.workflow or request.name:
            raise fault("uses", "name a configured trigger, or `uses` with `options`, not both")
        _, options = read_payload(request.options, "options", nothing=b"{}")
        if not isinstance(options, dict):
            raise fault("options", "a JSON object is taken")
        uses = check_component(request.uses, "uses")
        view = await self._schedules.preview_options(uses, options, after_us=after_us, count=count)
        return schedule_message(view)

    async def BackfillTrigger(self, request: wire.BackfillTriggerRequest, context: Any) -> wire.BackfillTriggerResponse:
        """Fire the slots of a window."""
        namespace, workflow = check_namespace(request.namespace), check_optional_workflow(request.workflow)
        from_us, to_us = _required(request, "from_time"), _required(request, "to_time")
        named: dict[str, JsonValue] = {
            "workflow": workflow,
            "name": request.name,
            "window": [from_us, to_us],
            "fire_unknown": request.fire_unknown,
        }
        view = await self._schedules.backfill(
            (namespace, workflow, check_name(request.name)),
            from_us=from_us,
            to_us=to_us,
            dry_run=request.dry_run,
            per_second=check_count(request.per_second, "per_second", usual=PER_SECOND, most=PER_SECOND_MAX),
            fire_unknown=request.fire_unknown,
            principal=CALLER.get().principal,
            repeat=repeat_of(request.request_id, named),
        )
        return backfill_message(view)

    async def WatchTriggers(
        self, request: wire.WatchTriggersRequest, context: Any
    ) -> AsyncIterator[wire.WatchTriggersResponse]:
        """Stream changes of triggers."""
        namespace, workflow = check_namespace(request.namespace), check_optional_workflow(request.workflow)
        scope = scope_of("WatchTriggers", namespace, workflow)
        after = self._tokens.read_watch(request.resume_token, scope) if request.resume_token else ""
        if not isinstance(after, str):
            raise invalid("RESUME_TOKEN_INVALID", "the resume token belongs to another watch; start without one")
        with self._seats.take("triggers"):
            async with aclosing(self._triggers.watch(namespace, workflow, after=after)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    yield wire.WatchTriggersResponse(
                        changes=[
                            wire.TriggerChange(
                                kind=f"CHANGE_KIND_{change.kind}",
                                trigger=trigger_message(change.trigger),
                            )
                            for change in batch.changes
                        ],
                        resume_token=self._tokens.watch(scope, batch.position) if batch.position else "",
                        snapshot_end=batch.snapshot_end,
                    )


def _required(request: Any, path: str) -> int:
    moment: Timestamp | None = moment_of(request, path)
    if moment is None:
        raise fault(path, "say when")
    return micros_of(moment, path)
