"""What the control plane asks, built over the parts: one object a service."""

from __future__ import annotations

from hostd.runtime.desks.administration import Administration
from hostd.runtime.desks.event_desk import EventDesk
from hostd.runtime.desks.front import Front
from hostd.runtime.desks.namespace_shelf import NamespaceShelf
from hostd.runtime.desks.plugin_desk import PluginDesk
from hostd.runtime.desks.plugin_shelf import PluginShelf
from hostd.runtime.desks.plugin_watch import PluginWatch
from hostd.runtime.desks.script_desk import ScriptDesk
from hostd.runtime.desks.secret_desk import SecretDesk
from hostd.runtime.desks.settings_desk import SettingsDesk
from hostd.runtime.room_options import retention_of
from hostd.runtime.triggers.beginnings import Beginnings
from hostd.runtime.triggers.by_hand import ByHand
from hostd.runtime.triggers.dead_letters import DeadLetters
from hostd.runtime.triggers.long_verbs import LongVerbs
from hostd.runtime.triggers.own_triggers import OwnTriggers
from hostd.runtime.triggers.schedules import Schedules
from hostd.runtime.triggers.secret_changes import SecretChanges
from hostd.runtime.triggers.trigger_desk import TriggerDesk
from hostd.runtime.triggers.trigger_trials import TriggerTrials
from hostd.runtime.workflows.workflow_store import WorkflowStore
from hostd.wiring.parts import Parts


class Desks:
    """Builds the desks of one host."""

    def __init__(self, parts: Parts) -> None:
        self._base, self._guests, self._ring = parts.base, parts.guests, parts.ring
        self._services, self._ways_in = parts.services, parts.ways_in
        self._beginnings = Beginnings(parts.ways_in.triggers)

    def front(self, settings: SettingsDesk) -> Front:
        """Return one object a service."""
        base, guests, loop = self._base, self._guests, self._ring.loop
        journal, readers, clock = base.journal, base.readers, base.clock
        shelf = PluginShelf(guests.host, self._beginnings.of_plugins)
        verbs = LongVerbs(loop=loop, journal=journal, readers=readers)
        return Front(
            runs=self._ways_in.runs,
            workflows=self._workflows(),
            triggers=self._triggers(),
            trials=self._trials(),
            schedules=self._schedules(verbs),
            dead_letters=self._dead_letters(verbs),
            events=EventDesk(
                topics=self._services.topics, journal=journal, readers=readers, clock=clock, random=base.random
            ),
            plugins=shelf,
            plugin_watch=self._plugin_watch(shelf),
            installs=PluginDesk(
                host=guests.host, shelf=shelf, loop=loop, may_install=lambda: base.config.plugins.install
            ),
            scripts=ScriptDesk(scripts=guests.scripts, clock=clock),
            secrets=self._secrets(),
            admin=self._administration(),
            settings=settings,
        )

    def _workflows(self) -> WorkflowStore:
        return WorkflowStore(
            workflows=self._ring.workflows,
            journal=self._base.journal,
            readers=self._base.readers,
            secret_is_missing=self._guests.host.secrets.is_missing,
            env_missing=self._ways_in.starts.env_missing,
            beginnings=self._beginnings,
        )

    def _triggers(self) -> TriggerDesk:
        base, loop, triggers = self._base, self._ring.loop, self._ways_in.triggers
        own = OwnTriggers(
            triggers=triggers,
            workflows=self._ring.workflows,
            loop=loop,
            journal=base.journal,
            readers=base.readers,
        )
        return TriggerDesk(
            triggers=triggers,
            own=own,
            loop=loop,
            journal=base.journal,
            readers=base.readers,
            clock=base.clock,
            random=base.random,
            closed=lambda: base.hub.closed,
            beginnings=self._beginnings,
            by_hand=ByHand(self._guests.registry),
        )

    def _trials(self) -> TriggerTrials:
        base, ways_in = self._base, self._ways_in
        return TriggerTrials(
            triggers=ways_in.triggers,
            workflows=self._ring.workflows,
            starts=ways_in.starts,
            catalogue=self._guests.registry,
            journal=base.journal,
            readers=base.readers,
            clock=base.clock,
            random=base.random,
            by_hand=ByHand(self._guests.registry),
        )

    def _schedules(self, verbs: LongVerbs) -> Schedules:
        base, ways_in = self._base, self._ways_in
        return Schedules(
            triggers=ways_in.triggers,
            life=ways_in.trigger_life,
            emission=ways_in.emission,
            registry=self._guests.registry,
            journal=base.journal,
            readers=base.readers,
            verbs=verbs,
            clock=base.clock,
        )

    def _dead_letters(self, verbs: LongVerbs) -> DeadLetters:
        return DeadLetters(
            triggers=self._ways_in.triggers,
            emission=self._ways_in.emission,
            loop=self._ring.loop,
            journal=self._base.journal,
            readers=self._base.readers,
            verbs=verbs,
        )

    def _plugin_watch(self, shelf: PluginShelf) -> PluginWatch:
        base = self._base
        life = f"{base.random.getrandbits(64):016x}"
        return PluginWatch(look=shelf.list, life=life, closed=lambda: base.hub.closed, clock=base.clock)

    def _secrets(self) -> SecretDesk:
        return SecretDesk(
            host=self._guests.host,
            loop=self._ring.loop,
            journal=self._base.journal,
            readers=self._base.readers,
            changes=SecretChanges(self._ways_in.triggers),
        )

    def _administration(self) -> Administration:
        base, guests, ring = self._base, self._guests, self._ring
        spaces = NamespaceShelf(
            journal=base.journal, readers=base.readers, triggers=self._ways_in.triggers, registry=guests.registry
        )
        return Administration(
            journal=base.journal,
            readers=base.readers,
            info=lambda: base.info,
            loop=ring.loop,
            effects=ring.effects,
            isolation=guests.scripts.isolation,
            instance_id=f"{base.random.getrandbits(64):016x}",
            started_at_ms=base.clock.wall_ms(),
            data=base.data,
            clock=base.clock,
            retention=lambda: retention_of(base.config),
            spaces=spaces,
        )
