"""The ring: the engine loop, what it holds in memory, and who does what it decides."""

from __future__ import annotations

from hostd.config.rooms import Config
from hostd.lua.check import BlockingCheck
from hostd.runtime.attempts.effects import Effects
from hostd.runtime.attempts.executors import Executors
from hostd.runtime.ring.census import Census
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.held import HeldRuns
from hostd.runtime.ring.lanes import Lanes
from hostd.runtime.ring.lost_attempts import look_again
from hostd.runtime.ring.metering import AttemptTimes, Metering, RingMeter
from hostd.runtime.ring.progress import ProgressBook
from hostd.runtime.ring.recovery import recover
from hostd.runtime.ring.residence import Residence
from hostd.runtime.ring.slots import Slots
from hostd.runtime.ring.timers import Timers
from hostd.runtime.room_options import script_limits
from hostd.runtime.workflows.compiling import Compiling
from hostd.runtime.workflows.plans import PlanShelf
from hostd.runtime.workflows.workflows import Workflows
from hostd.wiring.foundation import Foundation
from hostd.wiring.guests import Guests


class Ring:
    """Runs, from memory to attempts and back.

    Args:
        patient: steps wait for actions that are not loaded; without it only while a plugin that may bring them is
            starting, and fail with ACTION_UNKNOWN then.
    """

    def __init__(self, base: Foundation, guests: Guests, *, patient: bool) -> None:
        journal, readers, clock = base.journal, base.readers, base.clock
        limits = base.config.limits
        self._base = base
        self._guests = guests
        plans = PlanShelf(journal, readers)
        self.executors = Executors(guests.registry, patient=patient)
        self.slots = _slots(base.config, self.executors, patient=patient)
        self.timers = Timers(clock)
        self.residence = Residence(
            journal=journal, readers=readers, plans=plans, clock=clock, runs_max=limits.runs_in_memory
        )
        self.census = Census(journal=journal, readers=readers, clock=clock)
        self.metering = Metering(base.meter, base.hub, self.census)
        self.loop = EngineLoop(
            journal=journal,
            clock=clock,
            residence=self.residence,
            slots=self.slots,
            timers=self.timers,
            lanes=Lanes(limits.doors),
            watchers=self.metering,
            meter=RingMeter(base.meter, clock),
        )
        self.slots.tell = self.loop.tell_slot
        code = BlockingCheck(guests.lua, script_limits(base.config), base.event_loop)
        self.workflows = Workflows(
            loop=self.loop,
            journal=journal,
            readers=readers,
            plans=plans,
            compiling=Compiling(guests.registry, guests.host.coming, code),
        )
        self.held = HeldRuns(loop=self.loop, journal=journal, readers=readers, actions=guests.registry)
        self.progress = ProgressBook(loop=self.loop, clock=clock, ground=base.event_loop)
        guests.contexts.heartbeats = self.progress
        self.effects = self.loop.ends.effects = self._effects()

    def _effects(self) -> Effects:
        base, guests, loop, limits = self._base, self._guests, self.loop, self._base.config.limits
        effects = Effects(
            actions=guests.registry,
            contexts=guests.contexts,
            scripts=guests.scripts,
            read_secret=guests.host.secrets.get,
            secret_names=guests.host.secrets.names,
            slots=self.slots,
            logs=base.log_writer,
            clock=base.clock,
            random=base.random,
            tell=loop.tell,
            ask=lambda run, message: loop.ask(run, message, ""),
            threads_max=limits.threads,
            cancel_grace_s=limits.cancel_grace.total_seconds(),
        )
        effects.times = AttemptTimes(base.meter)
        return effects

    def reconfigure(self, config: Config) -> None:
        """Take new limits; what runs beyond them goes on."""
        limits = config.limits
        self.loop.lanes.resize(limits.doors)
        self.residence.runs_max = limits.runs_in_memory
        self.slots.change({"inline": limits.inline, "thread": limits.threads, "process": limits.processes})
        self.effects.change_limits(threads_max=limits.threads, cancel_grace_s=limits.cancel_grace.total_seconds())

    def limit_actions(self) -> None:
        """Look at the limits of the actions that are loaded now."""
        self.slots.gates.limit(self._guests.registry().action_ids())
        self.slots.be_patient(self.executors.patience)

    def look_again(self) -> None:
        """Let steps go on that waited for actions which are there now, or which nobody brings any more."""
        if changed := self.executors.changed():
            look_again(self.loop, self._guests.registry, changed)

    async def recover(self) -> int:
        """Take over what the last daemon left; return how many attempts were lost."""
        base = self._base
        self.loop.start_from(await base.readers.call(base.journal.last_at_ms))
        return await recover(
            loop=self.loop, journal=base.journal, readers=base.readers, actions=self._guests.registry, held=self.held
        )

    async def start_timers(self) -> None:
        """Let time go on for runs that wait."""
        await self.timers.start(self._base.readers, self._base.journal.due_runs, self.loop.tick)

    async def drain(self, grace_s: float) -> int:
        """Start nothing new, let what runs end within the grace; return how many attempts were cut off."""
        self.slots.hold()
        left = await self.effects.drain(grace_s)
        await self.loop.quiet()
        return left

    async def close(self) -> None:
        """Stop; what still runs is lost, and decided about at the next start."""
        self.timers.stop()
        await self.effects.stop()
        self.progress.write()
        await self.loop.quiet()


def _slots(config: Config, executors: Executors, *, patient: bool) -> Slots:
    limits = config.limits
    at_once = {
        "inline": limits.inline,
        "thread": limits.threads,
        "lua": config.lua.workers,
        "process": limits.processes,
    }
    return Slots(executors.of, at_once, executors.most_of, patient=patient)
