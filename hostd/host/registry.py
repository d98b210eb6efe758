"""The registry: what is loaded now. Frozen; a reload makes a new one and replaces it whole."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from hostd.errors.base import HostdError, Kind
from hostd.host.absent import absence, may_come
from hostd.host.expressions import OPTION_CONTEXT
from hostd.host.found import PluginReport, PluginState
from hostd.host.lifecycle import Shared
from hostd.host.options import check_literals
from hostd.plugin import Action, Instances, Options, SecretsProvider, Trigger
from hostd.plugin.component import description_of
from hostd.plugin.option_reading import code_fields, json_schema, parse_options, sample
from hostd.plugin.slot_pages import SlotPage, Window, slot_page
from hostd.values.json_text import JsonValue


class Entry:
    """What is known of a component without running it; also the ComponentInfo the compiler asks for.

    Whoever makes one fills in `options` and what follows from them; components of other processes have only a schema
    (process/entries.py).
    """

    __slots__ = (
        "_schema", "code_fields", "description", "id", "module", "options", "origin", "plugin", "since", "stability",
    )  # fmt: skip

    effects: str = ""
    executors: tuple[str, ...] = ()
    filled: bool = True  # False while only a list says what there is (late.py): to look at anything else blocks then

    def __init__(self, component: type[Any], options: type[Options], *, plugin: str, origin: str) -> None:
        self.id: str = component.id
        self.module: str = component.__module__
        self.plugin = plugin
        self.origin = origin
        self.options = options
        self.since: str = component.since
        self.stability: str = component.stability
        self.description = description_of(component)
        self.code_fields = code_fields(options)
        self._schema: dict[str, Any] | None = None

    def look(self) -> None:
        """Import what was left for later, where something was. Blocks, for a thread."""

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the options; made when first asked for."""
        if self._schema is None:
            self._schema = json_schema(self.options)
        return self._schema

    def parse(self, rendered: Any) -> Any:
        """Return the options of one attempt or trigger. Pure. Raises HostdError OPTION_INVALID with all violations."""
        return parse_options(self.options, rendered, owner=self.id, context=OPTION_CONTEXT)

    def check_literals(self, options: dict[str, JsonValue], templated: frozenset[str]) -> list[tuple[str, str]]:
        """Return the faults of options that are literal, as (path, message)."""
        return check_literals(self.options, options, templated)

    def sample(self) -> dict[str, JsonValue]:
        """Return options as somebody might write them."""
        return sample(self.options)


class FirstUse:
    """Stands where an action's instance will stand, until its first attempt has provisioned it."""

    def __init__(self, entry: ActionEntry) -> None:
        self._entry = entry

    async def run(self, ctx: Any, options: Any) -> Any:
        """Provision, put the action in place, run it. Raises HostdError PLUGIN_FAILED, and what the action raises."""
        await self._entry.life.prepare()
        self._entry.settle()
        return await self._entry.instance.run(ctx, options)


class FirstUseInThread:
    """The same for a blocking action: provisioning belongs to the loop, so an attempt in a thread has to come again."""

    def __init__(self, entry: ActionEntry) -> None:
        self._entry = entry

    def run(self, ctx: Any, options: Any) -> Any:
        """Run the action if it is provisioned by now. Raises HostdError PLUGIN_FAILED otherwise, retryable."""
        if not self._entry.life.ready:
            message = f"{self._entry.id} is not provisioned yet; `PluginHost.prepare` does it at start"
            raise HostdError(Kind.UNAVAILABLE, "PLUGIN_FAILED", message, retry_after_s=1.0)
        self._entry.settle()
        return self._entry.instance.run(ctx, options)


class ActionEntry(Entry):
    """An action and its one instance: call `instance.run(ctx, options)`; the first attempt provisions by itself."""

    __slots__ = ("codes", "effects", "executors", "instance", "life", "max_in_flight")

    def __init__(
        self, action: type[Action[Any]], options: type[Options], *, life: Shared, plugin: str, origin: str
    ) -> None:
        super().__init__(action, options, plugin=plugin, origin=origin)
        self.effects = action.effects
        self.codes: Mapping[str, str] = action.codes
        self.executors = action.executors
        self.max_in_flight = action.max_in_flight
        self.life = life
        blocking = not inspect.iscoroutinefunction(action.run)
        self.instance: Any = FirstUseInThread(self) if blocking else FirstUse(self)
        self.settle()

    @property
    def own_loop(self) -> bool:
        """Whether attempts run on an event loop of the plugin's own (threads/components.py)."""
        return False

    def settle(self) -> None:
        """Put the action itself into `instance` once it is ready."""
        if self.life.ready:
            self.instance = self.life.component


class TriggerEntry(Entry):
    """A trigger plugin; `create` makes an instance per configured trigger."""

    __slots__ = ("_settings", "instances", "trigger")

    def __init__(
        self, trigger: type[Trigger[Any]], options: type[Options], *, settings: Options, plugin: str, origin: str
    ) -> None:
        super().__init__(trigger, options, plugin=plugin, origin=origin)
        self.trigger = trigger
        self.instances: Instances = trigger.instances
        self._settings = settings

    def create(self, options: Any) -> Trigger[Any]:
        """Return an instance for parsed options, not provisioned yet: see `lifecycle.alive`."""
        trigger = self.trigger(options)
        trigger.settings = self._settings
        return trigger

    async def slots(self, given: Any, window: Window) -> SlotPage:
        """Return slots of a trigger with options as they are written; nothing is run for it.

        Raises:
            HostdError: OPTION_INVALID; SCHEDULE_MISSING where it does not go by the clock, PLUGIN_FAILED.
        """
        return await asyncio.to_thread(self._slots, given, window)  # time zones are files

    def _slots(self, given: Any, window: Window) -> SlotPage:
        return slot_page(self.id, self.parse(given), self.create, window)


class SecretsEntry:
    """A provider of secrets and its one instance."""

    __slots__ = ("id", "instance", "life", "plugin")

    def __init__(self, provider: SecretsProvider, *, life: Shared, plugin: str) -> None:
        self.id: str = provider.id
        self.plugin = plugin
        self.instance = provider
        self.life = life


class HostRegistry:
    """Everything loaded, by kind and id; also the Catalogue the compiler asks."""

    __slots__ = ("actions", "plugins", "secrets", "starting", "triggers")

    def __init__(
        self,
        *,
        actions: Mapping[str, ActionEntry],
        triggers: Mapping[str, TriggerEntry],
        secrets: Iterable[SecretsEntry],
        plugins: Iterable[PluginReport],
    ) -> None:
        self.actions = MappingProxyType(dict(actions))
        self.triggers = MappingProxyType(dict(triggers))
        self.secrets = tuple(secrets)
        self.plugins = tuple(plugins)
        self.starting = any(report.state is PluginState.STARTING for report in self.plugins)

    def action(self, component_id: str) -> ActionEntry | None:
        """Return an action, None when nothing loaded provides it."""
        return self.actions.get(component_id)

    def trigger(self, component_id: str) -> TriggerEntry | None:
        """Return a trigger plugin, None when nothing loaded provides it."""
        return self.triggers.get(component_id)

    def action_ids(self) -> Iterable[str]:
        """Return the ids of all actions."""
        return self.actions.keys()

    def trigger_ids(self) -> Iterable[str]:
        """Return the ids of all trigger plugins."""
        return self.triggers.keys()

    def may_come(self, component_id: str) -> bool:
        """Say whether a plugin that is starting may bring a component that is not loaded."""
        return self.starting and may_come(component_id, self.plugins)

    def absence(self, component_id: str) -> str:
        """Return which plugins may have a component that is not loaded, and why they do not serve; empty for none."""
        return absence(component_id, self.plugins)

    def shared(self) -> list[ActionEntry | SecretsEntry]:
        """Return the entries whose one instance is provisioned and closed, secrets first; it is made for each."""
        return [*self.secrets, *(entry for entry in self.actions.values() if entry.filled)]

    def plugin(self, plugin_id: str) -> PluginReport:
        """Return what became of a plugin. Raises HostdError PLUGIN_MISSING."""
        for report in self.plugins:
            if report.id == plugin_id:
                return report
        raise HostdError(
            Kind.MISSING, "PLUGIN_MISSING", f"there is no plugin {plugin_id[:80]!r}; see `hostd plugin list`"
        )
