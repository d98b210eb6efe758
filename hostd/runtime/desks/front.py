"""Everything the control plane asks for, in one place: what api/ports.py calls Ports, over the rooms of the runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from hostd.host.host import PluginHost
from hostd.host.registry import HostRegistry
from hostd.journal.port import JournalInfo, Retention
from hostd.runtime.attempts.effects import Effects
from hostd.runtime.attempts.scripts import Scripts
from hostd.runtime.desks.administration import Administration
from hostd.runtime.desks.event_desk import EventDesk
from hostd.runtime.desks.namespace_shelf import NamespaceShelf
from hostd.runtime.desks.plugin_desk import PluginDesk
from hostd.runtime.desks.plugin_shelf import PluginShelf
from hostd.runtime.desks.plugin_watch import PluginWatch
from hostd.runtime.desks.script_desk import ScriptDesk
from hostd.runtime.desks.secret_desk import SecretDesk
from hostd.runtime.desks.settings_desk import SettingsDesk
from hostd.runtime.runs.run_reads import RunRooms
from hostd.runtime.runs.runs import Runs
from hostd.runtime.services.topics import Topics
from hostd.runtime.triggers.beginnings import Beginnings
from hostd.runtime.triggers.dead_letters import DeadLetters
from hostd.runtime.triggers.emit import Emission
from hostd.runtime.triggers.long_verbs import LongVerbs
from hostd.runtime.triggers.own_triggers import OwnTriggers
from hostd.runtime.triggers.schedules import Schedules
from hostd.runtime.triggers.secret_changes import SecretChanges
from hostd.runtime.triggers.trigger_desk import TriggerDesk
from hostd.runtime.triggers.trigger_life import TriggerLife
from hostd.runtime.triggers.trigger_trials import TriggerTrials
from hostd.runtime.triggers.triggers import Triggers
from hostd.runtime.workflows.workflow_store import WorkflowStore


class Front(NamedTuple):
    """One object a service."""

    runs: Runs
    workflows: WorkflowStore
    triggers: TriggerDesk
    trials: TriggerTrials
    schedules: Schedules
    dead_letters: DeadLetters
    events: EventDesk
    plugins: PluginShelf
    plugin_watch: PluginWatch
    installs: PluginDesk
    scripts: ScriptDesk
    secrets: SecretDesk
    admin: Administration
    settings: SettingsDesk


def build_front(
    rooms: RunRooms,
    *,
    triggers: Triggers,
    life: TriggerLife,
    emission: Emission,
    topics: Topics,
    host: PluginHost,
    scripts: Scripts,
    effects: Effects,
    settings: SettingsDesk,
    may_install: Callable[[], str],
    info: Callable[[], JournalInfo | None],
    random: Random,
    data: Path | None,
    retention: Callable[[], Retention],
) -> Front:
    """Return the front over the rooms of one host."""
    journal, readers, clock = rooms.journal, rooms.readers, rooms.clock
    verbs = LongVerbs(loop=rooms.loop, journal=journal, readers=readers)

    def registry() -> HostRegistry:
        return host.registry

    beginnings = Beginnings(triggers)
    shelf = PluginShelf(host, beginnings.of_plugins)
    spaces = NamespaceShelf(journal=journal, readers=readers, triggers=triggers, registry=registry)
    return Front(
        runs=Runs(rooms),
        workflows=_workflow_store(rooms, host, beginnings),
        triggers=_trigger_desk(rooms, triggers, beginnings, random),
        trials=_trials(rooms, triggers, registry, random),
        schedules=Schedules(
            triggers=triggers,
            life=life,
            emission=emission,
            registry=registry,
            journal=journal,
            readers=readers,
            verbs=verbs,
            clock=clock,
        ),
        dead_letters=DeadLetters(
            triggers=triggers, emission=emission, loop=rooms.loop, journal=journal, readers=readers, verbs=verbs
        ),
        plugins=shelf,
        plugin_watch=_plugin_watch(rooms, shelf, random),
        installs=PluginDesk(host=host, shelf=shelf, loop=rooms.loop, may_install=may_install),
        events=EventDesk(topics=topics, journal=journal, readers=readers, clock=clock, random=random),
        scripts=ScriptDesk(scripts=scripts, clock=clock),
        secrets=SecretDesk(
            host=host, loop=rooms.loop, journal=journal, readers=readers, changes=SecretChanges(triggers)
        ),
        admin=_administration(
            rooms, spaces, effects=effects, scripts=scripts, info=info, random=random, data=data, retention=retention
        ),
        settings=settings,
    )


def _workflow_store(rooms: RunRooms, host: PluginHost, beginnings: Beginnings) -> WorkflowStore:
    return WorkflowStore(
        workflows=rooms.workflows,
        journal=rooms.journal,
        readers=rooms.readers,
        secret_is_missing=host.secrets.is_missing,
        env_missing=rooms.starts.env_missing,
        beginnings=beginnings,
    )


def _plugin_watch(rooms: RunRooms, shelf: PluginShelf, random: Random) -> PluginWatch:
    life = f"{random.getrandbits(64):016x}"
    return PluginWatch(look=shelf.list, life=life, closed=lambda: rooms.hub.closed, clock=rooms.clock)


def _administration(
    rooms: RunRooms,
    spaces: NamespaceShelf,
    *,
    effects: Effects,
    scripts: Scripts,
    info: Callable[[], JournalInfo | None],
    random: Random,
    data: Path | None,
    retention: Callable[[], Retention],
) -> Administration:
    return Administration(
        journal=rooms.journal,
        readers=rooms.readers,
        info=info,
        loop=rooms.loop,
        effects=effects,
        isolation=scripts.isolation,
        instance_id=f"{random.getrandbits(64):016x}",
        started_at_ms=rooms.clock.wall_ms(),
        data=data,
        clock=rooms.clock,
        retention=retention,
        spaces=spaces,
    )


def _trigger_desk(rooms: RunRooms, triggers: Triggers, beginnings: Beginnings, random: Random) -> TriggerDesk:
    own = OwnTriggers(
        triggers=triggers,
        workflows=rooms.workflows,
        loop=rooms.loop,
        journal=rooms.journal,
        readers=rooms.readers,
    )
    return TriggerDesk(
        triggers=triggers,
        own=own,
        loop=rooms.loop,
        journal=rooms.journal,
        readers=rooms.readers,
        clock=rooms.clock,
        random=random,
        closed=lambda: rooms.hub.closed,
        beginnings=beginnings,
    )


def _trials(rooms: RunRooms, triggers: Triggers, registry: Callable[[], HostRegistry], random: Random) -> TriggerTrials:
    return TriggerTrials(
        triggers=triggers,
        workflows=rooms.workflows,
        starts=rooms.starts,
        catalogue=registry,
        journal=rooms.journal,
        readers=rooms.readers,
        clock=rooms.clock,
        random=random,
    )
