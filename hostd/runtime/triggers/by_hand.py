"""The data of an event that somebody fires or tries by hand, and says nothing of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from hostd.definition.plan import TriggerPlan
from hostd.errors.base import HostdError
from hostd.host.registry import HostRegistry
from hostd.plugin import rfc3339
from hostd.plugin.slot_pages import Window
from hostd.runtime.triggers.event_scope import EventScope
from hostd.values.json_text import JsonValue

LOOK_S = 2.0  # of computing the next slot, which only says that there are slots


class ByHand:
    """What a trigger would have said: one that goes by the clock its slot, as `Trigger.schedule` promises."""

    def __init__(self, registry: Callable[[], HostRegistry]) -> None:
        self._registry = registry

    async def data(self, plan: TriggerPlan, scope_name: str, at_ms: int) -> JsonValue:
        """Return `{"slot": now}` for a trigger that goes by the clock, None for any other.

        Args:
            at_ms: the event's time, wall milliseconds.
        """
        try:
            at = datetime.fromtimestamp(at_ms / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return None  # who makes the event of it says so
        return {"slot": rfc3339(at)} if await self._goes_by_the_clock(plan, scope_name, at_ms) else None

    async def _goes_by_the_clock(self, plan: TriggerPlan, scope_name: str, at_ms: int) -> bool:
        entry = self._registry().trigger(plan.uses)
        if entry is None:
            return False
        scope = EventScope({}, now_ms=at_ms, trigger=scope_name, event_id="")
        try:
            options = plan.options.render(scope) if plan.options is not None else {}
            await entry.slots(options, Window(datetime.fromtimestamp(at_ms / 1000, UTC), None, 1, LOOK_S))
        except HostdError:
            return False  # most say SCHEDULE_MISSING; one whose options cannot be read here says nothing of slots
        return True
