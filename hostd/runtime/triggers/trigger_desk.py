"""Configured triggers as the doors see them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from datetime import UTC, datetime
from random import Random

import msgspec

from hostd.aio import Clock
from hostd.errors.base import invalid
from hostd.journal.port import Journal
from hostd.model.requests import Repeat
from hostd.model.views import FiredView, TriggerChanges, TriggerView
from hostd.plugin import Event
from hostd.runtime.ring.audit import audited
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.repeats import first_answer, note_of
from hostd.runtime.ring.turn import Turn
from hostd.runtime.triggers.beginnings import Beginnings
from hostd.runtime.triggers.by_hand import ByHand
from hostd.runtime.triggers.own_triggers import OwnTriggers
from hostd.runtime.triggers.trigger_live import Live, Name
from hostd.runtime.triggers.trigger_roster import TriggerRoster
from hostd.runtime.triggers.trigger_watch import TriggerWatch
from hostd.runtime.triggers.triggers import Triggers
from hostd.values.json_text import JsonValue, parse_json

PAUSE, RESUME, CREATE, DELETE = "trigger.pause", "trigger.resume", "trigger.create", "trigger.delete"
FIRED_TYPE = "hostd.trigger.fired"


class TriggerDesk:
    """Seeing triggers, pausing, resuming and firing them; those of their own: making and deleting them."""

    def __init__(
        self,
        *,
        triggers: Triggers,
        own: OwnTriggers,
        loop: EngineLoop,
        journal: Journal,
        readers: Readers,
        clock: Clock,
        random: Random,
        closed: Callable[[], bool],
        beginnings: Beginnings,
        by_hand: ByHand,
    ) -> None:
        self._beginnings = beginnings
        self._by_hand = by_hand
        self._triggers = triggers
        self._own = own
        roster = TriggerRoster(loop=loop, journal=journal, readers=readers)
        self._watch = TriggerWatch(look=self._look, roster=roster, closed=closed, clock=clock)
        triggers.hear(self._watch.touch)
        self._journal = journal
        self._readers = readers
        self._clock = clock
        self._random = random

    async def list(self, namespace: str, workflow: str, *, after: tuple[str, str], limit: int) -> Sequence[TriggerView]:
        """Return triggers past (workflow, name) `after`, in that order."""
        await self._triggers.started()
        return [_view(live) for live in self._triggers.list(namespace, workflow, after=after, limit=limit)]

    async def get(self, namespace: str, workflow: str, name: str) -> TriggerView:
        """Return a trigger, one of its own with its source. Raises TRIGGER_MISSING."""
        await self._triggers.settled()
        return await self._shown((namespace, workflow, name))

    async def _shown(self, name: Name) -> TriggerView:
        view = _view(self._triggers.get(name))
        if name[1]:
            return view
        kept = await self._own.find(name[0], name[2])
        return msgspec.structs.replace(view, source=kept.source if kept is not None else b"")

    def watch(self, namespace: str, workflow: str, *, after: str) -> AsyncIterator[TriggerChanges]:
        """Yield changes of triggers; see the port."""
        return self._watch.watch(namespace, workflow, after=after)

    def _look(self, names: Set[Name] | None) -> Mapping[Name, TriggerView] | None:
        if not self._triggers.running:
            return None
        if names is None:
            found = self._triggers.everywhere()
        else:
            found = [live for name in sorted(names) for live in self._triggers.one(name)]
        return {live.name: _view(live) for live in found}

    async def create(
        self,
        namespace: str,
        document: bytes,
        *,
        file: str,
        replace: bool,
        principal: str,
        repeat: Repeat | None,
        within_s: float | None = None,
    ) -> tuple[TriggerView, bool]:
        """Make a trigger of its own, or replace it; return it once it has begun, and whether anything changed.

        Args:
            within_s: so long it waits for the trigger at most; a short time where not given.

        Raises DOCUMENT_INVALID, WORKFLOW_MISSING, VERSION_MISSING, TRIGGER_EXISTS, REQUEST_ID_CONFLICT.
        """
        first = await first_answer(self._journal, self._readers, namespace, CREATE, repeat)
        if first is not None:
            name, changed = msgspec.msgpack.decode(first, type=tuple[str, bool])
            return await self._begun((namespace, "", name), within_s), changed

        def note(turn: Turn, name: str, changed: bool) -> None:
            noted = note_of(namespace, CREATE, repeat, msgspec.msgpack.encode((name, changed)))
            if changed:
                noted = audited(namespace, principal, CREATE, name, noted)
            if noted is not None:
                noted(turn)

        name, changed = await self._own.create(
            namespace, document, file=file, replace=replace, principal=principal, note=note
        )
        return await self._begun((namespace, "", name), within_s), changed

    async def _begun(self, name: Name, within_s: float | None) -> TriggerView:
        """Return a trigger once it has begun, or could not."""
        warnings = await self._beginnings.of_trigger(name, within_s=within_s)
        if not self._triggers.one(name):
            await self._triggers.settled()
        return msgspec.structs.replace(await self._shown(name), warnings=tuple(warnings))

    async def delete(self, namespace: str, name: str, *, principal: str, repeat: Repeat | None) -> None:
        """Delete a trigger of its own. Raises TRIGGER_MISSING."""
        if await first_answer(self._journal, self._readers, namespace, DELETE, repeat) is None:
            note = note_of(namespace, DELETE, repeat, name.encode())
            await self._own.delete(namespace, name, note=audited(namespace, principal, DELETE, name, note))

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
        self,
        namespace: str,
        workflow: str,
        name: str,
        *,
        principal: str,
        repeat: Repeat | None,
        within_s: float | None = None,
    ) -> TriggerView:
        """Let a paused, ended or failed trigger run again; returns it once it has begun, see `create`.

        Raises TRIGGER_MISSING.
        """
        where = (namespace, workflow, name)
        if await first_answer(self._journal, self._readers, namespace, RESUME, repeat) is not None:
            return await self._begun(where, within_s)
        note = note_of(namespace, RESUME, repeat, "/".join(where).encode())
        note = audited(namespace, principal, RESUME, f"{workflow}/{name}", note)
        await self._triggers.resume(where, note=note)
        return await self._begun(where, within_s)

    async def fire(
        self, namespace: str, workflow: str, name: str, *, data: bytes, event_id: str, principal: str
    ) -> FiredView:
        """Emit one event by hand. Raises TRIGGER_MISSING, ARGUMENT_INVALID.

        Args:
            data: JSON; empty for what the trigger would say: of one that goes by the clock its slot, else null.
        """
        at_ms = self._clock.wall_ms()
        told = parse_json(data) if data else await self._usual((namespace, workflow, name), at_ms)
        try:
            event = Event(
                id=event_id or f"{self._random.getrandbits(128):032x}",
                source=f"/hostd/{namespace}/{workflow}/{name}",
                type=FIRED_TYPE,
                time=datetime.fromtimestamp(at_ms / 1000, UTC),
                data=told,
            )
        except ValueError as error:
            raise invalid("ARGUMENT_INVALID", f"event_id: {error}") from None
        emitted = await self._triggers.fire((namespace, workflow, name), event, principal)
        return FiredView(emitted.event_id, emitted.outcome.value, emitted.run_ids)

    async def _usual(self, name: Name, at_ms: int) -> JsonValue:
        await self._triggers.settled()
        source = self._triggers.get(name).source
        return await self._by_hand.data(source.plan, source.scope_name, at_ms)


def _view(live: Live) -> TriggerView:
    row = live.source.row
    return TriggerView(
        namespace=live.source.namespace,
        workflow=row.workflow,
        name=row.name,
        uses=live.source.plan.uses,
        state=live.state,
        message=live.message,
        version=live.source.ready.plan.version,
        cursor=row.cursor,
        fired=row.fired,
        last_fired_at_ms=row.last_fired_at_ms,
        restarts=live.restarts,
        target=live.target,
    )
