"""The core: every room below the doors, built and connected. What embedding, tests and the daemon share.

    foundation -> guests -> ring -> services -> ways in -> front
    (journal,     (plugins, (engine (keys,      (starts,   (what the control
     clock)        scripts)  loop)   topics)     triggers)  plane asks)

Each part is a file of hostd/wiring/ and is built over those before it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from pathlib import Path

from hostd.aio import Clock
from hostd.config.reload import given_by_program
from hostd.config.rooms import Config
from hostd.journal.port import Journal, JournalInfo
from hostd.observing import Outlet, opened, read_gauges
from hostd.runtime.desks.settings_desk import SettingsDesk
from hostd.standing import Standing
from hostd.telemetry.log_levels import LogLevels
from hostd.telemetry.logs import hide_in_logs, hide_no_more
from hostd.wiring.care import Care
from hostd.wiring.foundation import Foundation
from hostd.wiring.front import Desks
from hostd.wiring.guests import Guests
from hostd.wiring.parts import Parts
from hostd.wiring.ring import Ring
from hostd.wiring.services import HostServices
from hostd.wiring.ways_in import WaysIn

_log = logging.getLogger("hostd.daemon")


class Core:
    """Every room below the doors."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock | None = None,
        dice: random.Random | None = None,
        data: Path | None = None,
        journal: Journal | None = None,
        patient: bool = False,
        folders: bool = True,
        watch_loop: bool = True,
    ) -> None:
        """Build; nothing is opened yet.

        Args:
            data: the data folder; None keeps everything in memory.
            journal: in place of the one that the configuration says.
            patient: steps wait for actions that are not loaded; without it only while a plugin that may bring them
                is starting, and fail with ACTION_UNKNOWN then.
            folders: serve plugin folders.
            watch_loop: tell when the event loop stands still; a loop that is not ours is not ours to watch.
        """
        base = Foundation(config, clock=clock, dice=dice, data=data, journal=journal)
        guests = Guests(base, folders=folders)
        ring = Ring(base, guests, patient=patient)
        services = HostServices(base, guests, ring)
        ways_in = WaysIn(base, guests, ring, services)
        care = Care(base, guests, ring)
        self.parts = Parts(base, guests, ring, services, ways_in, care)
        self.settings = SettingsDesk(
            given_by_program(config),
            levels=LogLevels(config.log.level, config.log.attempts),
            loop=ring.loop,
            apply=self.reconfigure,
        )
        self.front = Desks(self.parts).front(self.settings)

        # What doors, embedding and the test kit ask for by name.
        self.clock, self.data = base.clock, base.data
        self.journal, self.readers, self.hub, self.meter = base.journal, base.readers, base.hub, base.meter
        self.log_files, self.log_writer = base.log_files, base.log_writer
        self.host, self.lua, self.scripts, self.routes = guests.host, guests.lua, guests.scripts, guests.routes
        self.contexts, self.tracing = guests.contexts, guests.contexts.tracing
        self.loop, self.slots, self.timers, self.residence = ring.loop, ring.slots, ring.timers, ring.residence
        self.workflows, self.effects, self.progress = ring.workflows, ring.effects, ring.progress
        self.census, self.metering = ring.census, ring.metering
        self.key_values, self.blob_shelf, self.topics = services.key_values, services.blob_shelf, services.topics
        self.intake, self.starts, self.emission = ways_in.intake, ways_in.starts, ways_in.emission
        self.triggers, self.trigger_life = ways_in.triggers, ways_in.trigger_life
        self.upkeep, self.loop_watch = care.upkeep, care.loop_watch

        self.reconfigured: list[Callable[[Config], None]] = []  # the doors, which read it too
        self.heeds_environ = False  # OTEL_* variables, which in a program that embeds a host are the program's
        self._watch_loop = watch_loop
        self._outlet: Outlet | None = None
        self._standing = Standing()
        read_gauges(self.parts, self._standing)

    @property
    def config(self) -> Config:
        """What is configured now."""
        return self.parts.base.config

    @property
    def info(self) -> JournalInfo | None:
        """What the journal is, once it is open."""
        return self.parts.base.info

    def reconfigure(self, config: Config) -> None:
        """Hand every room what it reads of a new configuration; what needs a restart must be as it was."""
        self.parts.base.config = config
        self.starts.allow_env(config.env)
        self.parts.ring.reconfigure(config)
        for reconfigure in self.reconfigured:
            reconfigure(config)

    async def open(self, *, plugins_may_wait: bool = False) -> None:
        """Open the journal, load plugins, and take over what the last daemon left.

        Args:
            plugins_may_wait: built-in ones, to be imported by `host.complete` once the ports listen.
        """
        hide_in_logs(self.host.secrets.hide)
        if self._watch_loop:
            self.loop_watch.start(asyncio.get_running_loop())
        info = await self.parts.base.open()
        await self.parts.guests.open(may_wait=plugins_may_wait)
        self.parts.ring.limit_actions()
        self.host.changed = self._plugins_changed
        await self._open_outlet()
        lost = await self.parts.ring.recover()
        await self.host.drop_unclaimed()
        await self.parts.ring.start_timers()
        self.parts.care.start(lambda: self._standing.look(self.parts))
        _log.info("core_open journal=%s lost_attempts=%d", info.path or info.kind, lost)

    async def _open_outlet(self) -> None:
        """Begin to send spans and metrics, before the first run ends. Raises HostdError CONFIG_INVALID."""
        otel = self.config.otel
        self._outlet, why = await opened(self.parts, otel, None if self.heeds_environ else {})
        if why:
            _log.warning("otel_off message=%s", why)

    def _plugins_changed(self) -> None:
        """What is loaded is not what it was: limits, steps and triggers that waited for it look again."""
        self.parts.ring.limit_actions()
        self.triggers.plugins_changed()
        self.parts.ring.look_again()

    async def drain(self, grace_s: float) -> int:
        """Start nothing new, let what runs end within the grace; return how many attempts were cut off."""
        self.intake.draining = True
        return await self.parts.ring.drain(grace_s)

    async def close(self) -> None:
        """Let go of everything; what still runs is lost, and decided about at the next start."""
        self.intake.draining = True
        self.hub.close()
        self.topics.news.close()
        self.parts.care.stop()
        await self.parts.ring.close()
        if self._outlet is not None:
            await self._outlet.close()
        await self.parts.guests.close()
        await asyncio.to_thread(self.workflows.compiling.close)
        await self.parts.base.close()
        self.loop_watch.stop()
        hide_no_more(self.host.secrets.hide)
