"""From events to runs: events, dedup keys, cursor and the runs they start go into one append."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

import msgspec

from hostd.aio import Clock
from hostd.definition.plan import TriggerPlan
from hostd.engine.steps import truth
from hostd.errors.base import HostdError, invalid
from hostd.journal.port import AuditRow, DeadLetter, Dedup, EventRow, Journal, TriggerRow
from hostd.model.payload import EVENT_BYTES_MAX
from hostd.plugin import EmitOutcome, Emitted, Event
from hostd.plugin.clocks import slot_of
from hostd.runtime.audit import audit_row
from hostd.runtime.deliveries import Deliveries, Delivery, delivery_of
from hostd.runtime.engine_loop import EngineLoop
from hostd.runtime.event_scope import EventScope, input_of, key_of, signal_of
from hostd.runtime.intake import NOTHING_SEEN, Asking, Intake, Seen
from hostd.runtime.overlap import Overlaps
from hostd.runtime.partition_cursors import cursor_of, with_cursor
from hostd.runtime.readers import Readers
from hostd.runtime.redaction import redact_bytes
from hostd.runtime.repeats import Note
from hostd.runtime.starts import Prepared, StartMaker, event_request_id
from hostd.runtime.turn import Answer, Turn
from hostd.runtime.workflows import Ready
from hostd.values.json_text import JsonValue, dump_json, parse_json

ROOM_POLL_S = 0.01
EVENTS_MAX = 1_000
TELL_EVERY_MS = 60_000
_FIRED = (EmitOutcome.STARTED, EmitOutcome.SIGNALED)
_log = logging.getLogger("hostd.runtime")


class Source:
    """A configured trigger as emission knows it. `row` is what the journal last said of it."""

    __slots__ = (
        "hidden",
        "namespace",
        "place",
        "plan",
        "ready",
        "row",
        "run_trigger",
        "scope_name",
        "since_ms",
        "told_at_ms",
    )

    def __init__(self, namespace: str, ready: Ready, plan: TriggerPlan, row: TriggerRow) -> None:
        self.namespace = namespace
        self.ready = ready
        self.plan = plan
        self.row = row
        self.scope_name = f"{row.workflow}/{row.name}"
        self.run_trigger = row.name if row.workflow else self.scope_name  # as its runs are told
        self.place = (namespace, ready.plan.workflow, self.run_trigger)
        self.hidden: tuple[str, ...] = ()  # values of secrets the trigger was given
        self.since_ms = 0  # when its version was activated
        self.told_at_ms = -TELL_EVERY_MS  # when the log last told of an event that could not be used

    @property
    def mark(self) -> datetime | None:
        """The high-water mark of slots; None before the first, and where the cursor is something else."""
        return self.mark_of("")

    def mark_of(self, partition: str) -> datetime | None:
        """Return the high-water mark of a partition's slots, of the trigger's where it has none."""
        return slot_of(cursor_of(self.row.cursor, partition))

    def hide(self, *values: str) -> None:
        """Keep these values out of events, messages and the log."""
        self.hidden = tuple(dict.fromkeys((*self.hidden, *values)))


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


class _Match:
    """What one event leads to, before the turn."""

    __slots__ = ("body", "delivery", "error", "event", "outcome", "start")

    def __init__(self, event: Event, body: bytes) -> None:
        self.event = event
        self.body = body
        self.outcome = EmitOutcome.NO_MATCH
        self.start: Prepared | None = None
        self.delivery: Delivery | None = None  # instead of `start`
        self.error: HostdError | None = None


class Emission:
    """Takes events of triggers in."""

    def __init__(
        self,
        *,
        loop: EngineLoop,
        intake: Intake,
        starts: StartMaker,
        journal: Journal,
        readers: Readers,
        clock: Clock,
        overlaps: Overlaps,
        deliveries: Deliveries,
    ) -> None:
        self._loop = loop
        self._intake = intake
        self._deliveries = deliveries
        self._starts = starts
        self._journal = journal
        self._readers = readers
        self._clock = clock
        self._overlaps = overlaps
        self.outcomes: Counter[str] = Counter()  # events that were taken, by what became of them

    async def emit(
        self,
        source: Source,
        events: Sequence[Event],
        cursor: Any,
        *,
        slot: bool = False,
        principal: str = "",
        partition: str = "",
    ) -> list[Emitted]:
        """Start what the events lead to; returns once all is durable. Waits while intake is full.

        Args:
            cursor: the trigger's new cursor (a JSON value), None leaves the last.
            slot: the cursor is a high-water mark of slots: no dedup keys are kept, a slot not after it is a duplicate.
            partition: whose cursor it is, where the trigger has partitions.
        """
        way = Way(slot=slot, by=principal, partition=partition)
        return await self._emit(source, events, cursor, way, principal)

    async def fill(
        self, source: Source, events: Sequence[Event], *, mark: datetime | None, principal: str
    ) -> list[Emitted]:
        """Emit slots of a backfill, under dedup keys.

        Args:
            mark: the trigger's high-water mark when it was looked up which slots had fired; what it passed since is a
                duplicate.
        """
        return await self._emit(source, events, None, Way(filling=True, mark=mark, by=principal), principal)

    async def redrive(
        self, source: Source, letter: int, event: Event, *, principal: str
    ) -> tuple[Emitted, HostdError | None]:
        """Emit the event of a dead letter again; the letter goes in the append that holds its run or signal.

        Returns:
            What became of it, and why it stays dead.
        """
        match = self._match(source, event, principal)
        [emitted] = await self._enter(source, [match], None, {}, Way(letter=letter, by=principal))
        self.outcomes[emitted.outcome.value] += 1
        return emitted, match.error

    async def _emit(
        self, source: Source, events: Sequence[Event], cursor: Any, way: Way, principal: str
    ) -> list[Emitted]:
        if len(events) > EVENTS_MAX:
            raise ValueError(f"emit at most {EVENTS_MAX} events at once")
        matches = [self._match(source, event, principal) for event in events]
        ids = [match.event.id for match in matches]
        seen_ids = await self._readers.call(self._journal.dedup_seen, source.namespace, source.scope_name, ids)
        emitted = await self._enter(source, matches, cursor, seen_ids, way)
        self.outcomes.update(entry.outcome.value for entry in emitted)
        self._tell(source, matches, emitted)
        return emitted

    async def _enter(
        self, source: Source, matches: list[_Match], cursor: Any, seen_ids: dict[str, tuple[str, ...]], way: Way
    ) -> list[Emitted]:
        while True:
            await self._overlaps.ready(source.place, [match.event for match in matches if match.start is not None])
            seen = await self._look(matches)
            signals = [match.delivery for match in matches if match.delivery is not None]
            async with self._deliveries.at_hand(signals, seen):
                await self._room(matches)
                item = _EmitItem(
                    self._intake,
                    source,
                    matches,
                    cursor,
                    seen_ids=seen_ids,
                    seen=seen,
                    way=way,
                    overlaps=self._overlaps,
                    deliveries=self._deliveries,
                )
                self._loop.enter(item)
                emitted = await item.future
            if emitted is not None:
                return emitted

    def _tell(self, source: Source, matches: Sequence[_Match], emitted: Sequence[Emitted]) -> None:
        """Log an event that could not be used, at most one a minute and trigger: nobody else would hear of it."""
        dead = [
            match.error
            for match, entry in zip(matches, emitted, strict=True)
            if entry.outcome is EmitOutcome.DEAD_LETTERED and match.error is not None
        ]
        now_ms = self._clock.wall_ms()
        if not dead or now_ms - source.told_at_ms < TELL_EVERY_MS:
            return
        source.told_at_ms = now_ms
        where = (source.namespace, source.row.workflow, source.row.name)
        text = "event_dead_lettered namespace=%s workflow=%s trigger=%s reason=%s message=%s"
        _log.warning(text, *where, dead[0].reason, dead[0].message[:500])

    async def _room(self, matches: list[_Match]) -> None:
        size_bytes = sum(len(match.body) for match in matches)
        while not self._loop.lanes.has_room(len(matches), size_bytes) or self._loop.unwritable is not None:
            await self._clock.sleep(ROOM_POLL_S)

    async def write_row(self, row: TriggerRow, note: Note | None = None) -> None:
        """Write what is known of a trigger, and a request id beside it; returns once durable."""

        def fill(turn: Turn) -> None:
            turn.batch.triggers.append(row)
            if note is not None:
                note(turn)

        await self._loop.write(fill)

    async def _look(self, matches: list[_Match]) -> Seen:
        asked: list[Asking] = [match.start for match in matches if match.start is not None and match.start.key]
        asked += [match.delivery for match in matches if match.delivery is not None]
        return await self._intake.look(asked) if asked else NOTHING_SEEN

    def _match(self, source: Source, event: Event, principal: str) -> _Match:
        envelope = event.to_json()
        body = dump_json(envelope)
        if source.hidden and (clean := redact_bytes(body, source.hidden)) is not body:
            body, envelope = clean, cast("dict[str, JsonValue]", parse_json(clean))
        match = _Match(event, body)
        try:
            if len(body) > EVENT_BYTES_MAX:
                raise invalid("PAYLOAD_TOO_LARGE", f"the event has {len(body)} bytes; {EVENT_BYTES_MAX} are allowed")
            self._evaluate(source, match, envelope, principal)
        except HostdError as error:
            match.error = error
            match.outcome = EmitOutcome.DEAD_LETTERED
        return match

    def _evaluate(self, source: Source, match: _Match, envelope: dict[str, Any], principal: str) -> None:
        trigger = source.plan
        scope = EventScope(envelope, now_ms=self._clock.wall_ms(), trigger=source.scope_name, event_id=match.event.id)
        if trigger.condition is not None and not truth(trigger.condition.evaluate(scope), "`if` of the trigger"):
            return
        key = key_of(trigger, scope)
        request_id = event_request_id(source.scope_name, match.event.id)
        signal = signal_of(trigger, scope, request_id)
        by = principal or f"trigger:{source.scope_name}"
        if signal is not None and not trigger.start:
            match.delivery = Delivery(source.namespace, source.ready.plan.workflow, key, signal, by)
            return
        value = input_of(trigger, scope)
        start = self._starts.prepare(
            source.ready,
            namespace=source.namespace,
            input_json=dump_json(value),
            now_ms=self._clock.wall_ms(),
            key=key,
            request_id="",
            trigger=source.run_trigger,
            event_id=match.event.id,
            principal=by,
            placement_text=request_id,
        )
        if signal is None:
            match.start = start
        else:
            match.delivery = delivery_of(start, signal)


class _EmitItem:
    """Matched events on the doors' lane; answers with one Emitted each, in order, None to look at keys again."""

    def __init__(
        self,
        intake: Intake,
        source: Source,
        matches: list[_Match],
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

    def enter(self, loop: EngineLoop, turn: Turn) -> None:
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
        self._move_cursor(turn, sum(entry.outcome in _FIRED for entry in emitted))
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

    def _is_stale(self, match: _Match) -> bool:
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

    def _one(self, turn: Turn, match: _Match) -> Emitted:
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

    def _act(self, turn: Turn, match: _Match) -> tuple[str, ...]:
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
            known = self._intake.recent_event(self._source.namespace, self._source.scope_name, event.id)
        if known is None and self._way.filling and self._source.mark != self._way.mark:
            passed = self._way.mark is None or event.time > self._way.mark
            known = () if passed and self._source.mark is not None and event.time <= self._source.mark else None
        return known

    def _write(self, turn: Turn, match: _Match, run_ids: tuple[str, ...]) -> None:
        source = self._source
        if self._way.letter:
            if match.outcome not in _FIRED:
                return  # the letter stays as it is
            turn.batch.dead_letters_met.append(self._way.letter)
        workflow, trigger = source.row.workflow, source.row.name
        batch = turn.batch
        batch.events.append(
            EventRow(source.namespace, workflow, trigger, match.event.id, match.body, match.outcome.value, run_ids)
        )
        if not self._way.slot:
            batch.dedup.append(Dedup(source.namespace, source.scope_name, match.event.id, run_ids))
            self._intake.remember_event(turn, source.namespace, source.scope_name, match.event.id, run_ids)
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
        source = self._source
        row = source.row
        if self._cursor is None and not fired:
            return
        source.row = msgspec.structs.replace(
            row,
            cursor=row.cursor if self._cursor is None else with_cursor(row.cursor, self._way.partition, self._cursor),
            fired=row.fired + fired,
            last_fired_at_ms=turn.batch.at_ms if fired else row.last_fired_at_ms,
        )
        turn.batch.triggers.append(source.row)

        def undo() -> None:
            source.row = row

        turn.when_failed.append(undo)
