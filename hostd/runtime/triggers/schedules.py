"""Triggers that go by the clock: when they fire next, and filling in what did not fire."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hostd.aio import Clock
from hostd.errors.base import HostdError, Kind, invalid
from hostd.host.registry import HostRegistry, TriggerEntry
from hostd.journal.port import Journal
from hostd.model.redaction import redact
from hostd.model.requests import Repeat
from hostd.model.views import BackfillView, ScheduleView, SlotView
from hostd.plugin import Event, Overlap, rfc3339
from hostd.plugin.slot_pages import SlotPage, Window
from hostd.runtime.ring.readers import Readers
from hostd.runtime.triggers.emit import Emission
from hostd.runtime.triggers.long_verbs import LongVerbs
from hostd.runtime.triggers.trigger_life import TriggerLife
from hostd.runtime.triggers.trigger_live import Live, Name
from hostd.runtime.triggers.triggers import Triggers

BACKFILL = "trigger.backfill"
PREVIEW_S, BACKFILL_S = 2.0, 10.0  # of computing slots
BACKFILL_SLOTS_MAX = 10_000
BATCHES_A_SECOND = 10
BATCH_MAX = 100
PAGE_EVENTS = 20_000
_INSTANT = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEGINNING = datetime(1, 1, 2, tzinfo=UTC)  # no clock of the world shows a time that Python cannot hold


class _Timed(NamedTuple):
    """A trigger plugin with options, as a configured trigger has them."""

    entry: TriggerEntry
    options: Any
    hidden: tuple[str, ...] = ()  # values of secrets among them

    async def slots(self, window: Window) -> SlotPage:
        """Return slots. Raises OPTION_INVALID, SCHEDULE_MISSING, PLUGIN_FAILED, PLUGIN_UNAVAILABLE, without secrets."""
        try:
            return await self.entry.slots(self.options, window)
        except HostdError as error:
            message = redact(error.message, self.hidden)
            raise HostdError(
                error.kind, error.reason, message, violations=error.violations, retry_after_s=error.retry_after_s
            ) from None


class Schedules:
    """Looks at schedules of configured triggers, or of options; fires the slots of a window."""

    def __init__(
        self,
        *,
        triggers: Triggers,
        life: TriggerLife,
        emission: Emission,
        registry: Callable[[], HostRegistry],
        journal: Journal,
        readers: Readers,
        verbs: LongVerbs,
        clock: Clock,
    ) -> None:
        self._verbs = verbs
        self._triggers = triggers
        self._life = life
        self._emission = emission
        self._registry = registry
        self._journal = journal
        self._readers = readers
        self._clock = clock

    # -- preview

    async def preview(self, name: Name, *, after_us: int | None, count: int) -> ScheduleView:
        """Return the next slots of a configured trigger. Raises TRIGGER_MISSING, SCHEDULE_MISSING, PLUGIN_FAILED."""
        await self._triggers.settled()
        timed = await self._of_live(self._triggers.get(name))
        return await self._preview(timed, after_us=after_us, count=count)

    async def preview_options(
        self, uses: str, options: dict[str, Any], *, after_us: int | None, count: int
    ) -> ScheduleView:
        """Return the next slots of options. Raises PLUGIN_MISSING, OPTION_INVALID, SCHEDULE_MISSING, PLUGIN_FAILED."""
        return await self._preview(self._timed(uses, options), after_us=after_us, count=count)

    async def _preview(self, timed: _Timed, *, after_us: int | None, count: int) -> ScheduleView:
        after = self._now() if after_us is None else _moment(after_us)
        page = await timed.slots(Window(after, None, count, PREVIEW_S))
        return await asyncio.to_thread(_view, page)  # time zones are files

    async def _of_live(self, live: Live) -> _Timed:
        options = await self._life.options(live.source)
        return self._timed(live.source.plan.uses, options)._replace(hidden=live.source.hidden)

    def _timed(self, uses: str, options: Any) -> _Timed:
        entry = self._registry().trigger(uses)
        if entry is None:
            message = f"no loaded plugin provides the trigger {uses}"
            raise HostdError(Kind.MISSING, "PLUGIN_MISSING", message)
        return _Timed(entry, options)

    def _now(self) -> datetime:
        return _EPOCH + timedelta(milliseconds=self._clock.wall_ms())

    # -- backfill

    async def backfill(
        self,
        name: Name,
        *,
        from_us: int,
        to_us: int,
        dry_run: bool,
        per_second: int,
        fire_unknown: bool,
        principal: str,
        repeat: Repeat | None = None,
    ) -> BackfillView:
        """Fire the slots with from <= slot < to that have not fired.

        Cancelling it leaves what was fired; the same again goes on behind it.

        Args:
            repeat: not for a dry run, which does nothing.

        Raises:
            HostdError: TRIGGER_MISSING, SCHEDULE_MISSING, PLUGIN_FAILED; ARGUMENT_INVALID for a window that reaches
                into the future or holds more than 10,000 slots; WORKFLOW_* where the trigger has nothing to start;
                REQUEST_ID_CONFLICT.
        """

        async def work() -> BackfillView:
            return await self._backfill(
                name,
                from_us=from_us,
                to_us=to_us,
                dry_run=dry_run,
                per_second=per_second,
                fire_unknown=fire_unknown,
                principal=principal,
            )

        return await self._verbs.once(name[0], BACKFILL, None if dry_run else repeat, work, BackfillView)

    async def _backfill(
        self,
        name: Name,
        *,
        from_us: int,
        to_us: int,
        dry_run: bool,
        per_second: int,
        fire_unknown: bool,
        principal: str,
    ) -> BackfillView:
        await self._triggers.settled()
        live = self._triggers.get(name)
        live.require_target()
        timed = await self._of_live(live)
        slots, overlap = await self._window(timed, _moment(from_us), _moment(to_us))
        mark = live.source.mark
        fired = await self._fired(live, slots)
        horizon = await self._horizon(live.source.namespace)
        unknown = {
            slot
            for slot in slots
            if mark is not None and slot <= mark and slot < horizon and rfc3339(slot) not in fired
        }
        left_out = set() if fire_unknown else unknown
        due = [slot for slot in slots if slot not in left_out and rfc3339(slot) not in fired]
        counts = Counter({"DUPLICATE": len(slots) - len(due) - len(left_out)})
        if dry_run:
            counts["STARTED"] = len(due)
        else:
            counts += await self._fire(live, due, overlap, mark=mark, per_second=per_second, principal=principal)
        return BackfillView(len(slots), dict(counts), len(left_out))

    async def _window(self, timed: _Timed, start: datetime, end: datetime) -> tuple[list[datetime], Overlap]:
        if end > self._now():
            raise invalid("ARGUMENT_INVALID", "to_time: a window ends now at the latest; what is to come fires itself")
        if start >= end:
            raise invalid("ARGUMENT_INVALID", "from_time: the window must begin before it ends")
        window = Window(max(start, _BEGINNING) - _INSTANT, end, BACKFILL_SLOTS_MAX + 1, BACKFILL_S)
        page = await timed.slots(window)
        if page.more or len(page.slots) > BACKFILL_SLOTS_MAX:
            message = f"the window holds more than {BACKFILL_SLOTS_MAX} slots; fill it in pieces"
            raise invalid("ARGUMENT_INVALID", message)
        return page.slots, page.overlap

    async def _fired(self, live: Live, slots: Sequence[datetime]) -> set[str]:
        """Return the ids of slots that are known to have fired: as events that are kept, or by their dedup keys."""
        if not slots:
            return set()
        row = live.source.row
        ids = [rfc3339(slot) for slot in slots]
        fired = set(await self._readers.call(self._journal.dedup_seen, row.namespace, live.source.scope_name, ids))
        # from the first that is kept, not from the window's time: a wall clock that went back wrote later events with
        # earlier times, so no number parts those before a time from those behind it
        number = max(0, await self._readers.call(self._journal.first_event) - 1)
        last = await self._readers.call(self._journal.last_event)
        wanted = set(ids)
        while number < last:
            until = min(number + PAGE_EVENTS, last)
            page = await self._readers.call(self._events_of, row.namespace, row.workflow, row.name, number, until)
            fired |= wanted & page.keys()
            number = until
        return fired

    def _events_of(
        self, namespace: str, workflow: str, name: str, after: int, until: int
    ) -> dict[str, tuple[str, ...]]:
        return self._journal.events_of(namespace, workflow, name, after=after, until=until)

    async def _horizon(self, namespace: str) -> datetime:
        """Return since when every event is kept; the beginning of time where none has gone yet.

        No slot fires before its time, so one behind the latest time of an event that has gone did not go with it.
        """
        gone_ms = await self._readers.call(self._journal.events_gone_ms)
        if gone_ms:
            return _EPOCH + timedelta(milliseconds=gone_ms + 1)
        first, last = await self._readers.call(lambda: (self._journal.first_event(), self._journal.last_event()))
        if first == 1 or last == 0:
            return _EPOCH
        kept = await self._readers.call(lambda: self._journal.events(namespace, limit=1))
        return _EPOCH + timedelta(milliseconds=kept[0][1]) if kept else self._now()

    async def _fire(
        self,
        live: Live,
        slots: Sequence[datetime],
        overlap: Overlap,
        *,
        mark: datetime | None,
        per_second: int,
        principal: str,
    ) -> Counter[str]:
        size = max(1, min(BATCH_MAX, per_second // BATCHES_A_SECOND))
        if overlap in ("queue", "cancel_running"):
            size = 1
        counts: Counter[str] = Counter()
        for start in range(0, len(slots), size):
            if start:
                await self._clock.sleep(size / per_second)
            live = self._triggers.get(live.name)
            live.require_target()
            events = [_event(live, slot, overlap) for slot in slots[start : start + size]]
            emitted = await self._emission.fill(live.source, events, mark=mark, principal=principal)
            counts.update(entry.outcome.value for entry in emitted)
        return counts


def _event(live: Live, slot: datetime, overlap: Overlap) -> Event:
    """Return what the trigger itself emits for a slot: see Trigger.schedule."""
    source, text = live.source, rfc3339(slot)
    return Event(
        id=text,
        source=f"/{source.namespace}/{source.ready.plan.workflow}/{source.plan.name}",
        type=source.plan.uses,
        time=slot,
        data={"slot": text},
        overlap=overlap,
    )


def _view(page: SlotPage) -> ScheduleView:
    return ScheduleView(tuple(_slot(slot, page.timezone) for slot in page.slots), page.timezone, page.more)


def _slot(slot: datetime, timezone: str) -> SlotView:
    try:
        local = slot.astimezone(ZoneInfo(timezone)).isoformat()
    except (OverflowError, ValueError, OSError):  # the end of time, or no zone of the IANA's
        local = rfc3339(slot)
    return SlotView((slot - _EPOCH) // _INSTANT, local)


def _moment(at_us: int) -> datetime:
    """Return a moment. Raises ARGUMENT_INVALID outside the years 1 to 9999."""
    try:
        return _EPOCH + timedelta(microseconds=at_us)
    except OverflowError:
        raise invalid("ARGUMENT_INVALID", "a time lies within the years 1 to 9999") from None
