"""Trials, schedules, backfills and dead letters: views to messages."""

from __future__ import annotations

from hostd.api.convert.catalogue import violation_message
from hostd.api.convert.payloads import json_payload
from hostd.api.convert.runs import time_of
from hostd.api.convert.times import moment
from hostd.model.views import BackfillView, DeadLetterView, RedrivenView, ScheduleView, TrialView
from hostd.v1.dead_letter_service_pb2 import DeadLetter, Redriven
from hostd.v1.payload_pb2 import Failure
from hostd.v1.trigger_service_pb2 import (
    BackfillTriggerResponse,
    PreviewScheduleResponse,
    Slot,
    TestTriggerResponse,
)


def trial_message(view: TrialView) -> TestTriggerResponse:
    """Return what an event would do."""
    message = TestTriggerResponse(
        outcome=view.outcome,
        workflow=view.workflow,
        version=view.version,
        event=json_payload(view.event) if view.outcome else None,
        input=json_payload(view.input) if view.input is not None else None,
        key=view.key,
        signal=view.signal,
        signal_data=json_payload(view.signal_data) if view.signal_data is not None else None,
        run_ids=view.run_ids,
        violations=[violation_message(violation) for violation in view.violations],
    )
    if view.matches is not None:
        message.matches = view.matches
    return message


def schedule_message(view: ScheduleView) -> PreviewScheduleResponse:
    """Return the next slots of a schedule."""
    slots = [Slot(time=moment(slot.at_us), local_time=slot.local) for slot in view.slots]
    return PreviewScheduleResponse(slots=slots, timezone=view.timezone, more=view.more)


def backfill_message(view: BackfillView) -> BackfillTriggerResponse:
    """Return what a backfill did."""
    counts = view.outcomes
    return BackfillTriggerResponse(
        slots=view.slots,
        started=counts.get("STARTED", 0),
        duplicates=counts.get("DUPLICATE", 0),
        skipped=counts.get("SKIPPED", 0),
        not_matched=counts.get("NO_MATCH", 0),
        signaled=counts.get("SIGNALED", 0),
        dead_lettered=counts.get("DEAD_LETTERED", 0),
        unknown=view.unknown,
    )


def letter_message(view: DeadLetterView, *, whole: bool) -> DeadLetter:
    """Return a dead letter; `whole`: with its event."""
    return DeadLetter(
        namespace=view.namespace,
        number=view.number,
        create_time=time_of(view.at_ms),
        workflow=view.workflow,
        trigger=view.trigger,
        event_id=view.event_id,
        reason=view.reason,
        message=view.message,
        event=json_payload(view.event) if whole else None,
    )


def redriven_message(view: RedrivenView) -> Redriven:
    """Return what became of a dead letter."""
    return Redriven(
        number=view.number,
        event_id=view.event_id,
        outcome=view.outcome,
        run_ids=view.run_ids,
        failure=Failure(reason=view.reason, message=view.message) if view.reason else None,
    )
