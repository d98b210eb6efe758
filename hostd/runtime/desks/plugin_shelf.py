"""Loaded plugins and their components as the doors see them; answered from memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from hostd.errors.base import HostdError, Kind
from hostd.host.found import PluginReport, PluginState
from hostd.host.host import PluginHost
from hostd.host.registry import ActionEntry, HostRegistry, SecretsEntry, TriggerEntry
from hostd.model.views import ComponentView, PluginView, ProcessView, SchemaView
from hostd.plugin.component import description_of
from hostd.values.json_text import dump_json

ACTION, TRIGGER, SECRETS = "action", "trigger", "secrets"
Parts = dict[str, list[ComponentView]]


class PluginShelf:
    """Seeing what is loaded, and what is not and why.

    Args:
        begun: waits, a short time at most, for the configured triggers that use these trigger plugins; returns
            warnings of those that do not run, of one namespace by name.
    """

    def __init__(self, host: PluginHost, begun: Callable[[str, frozenset[str]], Awaitable[Sequence[str]]]) -> None:
        self._host = host
        self._begun = begun

    def _registry(self) -> HostRegistry:
        return self._host.registry

    def list(self) -> Sequence[PluginView]:
        """Return every plugin that was found, by id."""
        registry = self._registry()
        parts = _parts(registry)
        reports = sorted(registry.plugins, key=lambda report: report.id)
        return [self._view(report, parts) for report in reports]

    def get(self, plugin_id: str) -> PluginView:
        """Return a plugin. Raises PLUGIN_MISSING."""
        registry = self._registry()
        return self._view(registry.plugin(plugin_id), _parts(registry))

    def _view(self, report: PluginReport, parts: Parts) -> PluginView:
        """Return a view without secrets: why a plugin failed is a text of the plugin's."""
        view = _plugin(report, parts, self._host.process(report.id))
        hide, installed = self._host.secrets.hide, self._host.installed
        older = installed.serving.rollback_version(report.id) if installed is not None else ""
        return msgspec.structs.replace(
            view, message=hide(view.message), traceback=hide(view.traceback), rollback_version=older
        )

    async def reload(self, namespace: str, plugin_id: str) -> PluginView:
        """Load a plugin anew. Raises PLUGIN_MISSING, PLUGIN_NOT_RELOADABLE."""
        await self._host.reload(plugin_id)
        return await self.served(namespace, plugin_id)

    async def served(self, namespace: str, plugin_id: str) -> PluginView:
        """Return a plugin that was loaded, once the triggers that use it have begun. Raises PLUGIN_MISSING."""
        uses = frozenset(part.id for part in self.get(plugin_id).components if part.kind == TRIGGER)
        warnings = await self._begun(namespace, uses)
        return msgspec.structs.replace(self.get(plugin_id), warnings=tuple(warnings))

    def schema(self, component_id: str, kind: str) -> SchemaView:
        """Return a component's options. Raises PLUGIN_MISSING."""
        registry = self._registry()
        action = registry.action(component_id) if kind in ("", ACTION) else None
        if action is not None:
            return _schema(_action(action), action)
        trigger = registry.trigger(component_id) if kind in ("", TRIGGER) else None
        if trigger is not None:
            return _schema(_trigger(trigger), trigger)
        message = (
            f"no loaded plugin provides {kind or 'an action or trigger'} {component_id!r}; see `hostd plugin list`"
        )
        raise HostdError(Kind.MISSING, "PLUGIN_MISSING", message, details={"id": component_id})


def _parts(registry: HostRegistry) -> Parts:
    """Return the components of each plugin, by kind and id."""
    parts: Parts = {}
    for action in registry.actions.values():
        parts.setdefault(action.plugin, []).append(_action(action))
    for trigger in registry.triggers.values():
        parts.setdefault(trigger.plugin, []).append(_trigger(trigger))
    for provider in registry.secrets:
        parts.setdefault(provider.plugin, []).append(_secrets(provider))
    for found in parts.values():
        found.sort(key=lambda part: (part.kind, part.id))
    return parts


def _plugin(report: PluginReport, parts: Parts, process: ProcessView | None) -> PluginView:
    return PluginView(
        id=report.id,
        version=report.version,
        source=report.source.value.lower(),
        state=report.state.value,
        origin=report.origin,
        reason=report.reason,
        message=report.message,
        traceback=report.traceback,
        isolation=report.isolation if report.state is PluginState.LOADED else "",
        components=tuple(parts.get(report.id, ())) if report.state is PluginState.LOADED else (),
        api=report.api,
        permissions=report.permissions,
        process=process,
    )


def _action(entry: ActionEntry) -> ComponentView:
    return ComponentView(
        entry.id,
        ACTION,
        entry.plugin,
        entry.description,
        entry.since,
        entry.stability,
        effects=entry.effects,
        executors=tuple(entry.executors),
        codes=tuple(entry.codes.items()),
    )


def _trigger(entry: TriggerEntry) -> ComponentView:
    return ComponentView(entry.id, TRIGGER, entry.plugin, entry.description, entry.since, entry.stability)


def _secrets(entry: SecretsEntry) -> ComponentView:
    provider = type(entry.instance)
    return ComponentView(entry.id, SECRETS, entry.plugin, description_of(provider), provider.since, provider.stability)


def _schema(view: ComponentView, entry: ActionEntry | TriggerEntry) -> SchemaView:
    return SchemaView(view, dump_json(entry.schema), dump_json(entry.sample()))
