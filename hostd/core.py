"""The core: every room below the doors, built and connected. What embedding, tests and the daemon share."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostd.aio import Clock, SystemClock, spawn
from hostd.config.reload import given_by_program
from hostd.config.rooms import Config
from hostd.config.unix_socket import prepare_socket
from hostd.host.action_context import AttemptContexts
from hostd.host.host import PluginHost
from hostd.host.routes import RouteTable
from hostd.host.services import Services
from hostd.journal.logs import AttemptLogs
from hostd.journal.port import Journal, JournalInfo
from hostd.journal.sqlite import SqliteJournal
from hostd.lua.check import BlockingCheck
from hostd.lua.script import LuaPool
from hostd.observing import Outlet, opened, read_gauges
from hostd.runtime.attempts.effects import Effects
from hostd.runtime.attempts.executors import Executors
from hostd.runtime.attempts.log_writer import LogWriter, NoLogFiles
from hostd.runtime.attempts.requests import Requests
from hostd.runtime.attempts.scripts import Scripts
from hostd.runtime.desks.front import Front, build_front
from hostd.runtime.desks.settings_desk import SettingsDesk
from hostd.runtime.ports import Actions
from hostd.runtime.ring.census import Census
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.held import HeldRuns
from hostd.runtime.ring.intake import Intake
from hostd.runtime.ring.lanes import Lanes
from hostd.runtime.ring.loop_watch import LoopWatch
from hostd.runtime.ring.lost_attempts import look_again
from hostd.runtime.ring.metering import AttemptTimes, Metering, RingMeter, measure_lag
from hostd.runtime.ring.progress import ProgressBook
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.recovery import MOVING, recover
from hostd.runtime.ring.residence import Residence
from hostd.runtime.ring.slots import Slots
from hostd.runtime.ring.starts import StartMaker
from hostd.runtime.ring.timers import Timers
from hostd.runtime.ring.upkeep import Upkeep
from hostd.runtime.room_options import (
    plugin_choices,
    pool_options,
    process_limits,
    retention_of,
    script_limits,
    whole_ms,
)
from hostd.runtime.runs.deliveries import Deliveries
from hostd.runtime.runs.run_reads import RunRooms
from hostd.runtime.runs.run_results import RunEnds
from hostd.runtime.runs.watch import Hub
from hostd.runtime.services.blob_shelf import BlobShelf
from hostd.runtime.services.kv import KeyValues
from hostd.runtime.services.topic_types import TopicTypes
from hostd.runtime.services.topics import Topics
from hostd.runtime.triggers.emit import Emission
from hostd.runtime.triggers.live_triggers import LiveTriggers
from hostd.runtime.triggers.overlap import Overlaps
from hostd.runtime.triggers.trigger_life import TriggerLife
from hostd.runtime.triggers.triggers import Triggers
from hostd.runtime.workflows.compiling import Compiling
from hostd.runtime.workflows.plans import PlanShelf
from hostd.runtime.workflows.workflows import Workflows
from hostd.standing import Standing
from hostd.telemetry.log_levels import LogLevels
from hostd.telemetry.logs import hide_in_logs, hide_no_more
from hostd.telemetry.meter import Meter

_log = logging.getLogger("hostd.daemon")

LEFT_RUNS_MAX = 10_000  # runs that are looked at for whose secrets processes left behind may know


class Core:
    """Every room below the doors."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock | None = None,
        dice: random.Random | None = None,
        data: Path | None = None,
        patient: bool = False,
        journal: Journal | None = None,
        folders: bool = True,
        watch_loop: bool = True,
    ) -> None:
        """Build; nothing is opened yet.

        Args:
            data: the data folder; None keeps everything in memory.
            patient: steps wait for actions that are not loaded; without it only while a plugin that may bring them
            journal: in place of the one that the configuration says.
                is starting, and fail with ACTION_UNKNOWN then.
            folders: serve plugin folders.
            watch_loop: tell when the event loop stands still; a loop that is not ours is not ours to watch.
        """
        self.config = config
        self.patient = patient
        self._folders = folders
        self._watch_loop = watch_loop
        self.clock: Clock = clock or SystemClock()
        self.random = dice or random.SystemRandom()
        self.data = data
        self.meter = Meter()
        self.info: JournalInfo | None = None
        self.reconfigured: list[Callable[[Config], None]] = []  # the doors, which read it too
        self._care: list[asyncio.Task[None]] = []
        self._outlet: Outlet | None = None
        self.plugins_may_wait = False  # built-in ones, to be imported by `host.complete` once the ports listen
        self.heeds_environ = False  # OTEL_* variables, which in a program that embeds a host are the program's
        self._ground: asyncio.AbstractEventLoop
        self.log_files = AttemptLogs(data / "logs") if data is not None else None
        self.log_writer = LogWriter(self.log_files or NoLogFiles())
        self.journal = journal or self._journal()
        self.loop_watch = LoopWatch(lambda: self.host.homes())
        self.readers = Readers(2 if isinstance(self.journal, SqliteJournal) else 0)
        self.hub = Hub()
        self.census = Census(journal=self.journal, readers=self.readers, clock=self.clock)
        self.metering = Metering(self.meter, self.hub, self.census)
        self.called: Callable[[], Actions] = lambda: self.host.registry  # what scripts and plugins call in attempts
        self._build_guests()
        self._build_ring()
        self._build_upkeep()
        self._build_services()
        self._build_ways_in()
        self.loop.ends.effects = self.effects
        self.effects.times = AttemptTimes(self.meter)
        self._standing = Standing()
        read_gauges(self, self._standing)
        self.meter.reading("hostd_journal_size_bytes", self._journal_size)
        self.slots.tell = self.loop.tell_slot
        self.settings = SettingsDesk(
            given_by_program(config),
            levels=LogLevels(config.log.level, config.log.attempts),
            loop=self.loop,
            apply=self.reconfigure,
        )
        self.front = self._front()

    def reconfigure(self, config: Config) -> None:
        """Hand every room what it reads of a new configuration; what needs a restart must be as it was."""
        self.config = config
        limits = config.limits
        self.starts.allow_env(config.env)
        self.loop.lanes.resize(limits.doors)
        self.residence.runs_max = limits.runs_in_memory
        self.slots.change({"inline": limits.inline, "thread": limits.threads, "process": limits.processes})
        self.effects.change_limits(threads_max=limits.threads, cancel_grace_s=limits.cancel_grace.total_seconds())
        for reconfigure in self.reconfigured:
            reconfigure(config)

    def _build_guests(self) -> None:
        """Plugins and scripts."""
        self.host = PluginHost(
            plugin_choices(self.config),
            clock=self.clock,
            data_dir=self.data,
            random=self.random,
            limits=process_limits(self.config),
            plugins_dir=self._plugins_dir(),
            installed_dir=self._installed_dir(),
        )
        self.lua = LuaPool(pool_options(self.config), clock=self.clock)
        self.routes = RouteTable()
        self.contexts = AttemptContexts(clock=self.clock, read_secret=self.host.secrets.get)
        self.tracing = self.contexts.tracing
        self.scripts = Scripts(
            pool=self.lua,
            actions=lambda: self.called(),
            contexts=self.contexts,
            arrivals=self.host.coming,
            limits=script_limits(self.config),
        )

    def _front(self) -> Front:
        """What the control plane asks."""
        return build_front(
            RunRooms(
                journal=self.journal,
                readers=self.readers,
                loop=self.loop,
                intake=self.intake,
                starts=self.starts,
                workflows=self.workflows,
                hub=self.hub,
                clock=self.clock,
                held=self.held,
                deliveries=self.deliveries,
                log_files=self.log_files,
                cancel_grace_ms=lambda: whole_ms(self.config.limits.cancel_grace),
                log_flush=self.log_writer.flush,
                live_logs=self.effects,
            ),
            triggers=self.triggers,
            life=self.trigger_life,
            emission=self.emission,
            topics=self.topics,
            host=self.host,
            scripts=self.scripts,
            effects=self.effects,
            may_install=lambda: self.config.plugins.install,
            settings=self.settings,
            info=lambda: self.info,
            random=self.random,
            data=self.data,
            retention=lambda: retention_of(self.config),
        )

    def _build_ring(self) -> None:
        """The engine loop and what it turns."""
        limits = self.config.limits
        self.executors = Executors(lambda: self.host.registry, patient=self.patient)
        self.slots = Slots(
            self.executors.of,
            {
                "inline": limits.inline,
                "thread": limits.threads,
                "lua": self.config.lua.workers,
                "process": limits.processes,
            },
            self.executors.most_of,
            patient=self.patient,
        )
        self.timers = Timers(self.clock)
        plans = PlanShelf(self.journal, self.readers)
        self.residence = Residence(
            journal=self.journal,
            readers=self.readers,
            plans=plans,
            clock=self.clock,
            runs_max=limits.runs_in_memory,
        )
        self.loop = EngineLoop(
            journal=self.journal,
            clock=self.clock,
            residence=self.residence,
            slots=self.slots,
            timers=self.timers,
            lanes=Lanes(limits.doors),
            watchers=self.metering,
            meter=RingMeter(self.meter, self.clock),
        )
        self.progress = ProgressBook(loop=self.loop, clock=self.clock, ground=lambda: self._ground)
        self.workflows = Workflows(
            loop=self.loop,
            journal=self.journal,
            readers=self.readers,
            plans=plans,
            compiling=Compiling(
                lambda: self.host.registry,
                self.host.coming,
                BlockingCheck(self.lua, script_limits(self.config), lambda: self._ground),
            ),
        )
        self.contexts.heartbeats = self.progress
        self.effects = self._effects()

    def _effects(self) -> Effects:
        """What does commands."""
        limits = self.config.limits
        return Effects(
            actions=lambda: self.host.registry,
            contexts=self.contexts,
            scripts=self.scripts,
            read_secret=self.host.secrets.get,
            secret_names=self.host.secrets.names,
            slots=self.slots,
            logs=self.log_writer,
            clock=self.clock,
            random=self.random,
            tell=self.loop.tell,
            ask=lambda run, message: self.loop.ask(run, message, ""),
            threads_max=limits.threads,
            cancel_grace_s=limits.cancel_grace.total_seconds(),
        )

    def _build_upkeep(self) -> None:
        """What is done now and then."""
        self.upkeep = Upkeep(
            journal=self.journal,
            readers=self.readers,
            residence=self.residence,
            logs=self.log_files,
            retention=lambda: retention_of(self.config),
            clock=self.clock,
        )

    def _build_services(self) -> None:
        """What the host does for plugins."""
        rooms: Any = {"loop": self.loop, "journal": self.journal, "readers": self.readers}
        self.key_values = KeyValues(**rooms, clock=self.clock)
        self.blob_shelf = BlobShelf(**rooms)
        self.topic_types = TopicTypes(journal=self.journal, readers=self.readers)
        self.topics = Topics(**rooms, types=self.topic_types)
        requests = Requests(lambda: self.called(), self.host.coming)
        self.contexts.services = Services(self.key_values, self.blob_shelf, self.topics, requests)

    def _build_ways_in(self) -> None:
        """Starts and events."""
        self.held = HeldRuns(
            loop=self.loop, journal=self.journal, readers=self.readers, actions=lambda: self.host.registry
        )
        self.intake = Intake(loop=self.loop, journal=self.journal, readers=self.readers, clock=self.clock)
        self.deliveries = Deliveries(loop=self.loop, intake=self.intake)
        self.starts = StartMaker(random=self.random, env_allowed=self.config.env)
        self.emission = Emission(
            loop=self.loop,
            intake=self.intake,
            starts=self.starts,
            journal=self.journal,
            readers=self.readers,
            clock=self.clock,
            overlaps=Overlaps(loop=self.loop, journal=self.journal, readers=self.readers, hub=self.hub),
            deliveries=self.deliveries,
        )
        live = LiveTriggers()
        self.trigger_life = TriggerLife(
            emission=self.emission,
            registry=lambda: self.host.registry,
            routes=self.routes,
            live=live,
            read_secret=self.host.secrets.get,
            services=self.contexts.services,
            ends=RunEnds(lambda: self.front.runs),
            clock=self.clock,
            random=self.random,
            data_dir=self.data,
        )
        self.triggers = Triggers(
            workflows=self.workflows,
            emission=self.emission,
            life=self.trigger_life,
            live=live,
            journal=self.journal,
            readers=self.readers,
            clock=self.clock,
        )
        self.routes.incomplete = self.triggers.incomplete

    def _journal_size(self) -> dict[tuple[str, ...], float]:
        size = self.upkeep.journal_bytes
        return {(): float(size)} if size else {}

    def _journal(self) -> Journal:
        journal = self.config.journal
        if self.data is None or journal.store == "memory":
            from hostd.journal.memory import MemoryJournal  # no daemon that keeps anything has a use for it

            return MemoryJournal(randomness=self.random)
        return SqliteJournal(
            self.data / "journal.db",
            randomness=self.random,
            accept_loss=journal.accept_loss,
            logs=self.log_files,
        )

    async def open(self) -> None:
        """Open the journal, load plugins, and take over what the last daemon left."""
        self._ground = asyncio.get_running_loop()
        hide_in_logs(self.host.secrets.hide)
        if self._watch_loop:
            self.loop_watch.start(self._ground)
        self.info = await asyncio.to_thread(self.journal.open)
        await asyncio.to_thread(self.host.load, may_wait=self.plugins_may_wait)
        await self.host.secrets.prepare()
        await self._remember_secrets()
        await self.host.start_processes(socket=await asyncio.to_thread(self._plugin_socket))
        self.slots.limit(self.host.registry.action_ids())
        self.slots.be_patient(self.executors.patience)
        self.host.changed = self._plugins_changed
        await self._open_outlet()
        self.loop.start_from(await self.readers.call(self.journal.last_at_ms))
        lost = await recover(
            loop=self.loop,
            journal=self.journal,
            readers=self.readers,
            actions=lambda: self.host.registry,
            held=self.held,
        )
        await self.host.drop_unclaimed()
        await self.timers.start(self.readers, self.journal.due_runs, self.loop.tick)
        self.upkeep.start(self.info.path, lambda: self._standing.look(self))
        self.census.start()
        self._care = [
            spawn(measure_lag(self.meter, self.clock), name="loop-lag"),
        ]
        _log.info("core_open journal=%s lost_attempts=%d", self.info.path or self.info.kind, lost)

    async def _open_outlet(self) -> None:
        """Begin to send spans and metrics, before the first run ends. Raises HostdError CONFIG_INVALID."""
        otel = self.config.otel
        self._outlet, why = await opened(self, otel, None if self.heeds_environ else {})
        if why:
            _log.warning("otel_off message=%s", why)

    async def _remember_secrets(self) -> None:
        """Know what processes that the last daemon left behind may write to the log before a secret is asked for."""
        if self.data is None or not await asyncio.to_thread(_has_notes, self.data / "run" / "plugins"):
            return
        rows = await self.readers.call(lambda: self.journal.live_runs(after=0, limit=LEFT_RUNS_MAX, states=MOVING))
        for namespace in sorted({row.namespace for row in rows}):
            await self.host.secrets.remember(namespace)

    def _plugins_dir(self) -> Path | None:
        """Return the folder of plugin folders; None where there is no data folder and none was named."""
        if self.config.plugins.safe_mode or not self._folders:
            return None
        return self.config.plugins.dir or (self.data / "plugins" if self.data is not None else None)

    def _installed_dir(self) -> Path | None:
        """Return the folder of installed plugins; None where there is no data folder, and in safe mode."""
        if self.data is None or self.config.plugins.safe_mode or not self._folders:
            return None
        return (self.data / "plugins-installed").absolute()

    def _plugin_socket(self) -> Path | None:
        return prepare_socket(self.data, name="plugins.sock") if self.data is not None and self.host.outside else None

    def _plugins_changed(self) -> None:
        """What is loaded is not what it was: limits, steps and triggers that waited for it look again."""
        self.slots.limit(self.host.registry.action_ids())
        self.slots.be_patient(self.executors.patience)
        self.triggers.plugins_changed()
        if changed := self.executors.changed():
            look_again(self.loop, lambda: self.host.registry, changed)

    async def drain(self, grace_s: float) -> int:
        """Start nothing new, let what runs end within the grace; return how many attempts were cut off."""
        self.intake.draining = True
        self.slots.hold()
        left = await self.effects.drain(grace_s)
        await self.loop.quiet()
        return left

    async def close(self) -> None:
        """Let go of everything; what still runs is lost, and decided about at the next start."""
        self.intake.draining = True
        self.hub.close()
        self.topics.news.close()
        self.upkeep.stop()
        self.census.stop()
        for task in self._care:
            task.cancel()
        self.timers.stop()
        await self.effects.stop()
        self.progress.write()
        await self.loop.quiet()
        if self._outlet is not None:
            await self._outlet.close()
        await self.lua.close()
        await self.host.close()
        await asyncio.to_thread(self.log_writer.close)
        await asyncio.to_thread(self.workflows.compiling.close)
        await asyncio.to_thread(self.readers.close)
        await asyncio.to_thread(self.journal.close)
        self.loop_watch.stop()
        hide_no_more(self.host.secrets.hide)


def _has_notes(folder: Path) -> bool:
    return any(folder.glob("*.json"))
