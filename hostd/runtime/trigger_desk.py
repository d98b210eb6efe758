"""Configured triggers as the doors see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

from hostd.aio import Clock
from hostd.errors.base import invalid
from hostd.journal.port import Journal
from hostd.model.requests import Repeat
from hostd.model.views import FiredView, TriggerView
from hostd.plugin import Event
from hostd.runtime.audit import audited
from hostd.runtime.readers import Readers
from hostd.runtime.repeats import first_answer, note_of
from hostd.runtime.trigger_live import Live
from hostd.runtime.triggers import Triggers
from hostd.values.json_text import parse_json

PAUSE, RESUME = "trigger.pause", "trigger.resume"
FIRED_TYPE = "hostd.trigger.fired"


class TriggerDesk:
    """Seeing triggers, pausing, resuming and firing them."""

    def __init__(self, *, triggers: Triggers, journal: Journal, readers: Readers, clock: Clock, random: Random) -> None:
        self._triggers = triggers
        self._journal = journal
        self._readers = readers
        self._clock = clock
        self._random = random

    async def list(self, namespace: str, workflow: str, *, after: tuple[str, str], limit: int) -> Sequence[TriggerView]:
        """Return triggers past (workflow, name) `after`, in that order."""
        found = [live for live in self._triggers.list(namespace, workflow) if live.name[1:] > after]
        return [_view(live) for live in found[:limit]]

    async def get(self, namespace: str, workflow: str, name: str) -> TriggerView:
        """Return a trigger. Raises TRIGGER_MISSING."""
        return _view(self._triggers.get((namespace, workflow, name)))

    async def pause(
        self, namespace: str, workflow: str, name: str, *, reason: str, principal: str, repeat: Repeat | None
    ) -> TriggerView:
        """Stop a trigger until it is resumed. Raises TRIGGER_MISSING."""
        where = (namespace, workflow, name)
        if await first_answer(self._journal, self._readers, namespace, PAUSE, repeat) is not None:
            return await self.get(*where)
        note = note_of(namespace, PAUSE, repeat, "/".join(where).encode())
        note = audited(namespace, principal, PAUSE, f"{workflow}/{name}", note, reason=reason)
        return _view(await self._triggers.pause(where, reason, note=note))

    async def resume(
        self, namespace: str, workflow: str, name: str, *, principal: str, repeat: Repeat | None
    ) -> TriggerView:
        """Let a paused, ended or failed trigger run again. Raises TRIGGER_MISSING."""
        where = (namespace, workflow, name)
        if await first_answer(self._journal, self._readers, namespace, RESUME, repeat) is not None:
            return await self.get(*where)
        note = note_of(namespace, RESUME, repeat, "/".join(where).encode())
        note = audited(namespace, principal, RESUME, f"{workflow}/{name}", note)
        return _view(await self._triggers.resume(where, note=note))

    async def fire(
        self, namespace: str, workflow: str, name: str, *, data: bytes, event_id: str, principal: str
    ) -> FiredView:
        """Emit one event by hand. Raises TRIGGER_MISSING, ARGUMENT_INVALID."""
        at_ms = self._clock.wall_ms()
        try:
            event = Event(
                id=event_id or f"{self._random.getrandbits(128):032x}",
                source=f"/hostd/{namespace}/{workflow}/{name}",
                type=FIRED_TYPE,
                time=datetime.fromtimestamp(at_ms / 1000, UTC),
                data=parse_json(data or b"null"),
            )
        except ValueError as error:
            raise invalid("ARGUMENT_INVALID", f"event_id: {error}") from None
        emitted = await self._triggers.fire((namespace, workflow, name), event, principal)
        return FiredView(emitted.event_id, emitted.outcome.value, emitted.run_ids)


def _view(live: Live) -> TriggerView:
    row = live.source.row
    plan = live.source.ready.plan
    return TriggerView(
        namespace=live.source.namespace,
        workflow=plan.workflow,
        name=live.source.plan.name,
        uses=live.source.plan.uses,
        state=live.state,
        message=live.message,
        version=plan.version,
        cursor=row.cursor,
        fired=row.fired,
        last_fired_at_ms=row.last_fired_at_ms,
        restarts=live.restarts,
    )
