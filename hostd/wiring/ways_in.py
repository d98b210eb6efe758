"""The ways in: starts of runs, events that become runs, and the triggers that emit them."""

from __future__ import annotations

from hostd.runtime.ring.intake import Intake
from hostd.runtime.ring.starts import StartMaker
from hostd.runtime.room_options import whole_ms
from hostd.runtime.runs.deliveries import Deliveries
from hostd.runtime.runs.run_reads import RunRooms
from hostd.runtime.runs.run_results import RunEnds
from hostd.runtime.runs.runs import Runs
from hostd.runtime.triggers.emit import Emission
from hostd.runtime.triggers.live_triggers import LiveTriggers
from hostd.runtime.triggers.overlap import Overlaps
from hostd.runtime.triggers.trigger_life import TriggerLife
from hostd.runtime.triggers.triggers import Triggers
from hostd.wiring.foundation import Foundation
from hostd.wiring.guests import Guests
from hostd.wiring.ring import Ring
from hostd.wiring.services import HostServices


class WaysIn:
    """Where runs come from, and what is asked of them afterwards."""

    def __init__(self, base: Foundation, guests: Guests, ring: Ring, services: HostServices) -> None:
        loop, journal, readers, clock = ring.loop, base.journal, base.readers, base.clock
        self.intake = Intake(loop=loop, journal=journal, readers=readers)
        self.deliveries = Deliveries(loop=loop, intake=self.intake)
        self.starts = StartMaker(random=base.random, env_allowed=base.config.env)
        self.run_rooms = self._run_rooms(base, ring)
        self.runs = Runs(self.run_rooms)
        self.emission = Emission(
            loop=loop,
            intake=self.intake,
            starts=self.starts,
            journal=journal,
            readers=readers,
            clock=clock,
            overlaps=Overlaps(loop=loop, journal=journal, readers=readers, hub=base.hub),
            deliveries=self.deliveries,
        )
        live = LiveTriggers()
        self.trigger_life = TriggerLife(
            emission=self.emission,
            registry=guests.registry,
            routes=guests.routes,
            live=live,
            read_secret=guests.host.secrets.get,
            services=services.for_plugins,
            ends=RunEnds(lambda: self.runs),
            clock=clock,
            random=base.random,
            data_dir=base.data,
        )
        self.triggers = Triggers(
            workflows=ring.workflows,
            emission=self.emission,
            life=self.trigger_life,
            live=live,
            journal=journal,
            readers=readers,
            clock=clock,
        )
        guests.routes.incomplete = self.triggers.incomplete

    def _run_rooms(self, base: Foundation, ring: Ring) -> RunRooms:
        return RunRooms(
            journal=base.journal,
            readers=base.readers,
            loop=ring.loop,
            intake=self.intake,
            starts=self.starts,
            workflows=ring.workflows,
            hub=base.hub,
            clock=base.clock,
            held=ring.held,
            deliveries=self.deliveries,
            log_files=base.log_files,
            cancel_grace_ms=lambda: whole_ms(base.config.limits.cancel_grace),
            log_flush=base.log_writer.flush,
            live_logs=ring.effects,
        )
