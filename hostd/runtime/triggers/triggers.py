"""Configured triggers: those of active versions live; cursor and pause survive activation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from hostd.aio import Clock, Timer, call_later, spawn, to_its_end
from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Journal
from hostd.plugin import Emitted, Event
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.repeats import Note
from hostd.runtime.triggers.emit import Emission
from hostd.runtime.triggers.live_triggers import LiveTriggers
from hostd.runtime.triggers.trigger_life import TriggerLife
from hostd.runtime.triggers.trigger_live import Live, Name
from hostd.runtime.triggers.trigger_rows import TriggerRows
from hostd.runtime.triggers.trigger_source import KeptRow, Source
from hostd.runtime.triggers.wanted_triggers import Wanted, WantedTriggers
from hostd.runtime.workflows.workflows import Workflows

_log = logging.getLogger("hostd.runtime")

BEGIN_AT_ONCE = 50  # triggers, between which others have their turn
AGAIN_S = 5.0  # between two looks at what could not be read
START_S = 2.0  # a host that starts waits for its triggers so long at most


class Triggers:
    """Keeps the triggers that should live alive."""

    def __init__(
        self,
        *,
        workflows: Workflows,
        emission: Emission,
        life: TriggerLife,
        live: LiveTriggers,
        journal: Journal,
        readers: Readers,
        clock: Clock,
    ) -> None:
        self._workflows = workflows
        self._emission = emission
        self._life = life
        self._journal = journal
        self._clock = clock
        self._wanted_triggers = WantedTriggers(workflows=workflows, readers=readers)
        self._live = live
        self._rows = TriggerRows(readers, live.tell)
        self._wanted = asyncio.Event()
        self._asked = 0  # changes that were told of
        self._tried = 0  # as many of them were looked at
        self._look_at_all = True  # not only at what was told to have changed
        self._looked = asyncio.Event()  # made anew with each look
        self._started = asyncio.Event()
        self._expected = False
        self._changing = asyncio.Lock()  # one at a time: reconcile, pause, resume
        self._keeper: asyncio.Task[None] | None = None
        self._later: Timer | None = None  # until what could not be read is looked at again
        self._stopped = False

    # -- keeping

    def expect(self) -> None:
        """They will be started: who needs them settled meanwhile waits."""
        self._expected = True

    async def start(self) -> None:
        """Start the triggers of every active version, and follow activations from here on.

        Returns when they have begun, or after a moment: whoever takes its time does not hold up the others.
        """
        self._stopped = self._life.stopped = False
        self._expected = self._look_at_all = True
        self._workflows.changed = self.look_again
        try:
            await self.reconcile()
            decided = [live.decided for live in self._live if not live.awaits_plugin]
            if decided:
                await asyncio.wait(decided, timeout=START_S)
            if not self._stopped:
                self._keeper = spawn(self._keep(), name="triggers-keeper")
        finally:
            self._started.set()

    async def stop(self) -> None:
        """Stop every trigger in good order: nothing is emitted any more."""
        self._stopped = self._life.stopped = True
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._keeper is not None:
            self._keeper.cancel()
        self._started.set()
        self._note_look()  # who waits for one sees that there will be none
        await asyncio.gather(*(self._life.end(live) for live in self._live))
        self._live.clear()

    @property
    def running(self) -> bool:
        """Whether all that should live does: it was started, and not stopped."""
        return self._keeper is not None and not self._stopped

    def look_again(self) -> None:
        """Look again at what should live, soon: versions or plugins have changed."""
        self._asked += 1
        self._wanted.set()

    def plugins_changed(self) -> None:
        """Look again at triggers whose plugin came, went or was replaced."""
        self._look_at_all = True
        self.look_again()

    async def _keep(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self.reconcile()
            except Exception as error:  # noqa: BLE001 a supervisor: without it nothing would follow activations any more
                _log.error("triggers_reconcile_failed error=%s", error, exc_info=not isinstance(error, HostdError))
                await self._clock.sleep(1.0)
                self._wanted.set()

    def own_changed(self, namespace: str, name: str) -> None:
        """Take note that a trigger of its own was made, replaced or deleted, for the next look."""
        self._wanted_triggers.own_changed(namespace, name)

    async def reconcile(self) -> None:
        """Compare what should live with what does; start and stop the difference."""
        async with self._changing:
            asked = self._asked
            try:
                if not self._stopped:
                    await self._reconcile()
            finally:
                self._tried = max(self._tried, asked)
                self._note_look()

    def _note_look(self) -> None:
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()

    async def _reconcile(self) -> None:
        """Look at the triggers that changed, at all of them where plugins did."""
        wanted = await self._wanted_triggers.all(self._journal)
        touched, look_at_all = self._wanted_triggers.touched, self._look_at_all
        self._wanted_triggers.touched, self._look_at_all = set(), False
        names = self._live.names() | wanted.keys() if look_at_all else touched
        try:
            missing = [name for name in self._in_turn(names) if await self._is_missing(name, wanted.get(name))]
            await self._begin(sorted(missing, key=lambda name: (wanted[name].since_ms, name)), wanted)
        except BaseException:
            self._wanted_triggers.touched |= touched
            self._look_at_all |= look_at_all
            raise
        if self._wanted_triggers.unread and self._later is None:
            self._later = call_later(self._clock, AGAIN_S, self._look_later)

    def _look_later(self) -> None:
        self._later = None
        self.look_again()

    async def _is_missing(self, name: Name, found: Wanted | None) -> bool:
        """Say whether a trigger has to be made; end what is not wanted as it is, begin what has another plugin now."""
        live = self._live.get(name)
        if live is None:
            return found is not None
        if found is None or found.digest != live.digest:
            await self._life.end(live)
            if found is None:
                self._live.remove(name)  # one that is replaced stays visible until it is
            return found is not None
        if live.source.ready is not found.ready:
            live.source.ready = found.ready  # one of its own follows the active version of its target
            self._live.tell(name)
        if self._life.outdated(live):
            await self._life.begin_anew(live)
        return False

    def _in_turn(self, names: Iterable[Name]) -> Sequence[Name]:
        """Return names so that those that wait for a path come last: who has it has begun anew by then."""
        return sorted(names, key=lambda name: (live := self._live.get(name)) is not None and self._life.waits(live))

    async def _begin(self, names: Sequence[Name], wanted: Mapping[Name, Wanted]) -> None:
        """Make triggers that do not live yet, or no longer as they are wanted.

        Args:
            names: those activated first come first, so that a restart gives a path to who had it, where two want it.
        """
        if not names:
            return
        rows = await self._rows.read(self._journal, names)
        for number, name in enumerate(names, 1):
            if self._stopped:
                return
            found = wanted[name]
            source = Source(name[0], found.ready, found.plan, self._rows.kept(name, found.plan, rows.get(name)))
            source.since_ms, source.begins = found.since_ms, found.begins
            live = Live(source, digest=found.digest, target=found.target, missing=found.missing)
            self._live.put(name, live)
            self._life.begin(live)
            if number % BEGIN_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def started(self) -> None:
        """Return when what should live has been looked at once, where triggers are to be started."""
        if self._expected and not self._stopped:
            await self._started.wait()

    async def settled(self) -> None:
        """Return when triggers live as versions are active now: who activates one has its triggers.

        One look is for all who asked before it began. Where the journal cannot be read it returns all the same: the
        keeper says so, and tries again.
        """
        await self.started()
        asked = self._asked
        while self.running and self._tried < asked:
            await self._looked.wait()

    async def refresh(self) -> None:
        """Have what should live looked at now. The keeper does, so that whoever asks may go away meanwhile."""
        self.look_again()
        if self._expected:
            await self.settled()
        else:
            await self.reconcile()

    # -- what people ask

    def hear(self, hearer: Callable[[Name], None]) -> None:
        """Tell of every change of a trigger from now on; see LiveTriggers."""
        self._live.hear(hearer)

    def get(self, name: Name) -> Live:
        """Return a live trigger. Raises HostdError TRIGGER_MISSING; DRAINING once they have stopped."""
        live = self._live.get(name)
        if live is None and self._stopped:
            raise HostdError(Kind.UNAVAILABLE, "DRAINING", "the daemon is stopping", retry_after_s=2.0)
        if live is None:
            where = f"no active workflow {name[1]} has a trigger" if name[1] else "no trigger of its own is named"
            message = f"{where} {name[2]!r}; `hostd trigger list` shows what is there"
            wanted = f"{name[1]}/{name[2]}" if name[1] else name[2]
            raise HostdError(Kind.MISSING, "TRIGGER_MISSING", message, details={"trigger": wanted})
        return live

    def list(
        self, namespace: str, workflow: str = "", *, after: tuple[str, str] = ("", ""), limit: int | None = None
    ) -> Sequence[Live]:
        """Return the triggers of active versions and those of their own, by name; see LiveTriggers.page."""
        return self._live.page(namespace, workflow, after=after, limit=limit)

    def everywhere(self) -> Sequence[Live]:
        """Return the triggers of every namespace, by name."""
        return list(self._live)

    def incomplete(self) -> bool:
        """Say whether paths may come to be answered that are not yet: triggers begin, or wait for a plugin."""
        return not self.running or any(self._live.get(live.name) is live for live in self._life.coming())

    def one(self, name: Name) -> Sequence[Live]:
        """Return a trigger, or none."""
        live = self._live.get(name)
        return [live] if live is not None else []

    def select(self, fits: Callable[[Live], bool]) -> Sequence[Live]:
        """Return the triggers that fit, by name."""
        return [live for live in self._live if fits(live)]

    def states(self) -> Sequence[str]:
        """Return the state of every trigger of an active version."""
        return [live.state for live in self._live]

    async def pause(self, name: Name, reason: str, *, note: Note | None = None) -> Live:
        """Stop a trigger until it is resumed; its cursor stays."""
        await self.settled()
        return await to_its_end(self._pause(name, reason, note), name="trigger-pause")

    async def _pause(self, name: Name, reason: str, note: Note | None) -> Live:
        async with self._changing:
            live = self.get(name)
            await self._life.end(live)
            try:
                await self._change(live, note, paused=True, pause_reason=reason)
            except HostdError:
                self._life.begin(live)
                raise
            live.state, live.message = "PAUSED", reason
            return live

    async def resume(self, name: Name, *, note: Note | None = None) -> Live:
        """Let a paused, ended or failed trigger run again."""
        await self.settled()
        return await to_its_end(self._resume(name, note), name="trigger-resume")

    async def _resume(self, name: Name, note: Note | None) -> Live:
        async with self._changing:
            live = self.get(name)
            await self._change(live, note, paused=False, pause_reason="")
            if live.has_stopped_parts or live.state == "FAILED":
                await self._life.end(live)
            if live.task is None or live.task.done():
                self._life.begin(live)
            return live

    async def secret_changed(self, namespace: str, secret: str) -> None:
        """Let triggers that read this secret, or missed it, begin anew: they would go by the value that was before."""
        async with self._changing:
            again = [] if self._stopped else self.select(lambda live: live.reads(namespace, secret))
            waiting = [live for live in again if self._life.waits(live)]
            await asyncio.gather(*(self._life.begin_anew(live) for live in again if live not in waiting))
            for live in waiting:
                await self._life.begin_anew(live)

    async def forget(self, name: Name, write: Callable[[KeptRow], Awaitable[None]]) -> None:
        """Stop a trigger for good, and write what makes it one that never was. Raises TRIGGER_MISSING."""
        async with self._changing:
            live = self.get(name)
            await self._life.end(live)
            try:
                await write(live.source.kept)
            except HostdError:
                self._life.begin(live)
                raise
            self._live.remove(name)

    async def _change(self, live: Live, note: Note | None, **fields: Any) -> None:
        await self._emission.change_row(live.source.kept, lambda row: msgspec.structs.replace(row, **fields), note)

    async def fire(self, name: Name, event: Event, principal: str) -> Emitted:
        """Emit one event by hand, as the trigger would."""
        await self.settled()
        live = self.get(name)
        live.require_target()
        emitted = await self._emission.emit(live.source, [event], None, principal=principal)
        return emitted[0]
