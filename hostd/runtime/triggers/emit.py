"""From events to runs: what triggers emit is evaluated, and waits for room; emit_turn.py takes it in."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from hostd.aio import Clock
from hostd.engine.steps import truth
from hostd.errors.base import HostdError, invalid
from hostd.host.services import without_secrets
from hostd.journal.port import Journal, TriggerRow
from hostd.model.payload import EVENT_BYTES_MAX
from hostd.model.redaction import redact_value
from hostd.plugin import EmitOutcome, Emitted, Event
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.intake import Intake
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.repeats import Note
from hostd.runtime.ring.seen import NOTHING_SEEN, Asking, Seen
from hostd.runtime.ring.starts import StartMaker, event_request_id
from hostd.runtime.ring.turn import Turn
from hostd.runtime.runs.deliveries import Deliveries, Delivery, delivery_of
from hostd.runtime.triggers.emit_gate import EmitGate
from hostd.runtime.triggers.emit_turn import EmitItem, Match, Way
from hostd.runtime.triggers.event_scope import EventScope, input_of, key_of, signal_of
from hostd.runtime.triggers.overlap import Overlaps
from hostd.runtime.triggers.trigger_source import TELL_EVERY_MS, KeptRow, Source
from hostd.values.json_text import dump_json
from hostd.values.trace import event_trace

EVENTS_MAX = 1_000
_log = logging.getLogger("hostd.runtime")


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
        self._gate = EmitGate()
        self._line = asyncio.Lock()  # who waits for room, in order
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
        return await self._emit(source, events, redact_value(cursor, source.hidden), way, principal)

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
        async with self._gate.let_in() as passage:
            match = self._match(source, event, principal)
            passage.holds(1, len(match.body))
            [emitted] = await self._enter(source, [match], None, {}, Way(letter=letter, by=principal))
        self.outcomes[emitted.outcome.value] += 1
        return emitted, match.error

    async def _emit(
        self, source: Source, events: Sequence[Event], cursor: Any, way: Way, principal: str
    ) -> list[Emitted]:
        if len(events) > EVENTS_MAX:
            raise ValueError(f"emit at most {EVENTS_MAX} events at once")
        async with self._gate.let_in() as passage:
            matches = [self._match(source, event, principal) for event in events]
            passage.holds(len(matches), sum(len(match.body) for match in matches))
            ids = [match.event.id for match in matches]
            seen_ids = await self._readers.call(self._journal.dedup_seen, source.namespace, source.scope_name, ids)
            emitted = await self._enter(source, matches, cursor, seen_ids, way)
        self.outcomes.update(entry.outcome.value for entry in emitted)
        self._tell(source, matches, emitted)
        return emitted

    async def _enter(
        self, source: Source, matches: list[Match], cursor: Any, seen_ids: dict[str, tuple[str, ...]], way: Way
    ) -> list[Emitted]:
        while True:
            await self._overlaps.ready(source.place, [match.event for match in matches if match.start is not None])
            seen = await self._look(matches)
            signals = [match.delivery for match in matches if match.delivery is not None]
            async with self._deliveries.at_hand(signals, seen):
                await self._room(matches)
                item = EmitItem(
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

    def _tell(self, source: Source, matches: Sequence[Match], emitted: Sequence[Emitted]) -> None:
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

    async def _room(self, matches: list[Match]) -> None:
        """Wait until the doors' lane takes the events, in the order of who asked."""
        size_bytes = sum(len(match.body) for match in matches)
        if not self._line.locked() and self._has_room(len(matches), size_bytes):
            return
        async with self._line:
            await self._loop.lanes.open_room(len(matches), size_bytes)

    def _has_room(self, size: int, size_bytes: int) -> bool:
        return self._loop.unwritable is None and self._loop.lanes.has_room(size, size_bytes, patient=True)

    async def change_row(
        self, kept: KeptRow, change: Callable[[TriggerRow], TriggerRow], note: Note | None = None
    ) -> None:
        """Change what is known of a trigger, and write a request id beside it; returns once durable."""

        def fill(turn: Turn) -> None:
            kept.change(turn, change)
            if note is not None:
                note(turn)

        await self._loop.write(fill)

    async def _look(self, matches: list[Match]) -> Seen:
        asked: list[Asking] = [match.start for match in matches if match.start is not None and match.start.key]
        asked += [match.delivery for match in matches if match.delivery is not None]
        return await self._intake.look(asked) if asked else NOTHING_SEEN

    def _match(self, source: Source, event: Event, principal: str) -> Match:
        event = without_secrets(event, source.hidden)
        envelope = event.to_json()
        body = dump_json(envelope)
        match = Match(event, body)
        try:
            if len(body) > EVENT_BYTES_MAX:
                raise invalid("PAYLOAD_TOO_LARGE", f"the event has {len(body)} bytes; {EVENT_BYTES_MAX} are allowed")
            self._evaluate(source, match, envelope, principal)
        except HostdError as error:
            match.error = error
            match.outcome = EmitOutcome.DEAD_LETTERED
        return match

    def _evaluate(self, source: Source, match: Match, envelope: dict[str, Any], principal: str) -> None:
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
            trace=event_trace(match.event.extensions),
            principal=by,
            placement_text=request_id,
        )
        if signal is None:
            match.start = start
        else:
            match.delivery = delivery_of(start, signal)
