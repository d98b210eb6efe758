"""Events in the turn that takes them: what they lead to, dedup keys, dead letters and the cursor in one append."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from hostd.errors.base import HostdError
from hostd.journal.port import AuditRow, DeadLetter, Dedup, EventRow, TriggerRow
from hostd.plugin import EmitOutcome, Emitted, Event
from hostd.plugin.clocks import slot_of
from hostd.runtime.ring.audit import audit_row
from hostd.runtime.ring.intake import Intake
from hostd.runtime.ring.seen import Seen
from hostd.runtime.ring.starts import Prepared
from hostd.runtime.ring.turn import Answer, Turn
from hostd.runtime.runs.deliveries import Deliveries, Delivery
from hostd.runtime.triggers.overlap import Overlaps
from hostd.runtime.triggers.partition_cursors import with_cursor
from hostd.runtime.triggers.trigger_source import Source

FIRED = (EmitOutcome.STARTED, EmitOutcome.SIGNALED)


class Way(NamedTuple):
    """How events come. `slot`: under a mark; `filling`: in a backfill; `letter`: number of the dead letter it was.

    `partition`: whose cursor moves, empty where the trigger has none. `by`: the principal that asked, for the audit.
    """

    slot: bool = False
    filling: bool = False
    mark: datetime | None = None
    letter: int = 0
    by: str = ""
    partition: str = ""


class Match:
    """What one event leads to, before the turn."""

    __slots__ = ("body", "delivery", "error", "event", "outcome", "start")

    def __init__(self, event: Event, body: bytes) -> None:
        self.event = event
        self.body = body
        self.outcome = EmitOutcome.NO_MATCH
        self.start: Prepared | None = None
        self.delivery: Delivery | None = None  # instead of `start`
        self.error: HostdError | None = None


class EmitItem:
    """Matched events on the doors' lane; answers with one Emitted each, in order, None to look at keys again."""

    patient = True

    def __init__(
        self,
        intake: Intake,
        source: Source,
        matches: list[Match],
        cursor: Any,
        *,
        seen_ids: dict[str, tuple[str, ...]],
        seen: Seen,
        way: Way,
        overlaps: Overlaps,
        deliveries: Deliveries,
    ) -> None:
        self._deliveries = deliveries
        self.size = max(1, len(matches))
        self.size_bytes = sum(len(match.body) for match in matches)
        self.future: asyncio.Future[list[Emitted] | None] = asyncio.get_running_loop().create_future()
        self._intake = intake
        self._source = source
        self._matches = matches
        self._cursor = cursor
        self._seen_ids = seen_ids
        self._seen = seen
        self._way = way
        self._overlaps = overlaps

    def enter(self, turn: Turn) -> None:
        """Write everything the events lead to into one turn."""
        if self._way.slot and not self._is_later():
            turn.answers.append(
                Answer(self.future, [Emitted(match.event.id, EmitOutcome.DUPLICATE) for match in self._matches])
            )
            return
        if self._has_to_wait() or any(self._is_stale(match) for match in self._matches):
            turn.answers.append(Answer(self.future, None))
            return
        emitted = [self._one(turn, match) for match in self._matches]
        self._move_cursor(turn, sum(entry.outcome in FIRED for entry in emitted))
        if self._way.by:
            turn.batch.audit.append(self._audit_row(emitted))
        turn.answers.append(Answer(self.future, emitted))

    def _audit_row(self, emitted: list[Emitted]) -> AuditRow:
        """Return who emitted by hand, once for all events of a backfill's turn."""
        source, letter = self._source, self._way.letter
        verb, resource = ("dead_letter.redrive", str(letter)) if letter else ("trigger.fire", source.scope_name)
        outcomes = Counter(entry.outcome.value for entry in emitted)
        told = {"event_id": emitted[0].event_id if emitted else "", "backfill": "true" if self._way.filling else ""}
        told |= {"outcomes": " ".join(f"{outcome}={count}" for outcome, count in outcomes.items())}
        return audit_row(source.namespace, self._way.by, verb, resource, told)

    def _is_stale(self, match: Match) -> bool:
        """Say whether something has become of the event's key since it was looked at."""
        if match.delivery is not None:
            return self._deliveries.must_look_again(match.delivery, self._seen)
        return match.start is not None and self._intake.is_stale(match.start, self._seen)

    def _has_to_wait(self) -> bool:
        """Say whether a run has begun that a queued event waits for, since it was looked at."""
        return any(
            match.start is not None
            and match.event.overlap == "queue"
            and self._overlaps.in_the_way(self._source.place, match.event)
            for match in self._matches
        )

    def _is_later(self) -> bool:
        """Say whether the slot lies behind the last durable one. Both are RFC 3339 in UTC."""
        before = self._source.mark_of(self._way.partition)
        now = slot_of(self._cursor)
        return before is None or now is None or now > before

    def _one(self, turn: Turn, match: Match) -> Emitted:
        source = self._source
        event_id = match.event.id
        known = self._known(match.event)
        if known is not None:
            return Emitted(event_id, EmitOutcome.DUPLICATE, known)
        run_ids: tuple[str, ...] = ()
        if match.start is not None:
            run_ids = self._overlaps.in_the_way(source.place, match.event)
        if run_ids:
            match.outcome = EmitOutcome.SKIPPED
        elif match.error is None:
            try:
                run_ids = self._act(turn, match)
            except HostdError as error:
                match.error = error
                match.outcome = EmitOutcome.DEAD_LETTERED
        self._write(turn, match, run_ids)
        return Emitted(event_id, match.outcome, run_ids)

    def _act(self, turn: Turn, match: Match) -> tuple[str, ...]:
        """Start or signal the run that an event leads to; return it. Raises HostdError: it leads nowhere."""
        if match.delivery is not None:
            run = self._deliveries.deliver_in(turn, match.delivery, self._seen)
            outcome = EmitOutcome.SIGNALED
        elif match.start is not None:
            run = self._intake.start_in(turn, match.start, self._seen)
            outcome = EmitOutcome.STARTED
        else:
            run = None
        if run is None:
            return ()
        if not run.existing:
            self._overlaps.started(turn, self._source.place, run)
        match.outcome = outcome
        return (run.run_id,)

    def _known(self, event: Event) -> tuple[str, ...] | None:
        """Return the runs of an event that was here before, None for a new one. A slot may have been filled in."""
        if self._way.letter:
            return None
        known = self._seen_ids.get(event.id)
        if known is None:
            known = self._intake.recent_events.get((self._source.namespace, self._source.scope_name, event.id))
        if known is None and self._way.filling and self._source.mark != self._way.mark:
            passed = self._way.mark is None or event.time > self._way.mark
            known = () if passed and self._source.mark is not None and event.time <= self._source.mark else None
        return known

    def _write(self, turn: Turn, match: Match, run_ids: tuple[str, ...]) -> None:
        source = self._source
        if self._way.letter:
            if match.outcome not in FIRED:
                return  # the letter stays as it is
            turn.batch.dead_letters_met.append(self._way.letter)
        workflow, trigger = source.row.workflow, source.row.name
        batch = turn.batch
        batch.events.append(
            EventRow(source.namespace, workflow, trigger, match.event.id, match.body, match.outcome.value, run_ids)
        )
        if not self._way.slot:
            batch.dedup.append(Dedup(source.namespace, source.scope_name, match.event.id, run_ids))
            self._intake.recent_events.remember(turn, (source.namespace, source.scope_name, match.event.id), run_ids)
        if match.error is not None:
            batch.dead_letters.append(
                DeadLetter(
                    source.namespace,
                    workflow,
                    trigger,
                    match.event.id,
                    match.body,
                    match.error.reason,
                    match.error.message,
                )
            )

    def _move_cursor(self, turn: Turn, fired: int) -> None:
        if self._cursor is None and not fired:
            return
        cursor, partition, at_ms = self._cursor, self._way.partition, turn.batch.at_ms

        def move(row: TriggerRow) -> TriggerRow:
            return msgspec.structs.replace(
                row,
                cursor=row.cursor if cursor is None else with_cursor(row.cursor, partition, cursor),
                fired=row.fired + fired,
                last_fired_at_ms=at_ms if fired else row.last_fired_at_ms,
            )

        self._source.kept.change(turn, move)
